"""The five invariants of the order system, read from the databases, the payment provider's ledger and the broker. ./dev
invariants prints them."""
import collections
import json
import os
import time

import psycopg2
import psycopg2.extras

from dev import manifests
from dev.report import DevError

from chaos.findings import Findings
from chaos.fold import check_fold

FINAL = ("CONFIRMED", "REJECTED", "CANCELLED")
COUNTED_SECONDS = 7  # a broker counts what lies in a quorum queue every 5 s
TOLD_LATE = 15  # seconds: the management API tells how long a queue was some time ago
CAUSE = "bus-cause"
DEAD_MAX, DEAD_SECONDS = 1_000_000, 300  # messages of a dead queue, and how long reading these may take
OPEN_SECONDS = 120  # a saga that takes longer is stuck; so is an outbox row


def read_ledger(path):
    """The payment provider's own record; the last line may be half written while it runs."""
    found = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    found.append(json.loads(line))
    return found


def _fetched(cursor, sql):
    cursor.execute(sql)
    return cursor.fetchall()


class Sources:
    """Sources of a check. accepted: ids of orders that got a 2xx; cancelled: ids of those whose cancel got one; lost:
    ids of orders that a restored database does not have, and whose stock and money must be back."""

    def __init__(self, urls, ledger, management, vhost, accepted=(), cancelled=(), lost=()):
        self.urls = urls
        self.ledger = ledger
        self.management = management
        self.vhost = vhost
        self.accepted = accepted
        self.cancelled = cancelled
        self.lost = frozenset(lost)

    @classmethod
    def of_stack(cls, stack, accepted=(), cancelled=(), lost=()):
        urls = {name: stack.database_url(name) for name in manifests.DATABASES}
        return cls(urls, stack.ledger(), stack.broker.management, stack.broker.admin.path, accepted,
                   cancelled, lost)

    def rows(self, database, sql):
        return self.snapshot(database, sql)[0]

    def snapshot(self, database, *queries):
        """The rows of each query, all as of one moment."""
        connection = psycopg2.connect(self.urls[database], connect_timeout=5)
        try:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                return [_fetched(cursor, sql) for sql in queries]
        finally:
            connection.close()

    def queues(self):
        """With as many messages as each queue itself has counted, not as the statistics show it later still."""
        return self.management.must("GET", "queues", self.vhost, query="?disable_stats=true&enable_queue_totals=true")


# 1

def check_accepted(sources, orders, found, at_rest=True):
    if at_rest:
        for order_id in sources.accepted:
            if order_id not in orders:
                found.add(1, f"{order_id} was accepted and is not there")
    for order_id, order in orders.items():
        waits = order["status"] == "AWAITING_PAYMENT" and order["age"] < 0
        if order["status"] not in FINAL and not waits and (at_rest or order["age"] > OPEN_SECONDS):
            found.add(1, f"{order_id} is {order['status']} since {order['updated_at']}")
    for order_id in sources.cancelled:
        if orders.get(order_id, {}).get("status") == "CONFIRMED":
            found.add(1, f"{order_id} is CONFIRMED though its cancel was accepted")
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


class _Books:
    """Captures and refunds by order, as they stand at one moment."""

    def __init__(self, lines):
        self.captured, self.times = _by_order(lines, "captured")
        self.refunded, _ = _by_order(lines, "refunded")


def read_books(sources):
    """→ {whose: _Books}"""
    rows = sources.rows("payments", """
        SELECT coalesce(p.attempt_of, l.order_id)::text AS order_id, l.entry AS type, l.amount
        FROM payments.ledger l LEFT JOIN payments.payments p ON p.order_id = l.order_id""")
    return {"the provider": _Books(read_ledger(sources.ledger)), "payments": _Books(rows)}


def _given_back(sources):
    """→ Counter: what operators refunded of each order, or will"""
    rows = sources.rows("payments", """
        SELECT coalesce(p.attempt_of, r.order_id)::text AS order_id, r.amount
        FROM payments.refunds r JOIN payments.payments p ON p.order_id = r.order_id""")
    given = collections.Counter()
    for row in rows:
        given[row["order_id"]] += row["amount"]
    return given


