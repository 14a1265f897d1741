"""The fourth invariant: the fold of an order's events is its row. The fold is written from the meaning of the events,
not from the service's own."""
import collections


def _items_of(data):
    return [(item["product_id"], item["quantity"], item.get("unit_price")) for item in data["items"]]


def _apply(state, kind, data):
    if kind == "order.created":
        state.update(status="PENDING", customer_id=data["customer_id"], items=_items_of(data),
                     later=data.get("payment") == "later")
    elif kind == "order.reserved":
        status = "AWAITING_PAYMENT" if state["later"] else "RESERVED"
        state.update(status=status, items=_items_of(data), total=data["total"], currency=data["currency"])
    elif kind in ("order.confirmed", "order.paid", "payment.captured"):
        state["captured"] = max(state["captured"], data.get("amount", 0))
        if kind != "payment.captured":
            state["status"] = kind.split(".")[1].upper()
    elif kind == "payment.refunded":
        state["refunded"] = max(state["refunded"], data["amount"])
    elif kind in ("order.rejected", "order.compensating"):
        state.update(status=kind.split(".")[1].upper(), reason=data["reason"])
    elif kind == "order.cancelled":
        state["status"] = "CANCELLED"
    elif kind not in ("stock.returned", "stock.missing", "payment.refused", "payment.requested"):
        raise ValueError(f"an event of a type that nobody knows: {kind}")


def fold(events):
    state = {"status": None, "customer_id": None, "items": None, "total": None, "currency": None, "reason": None,
             "captured": 0, "refunded": 0, "later": False}
    for event in events:
        _apply(state, event["type"], event["data"])
    return state


def _row_of(order, items):
    names = ("status", "customer_id", "total", "currency", "reason", "captured", "refunded")
    return {**{name: order[name] for name in names}, "items": items}


def _young(since):
    """A condition on order_id; since is a datetime."""
    return f"WHERE order_id IN (SELECT order_id FROM orders.order_list WHERE created_at >= '{since.isoformat()}')"


def _by_id(rows):
    found = collections.defaultdict(list)
    for row in rows:
        found[row["id"]].append(row)
    return found


def check_fold(sources, found, since=None):
    """since: the logs of older orders are not read."""
    which = _young(since) if since else ""
    orders, items, events = sources.snapshot(
        "orders", f"SELECT *, order_id::text AS id FROM orders.order_list {which}",
        f"SELECT *, order_id::text AS id FROM orders.order_items {which} ORDER BY position",
        f"SELECT *, order_id::text AS id FROM orders.all_events AS order_events {which} ORDER BY seq")
    items, events = _by_id(items), _by_id(events)
    for order in orders:
        order_id, log = order["id"], events.pop(order["id"], [])
        if [event["seq"] for event in log] != list(range(1, order["version"] + 1)):
            found.add(4, f"{order_id}: version {order['version']}, events {[event['seq'] for event in log]}")
            continue
        own = [(item["product_id"], item["quantity"], item["unit_price"]) for item in items[order_id]]
        folded, row = fold(log), _row_of(order, own)
        different = {name: (folded[name], row[name]) for name in row if folded[name] != row[name]}
        if different:
            found.add(4, f"{order_id}: fold and row differ in {different}")
    for order_id in events:
        found.add(4, f"{order_id} has events and no row")
    found.note(4, f"{len(orders)} orders")
