#!/usr/bin/python3
"""The five invariants of the order system, read from the databases, the payment provider's ledger and the broker.

    chaos-testing/invariants.py --state DIR
    chaos-testing/invariants.py --orders URL --inventory URL --payments URL --ledger FILE --management URL

prints one line for each and exits with 1 when one does not hold. --accepted FILE names orders that must exist, one id a
line; --wait SECONDS gives a running system time to come to rest.
"""
import argparse
import collections
import json
import os
import sys
import time

import psycopg2
import psycopg2.extras

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.join(ROOT, "tools") not in sys.path:
    sys.path.insert(0, os.path.join(ROOT, "tools"))

from dev.management import Management  # noqa: E402
from dev.state import State  # noqa: E402

TITLES = {
    1: "every accepted order exists and is final",
    2: "one capture an order, and captured - refunded is its total if CONFIRMED, else 0",
    3: "stock: received = on hand + reserved + sold, nothing reserved, sold is what CONFIRMED orders hold",
    4: "the fold of each order's events is its row",
    5: "outboxes empty, no inbox id twice, nothing dead without a cause",
}
FINAL = ("CONFIRMED", "REJECTED", "CANCELLED")
COUNTED_SECONDS = 7  # a broker counts what lies in a quorum queue every 5 s
SHOWN = 10  # violations of one kind
TOLD_LATE = 15  # seconds: the management API tells how long a queue was some time ago
CAUSE = "bus-cause"


def read_ledger(path):
    """The payment provider's own record; the last line may be half written while it runs."""
    found = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    found.append(json.loads(line))
    return found


class Sources:
    """Where to read. accepted: ids of orders that were answered with a 2xx."""

    def __init__(self, urls, ledger, management, vhost, accepted=()):
        self.urls = urls
        self.ledger = ledger
        self.management = management
        self.vhost = vhost
        self.accepted = accepted

    @classmethod
    def of_stack(cls, stack, accepted=()):
        urls = {name: stack.database_url(name) for name in ("orders", "inventory", "payments")}
        return cls(urls, stack.ledger(), stack.broker.management, stack.broker.admin.path, accepted)

    def rows(self, database, sql):
        connection = psycopg2.connect(self.urls[database], connect_timeout=5)
        try:
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        finally:
            connection.close()

    def queues(self):
        """With as many messages as each queue itself has counted, not as the statistics show it later still."""
        return self.management.must("GET", "queues", self.vhost, query="?disable_stats=true&enable_queue_totals=true")


class Findings:
    def __init__(self):
        self._wrong = {number: [] for number in TITLES}
        self._notes = {number: "" for number in TITLES}

    def add(self, number, text):
        self._wrong[number].append(text)

    def note(self, number, text):
        self._notes[number] = text

    def violations(self, shown=SHOWN):
        """At most so many of a kind; None: all of them."""
        found = []
        for number, wrong in self._wrong.items():
            found += [f"invariant {number}: {text}" for text in wrong[:shown]]
            if shown is not None and len(wrong) > shown:
                found.append(f"invariant {number}: and {len(wrong) - shown} more")
        return found

    def only(self, number):
        """True if this one is violated and no other."""
        return [one for one, wrong in self._wrong.items() if wrong] == [number]

    def lines(self):
        for number, title in TITLES.items():
            wrong = self._wrong[number]
            yield f"{number} {'VIOLATED' if wrong else 'holds':<9} {title} ({self._notes[number]})"
            yield from (f"    {text}" for text in wrong[:SHOWN])


# 1

def check_accepted(sources, orders, found):
    for order_id in sources.accepted:
        if order_id not in orders:
            found.add(1, f"{order_id} was accepted and is not there")
    for order_id, order in orders.items():
        if order["status"] not in FINAL:
            found.add(1, f"{order_id} is {order['status']} since {order['updated_at']}")
    by_status = collections.Counter(order["status"] for order in orders.values())
    counts = ", ".join(f"{count} {status}" for status, count in sorted(by_status.items()))
    found.note(1, f"{len(sources.accepted)} accepted; {counts or 'no orders'}")


# 2

def _by_order(lines, kind):
    sums, counts = collections.Counter(), collections.Counter()
    for line in lines:
        if line["type"] == kind:
            sums[line.get("order_id", "")] += line["amount"]
            counts[line.get("order_id", "")] += 1
    return sums, counts


def _check_net(found, orders, captured, refunded, whose):
    for order_id in set(captured) | set(refunded):
        if order_id not in orders:
            found.add(2, f"{whose}: money moved for {order_id}, which is no order")
    for order_id, order in orders.items():
        if order["status"] not in FINAL:
            continue
        expected = order["total"] if order["status"] == "CONFIRMED" else 0
        net = captured[order_id] - refunded[order_id]
        if net != expected:
            found.add(2, f"{whose}: {order_id} is {order['status']}, net {net}, expected {expected}")