def _check_net(found, orders, lost, whose, before, after, given, at_rest):
    """An order is there before money moves for it, and is settled only when all its money has moved; but refunds of
    operators may be under way."""
    for order_id in set(before.captured) | set(before.refunded):
        net = after.captured[order_id] - after.refunded[order_id]
        if order_id not in orders and (net != 0 or order_id not in lost):
            found.add(2, f"{whose}: money moved for {order_id}, which is no order, net {net}")
    for order_id, order in orders.items():
        if order["status"] not in FINAL or not (at_rest or order["payment_settled"]):
            continue
        most = order["total"] if order["status"] == "CONFIRMED" else 0
        least = most - given[order_id] if order["status"] == "CONFIRMED" else 0
        net = after.captured[order_id] - after.refunded[order_id]
        if not least <= net <= (least if at_rest else most):
            found.add(2, f"{whose}: {order_id} is {order['status']}, net {net}, expected {least}")


def check_money(sources, orders, before, found, at_rest=True):
    """before: the books as they stood before the orders were read."""
    after = read_books(sources)
    given = _given_back(sources)
    for whose, books in after.items():
        _check_net(found, orders, sources.lost, whose, before[whose], books, given, at_rest)
    for order_id, order in orders.items():
        if at_rest and order["status"] == "CONFIRMED" and order["refunded"] != given[order_id]:
            found.add(2, f"{order_id} shows {order['refunded']} refunded, operators refunded {given[order_id]}")
    provider = after["the provider"]
    for order_id, count in provider.times.items():
        if count > 1:
            found.add(2, f"the provider captured {order_id} {count} times")
    for row in sources.rows("payments", "SELECT * FROM payments.audit"):
        found.add(2, f"payments.audit: {dict(row)}")
    found.note(2, f"{sum(provider.times.values())} captures of {sum(provider.captured.values())}, "
                  f"refunded {sum(provider.refunded.values())}")


# 3

def held_by_confirmed(sources):
    """→ Counter: what CONFIRMED orders hold of each product, but for those whose stock was missing"""
    return collections.Counter({row["product_id"]: row["quantity"] for row in sources.rows("orders", """
        SELECT i.product_id, sum(i.quantity)::bigint AS quantity
        FROM orders.order_items i JOIN orders.order_list o USING (order_id)
        WHERE o.status = 'CONFIRMED' AND NOT EXISTS (
            SELECT FROM orders.all_events e WHERE e.order_id = o.order_id AND e.type = 'stock.missing')
        GROUP BY i.product_id""")})


def products_of(sources):
    """→ the products, with what reservations without an order hold of each: own_reserved, own_sold"""
    return sources.rows("inventory", """
        SELECT p.*, coalesce(own.reserved, 0) AS own_reserved, coalesce(own.sold, 0) AS own_sold
        FROM inventory.products p LEFT JOIN (
            SELECT held.product_id, (sum(held.quantity) FILTER (WHERE r.state = 'RESERVED'))::bigint AS reserved,
                   (sum(held.quantity) FILTER (WHERE r.state = 'COMMITTED'))::bigint AS sold
            FROM inventory.reservation_items held JOIN inventory.reservations r USING (order_id)
            WHERE r.expires_at IS NOT NULL GROUP BY held.product_id) own USING (product_id)""")


def put_back(sources):
    """→ Counter: what operators put back into stock of each product, of orders that are there"""
    found = collections.Counter()
    for row in sources.rows("inventory", """SELECT order_id::text, product_id, quantity
                                            FROM inventory.reservation_items WHERE state = 'RETURNED'"""):
        if row["order_id"] not in sources.lost:
            found[row["product_id"]] += row["quantity"]
    return found


def held_by_unpaid(sources):
    """→ Counter: what orders that await their payment hold of each product"""
    return collections.Counter({row["product_id"]: row["quantity"] for row in sources.rows("orders", """
        SELECT i.product_id, sum(i.quantity)::bigint AS quantity
        FROM orders.order_items i JOIN orders.order_list o USING (order_id)
        WHERE o.status = 'AWAITING_PAYMENT' GROUP BY i.product_id""")})


def check_stock(sources, found, at_rest=True):
    """An order is CONFIRMED before its stock is sold: until that message is processed its stock is still reserved."""
    for row in sources.rows("inventory", "SELECT * FROM inventory.stock_audit"):
        found.add(3, f"inventory.stock_audit: {dict(row)}")
    back = put_back(sources)
    least = held_by_confirmed(sources)
    products = products_of(sources)
    most = held_by_confirmed(sources) - back
    least -= put_back(sources)
    unpaid = held_by_unpaid(sources) if at_rest else None
    for product in products:
        name = product["product_id"]
        if product["received"] != product["on_hand"] + product["reserved"] + product["sold"]:
            found.add(3, f"{name}: {dict(product)}")
        if min(product["on_hand"], product["reserved"], product["sold"]) < 0:
            found.add(3, f"{name} has a negative number: {dict(product)}")
        reserved, sold = product["reserved"] - product["own_reserved"], product["sold"] - product["own_sold"]
        if at_rest and reserved != unpaid[name]:
            found.add(3, f"{name}: {reserved} reserved for orders, and {unpaid[name]} held by open ones")
        if sold + (0 if at_rest else reserved) < least[name]:
            found.add(3, f"{name}: sold {sold}, CONFIRMED orders hold {least[name]}")
        if sold > most[name]:
            found.add(3, f"{name}: sold {sold}, orders hold {most[name]} at most")
    for name in set(least) - {product["product_id"] for product in products}:
        found.add(3, f"{name} was sold and is no product")
    found.note(3, f"{len(products)} products, {sum(product['sold'] for product in products)} pieces sold")


# 5

def dead_messages(sources, queues):
    """All that lies in dead queues, and stays there; → [(queue, headers)]. One request reads a whole queue: what is
    requeued comes first again in the next."""
    found = []
    body = {"count": DEAD_MAX, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": 1}
    for queue in queues:
        if not queue["name"].endswith(".dead") or queue.get("messages", 0) == 0:
            continue
        messages = sources.management.must("POST", "queues", sources.vhost, queue["name"], "get", body=body,
                                           seconds=DEAD_SECONDS)
        if len(messages) >= DEAD_MAX:
            raise DevError(f"{queue['name']} holds {DEAD_MAX} messages or more: too many to look at each")
        found += [(queue["name"], message["properties"].get("headers") or {}) for message in messages]
    return found


def is_of_process(name):
    """A queue of one process, which is deleted with its connection: answers to it, or what it listens to."""
    return ".reply." in name or ".event." in name


def not_empty(queues):
    """Those that hold messages and should not at rest."""
    return [queue for queue in queues if queue.get("messages", 0) > 0
            and not queue["name"].endswith(".dead") and not is_of_process(queue["name"])]


def check_queues(sources, found):
    """→ the queues, once those that work is taken from are empty, or known not to be."""
    queues = sources.queues()
    deadline = time.monotonic() + COUNTED_SECONDS
    while (lying := not_empty(queues)) and time.monotonic() < deadline:
        time.sleep(0.5)
        queues = sources.queues()
    for queue in lying:
        found.add(5, f"{queue['messages']} messages lie in {queue['name']}")
    return queues


def check_quiet(sources, found, at_rest=True):
    inboxes = 0
    old = "" if at_rest else f"WHERE created_at < now() - interval '{OPEN_SECONDS} s'"
    for database in sources.urls:
        for row in sources.rows(database, f"SELECT id, type, attempts, unroutable FROM bus.outbox {old} LIMIT 20"):
            found.add(5, f"the outbox of {database} holds {dict(row)}")
        counts = sources.rows(database, "SELECT count(*) AS rows, count(DISTINCT message_id) AS ids FROM bus.inbox")[0]
        inboxes += counts["rows"]
        if counts["rows"] != counts["ids"]:
            found.add(5, f"the inbox of {database} holds an id twice")
    dead = dead_messages(sources, check_queues(sources, found) if at_rest else sources.queues())
    for name, headers in dead:
        if not headers.get(CAUSE):
            found.add(5, f"a message without a cause lies in {name}: {headers}")
    found.note(5, f"{inboxes} inbox ids, {len(dead)} dead, each with its cause")


# All of them

def check(sources, since=None, at_rest=True):
    """since: the logs of older orders are not read again. at_rest: what holds only at rest must hold, too."""
    found = Findings()
    books = read_books(sources)
    orders = {row["id"]: row for row in sources.rows("orders", """
        SELECT *, order_id::text AS id, extract(epoch FROM now() - CASE status WHEN 'AWAITING_PAYMENT' THEN deadline
                                                WHEN 'COMPENSATING' THEN updated_at ELSE created_at END) AS age
        FROM orders.order_list""")}
    check_accepted(sources, orders, found, at_rest)
    check_money(sources, orders, books, found, at_rest)
    check_stock(sources, found, at_rest)
    check_fold(sources, found, since)
    check_quiet(sources, found, at_rest)
    return found


def check_running(sources, passes=3, pause=1):
    """Checks what holds at any moment. The databases cannot be read at one and the same moment, so a violation counts
    only if every pass finds it. → the findings of the last pass"""
    found = check(sources, at_rest=False)
    lasting = found.texts()
    for _ in range(passes - 1):
        if not lasting:
            break
        time.sleep(pause)
        found = check(sources, at_rest=False)
        lasting &= found.texts()
    found.keep(lasting)
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