def check_money(sources, orders, found):
    ledger = read_ledger(sources.ledger)
    captured, times = _by_order(ledger, "captured")
    refunded, _ = _by_order(ledger, "refunded")
    for order_id, count in times.items():
        if count > 1:
            found.add(2, f"the provider captured {order_id} {count} times")
    _check_net(found, orders, captured, refunded, "the provider")
    rows = sources.rows("payments", "SELECT order_id::text, entry AS type, amount FROM payments.ledger")
    _check_net(found, orders, _by_order(rows, "captured")[0], _by_order(rows, "refunded")[0], "payments")
    for row in sources.rows("payments", "SELECT * FROM payments.audit"):
        found.add(2, f"payments.audit: {dict(row)}")
    found.note(2, f"{sum(times.values())} captures of {sum(captured.values())}, refunded {sum(refunded.values())}")


# 3

def check_stock(sources, found):
    for row in sources.rows("inventory", "SELECT * FROM inventory.stock_audit"):
        found.add(3, f"inventory.stock_audit: {dict(row)}")
    sold = {row["product_id"]: row["quantity"] for row in sources.rows("orders", """
        SELECT i.product_id, sum(i.quantity)::bigint AS quantity
        FROM orders.order_items i JOIN orders.order_list o USING (order_id)
        WHERE o.status = 'CONFIRMED' GROUP BY i.product_id""")}
    products = sources.rows("inventory", "SELECT * FROM inventory.products")
    for product in products:
        name = product["product_id"]
        if product["received"] != product["on_hand"] + product["reserved"] + product["sold"]:
            found.add(3, f"{name}: {dict(product)}")
        if min(product["on_hand"], product["reserved"], product["sold"]) < 0:
            found.add(3, f"{name} has a negative number: {dict(product)}")
        if product["reserved"] != 0:
            found.add(3, f"{name}: {product['reserved']} reserved, though every saga is final")
        if product["sold"] != sold.get(name, 0):
            found.add(3, f"{name}: sold {product['sold']}, CONFIRMED orders hold {sold.get(name, 0)}")
    for name in set(sold) - {product["product_id"] for product in products}:
        found.add(3, f"{name} was sold and is no product")
    found.note(3, f"{len(products)} products, {sum(sold.values())} pieces sold")


# 4: written anew from the meaning of the events, not from the service's own fold

def _items_of(data):
    return [(item["product_id"], item["quantity"], item.get("unit_price")) for item in data["items"]]


def _apply(state, kind, data):
    if kind == "order.created":
        state.update(status="PENDING", customer_id=data["customer_id"], items=_items_of(data))
    elif kind == "order.reserved":
        state.update(status="RESERVED", items=_items_of(data), total=data["total"], currency=data["currency"])
    elif kind in ("order.paid", "payment.captured"):
        state["captured"] = max(state["captured"], data["amount"])
        if kind == "order.paid":
            state["status"] = "PAID"
    elif kind == "payment.refunded":
        state["refunded"] = max(state["refunded"], data["amount"])
    elif kind in ("order.rejected", "order.compensating"):
        state.update(status=kind.split(".")[1].upper(), reason=data["reason"])
    elif kind in ("order.confirmed", "order.cancelled"):
        state["status"] = kind.split(".")[1].upper()
    elif kind not in ("stock.returned", "payment.refused"):
        raise ValueError(f"an event of a type that nobody knows: {kind}")


def fold(events):
    state = {"status": None, "customer_id": None, "items": None, "total": None, "currency": None, "reason": None,
             "captured": 0, "refunded": 0}
    for event in events:
        _apply(state, event["type"], event["data"])
    return state


def _row_of(order, items):
    names = ("status", "customer_id", "total", "currency", "reason", "captured", "refunded")
    return {**{name: order[name] for name in names}, "items": items}


def _young(since):
    """A condition on order_id; since is a datetime."""
    return f"WHERE order_id IN (SELECT order_id FROM orders.order_list WHERE created_at >= '{since.isoformat()}')"


def check_fold(sources, orders, found, since=None):
    items, events = collections.defaultdict(list), collections.defaultdict(list)
    which = _young(since) if since else ""
    for row in sources.rows("orders", f"SELECT *, order_id::text AS id FROM orders.order_items {which} "
                                      "ORDER BY position"):
        items[row["id"]].append((row["product_id"], row["quantity"], row["unit_price"]))
    for row in sources.rows("orders", f"SELECT *, order_id::text AS id FROM orders.order_events {which} ORDER BY seq"):
        events[row["id"]].append(row)
    if since:
        orders = {order_id: order for order_id, order in orders.items() if order["created_at"] >= since}
    for order_id, order in orders.items():
        log = events.pop(order_id, [])
        if [event["seq"] for event in log] != list(range(1, order["version"] + 1)):
            found.add(4, f"{order_id}: version {order['version']}, events {[event['seq'] for event in log]}")
            continue
        folded, row = fold(log), _row_of(order, items[order_id])
        different = {name: (folded[name], row[name]) for name in folded if folded[name] != row[name]}
        if different:
            found.add(4, f"{order_id}: fold and row differ in {different}")
    for order_id in events:
        found.add(4, f"{order_id} has events and no row")
    found.note(4, f"{len(orders)} orders")


# 5

def dead_messages(sources, queues):
    """All that lies in dead queues, and stays there; → [(queue, headers)]."""
    found = []
    for queue in queues:
        if queue["name"].endswith(".dead") and queue.get("messages", 0) > 0:
            body = {"count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": 1000}
            for message in sources.management.must("POST", "queues", sources.vhost, queue["name"], "get", body=body):
                found.append((queue["name"], message["properties"].get("headers") or {}))
    return found


def not_empty(queues):
    """Those that hold messages and should not at rest."""
    return [queue for queue in queues if queue.get("messages", 0) > 0
            and not queue["name"].endswith(".dead") and ".reply." not in queue["name"]]


def check_quiet(sources, found):
    inboxes = 0
    for database in sources.urls:
        for row in sources.rows(database, "SELECT id, type, attempts, unroutable FROM bus.outbox LIMIT 20"):
            found.add(5, f"the outbox of {database} holds {dict(row)}")
        counts = sources.rows(database, "SELECT count(*) AS rows, count(DISTINCT message_id) AS ids FROM bus.inbox")[0]
        inboxes += counts["rows"]
        if counts["rows"] != counts["ids"]:
            found.add(5, f"the inbox of {database} holds an id twice")
    queues = sources.queues()
    deadline = time.monotonic() + COUNTED_SECONDS
    while (lying := not_empty(queues)) and time.monotonic() < deadline:
        time.sleep(0.5)
        queues = sources.queues()
    for queue in lying:
        found.add(5, f"{queue['messages']} messages lie in {queue['name']}")
    dead = dead_messages(sources, queues)
    for name, headers in dead:
        if not headers.get(CAUSE):
            found.add(5, f"a message without a cause lies in {name}: {headers}")
    found.note(5, f"{inboxes} inbox ids, {len(dead)} dead, each with its cause")


# All of them

def check(sources, since=None):
    """since: the logs of older orders are not read again."""
    found = Findings()
    orders = {row["id"]: row for row in sources.rows("orders", "SELECT *, order_id::text AS id FROM orders.order_list")}
    check_accepted(sources, orders, found)
    check_money(sources, orders, found)
    check_stock(sources, found)
    check_fold(sources, orders, found, since)
    check_quiet(sources, found)
    return found


def is_at_rest(sources):
    pending = [row for name in sources.urls for row in sources.rows(name, "SELECT 1 FROM bus.outbox LIMIT 1")]
    pending += sources.rows("orders", "SELECT 1 FROM orders.order_list WHERE NOT (final AND payment_settled) LIMIT 1")
    pending += sources.rows("payments", "SELECT 1 FROM payments.payments WHERE next_attempt_at IS NOT NULL LIMIT 1")
    if pending:
        return False
    known = {row["id"] for row in sources.rows("orders", "SELECT order_id::text AS id FROM orders.orders")}
    if not set(sources.accepted) <= known:
        return False
    return not not_empty(sources.queues())


def check_at_rest(sources, seconds, since=None):
    """Waits until nothing is under way any more, at most so long; then checks."""
    deadline = time.monotonic() + seconds
    while not is_at_rest(sources) and time.monotonic() < deadline:
        time.sleep(0.2)
    found = check(sources, since)
    deadline = time.monotonic() + TOLD_LATE
    while found.only(5) and time.monotonic() < deadline:
        time.sleep(0.5)
        found = check(sources, since)
    return found


# The program

class _KnownStack:
    """What Sources.of_stack needs of a stack that another process started."""

    def __init__(self, folder):
        from dev import services, session
        os.environ["ORDERBUS_STATE"] = folder
        self._stack = session.known()
        if self._stack is None:
            from dev.stack import Stack
            self._stack = Stack(folder)
        self.ledger = lambda: services.ledger_file(self._stack.state)

    def __getattr__(self, name):
        return getattr(self._stack, name)


def _sources_of(options):
    accepted = []
    if options.accepted:
        with open(options.accepted, encoding="utf-8") as file:
            accepted = [line.strip() for line in file if line.strip()]
    if options.state:
        return Sources.of_stack(_KnownStack(options.state), accepted)
    urls = {"orders": options.orders, "inventory": options.inventory, "payments": options.payments}
    if not (all(urls.values()) and options.ledger and options.management):
        raise SystemExit("give --state, or all of --orders --inventory --payments --ledger --management")
    return Sources(urls, options.ledger, Management.from_url(options.management), options.vhost, accepted)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="invariants", description="Checks the invariants of an order system.")
    for name in ("state", "orders", "inventory", "payments", "ledger", "management", "accepted"):
        parser.add_argument("--" + name)
    parser.add_argument("--vhost", default="orderbus")
    parser.add_argument("--wait", type=float, default=0)
    options = parser.parse_args(arguments)
    if options.state and not State(os.path.abspath(options.state)).exists():
        parser.error(f"{options.state} is no state folder of a stack")
    found = check_at_rest(_sources_of(options), options.wait)
    for line in found.lines():
        print(line)
    return 1 if found.violations() else 0


if __name__ == "__main__":
    sys.exit(main())
