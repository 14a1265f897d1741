"""order-svc's statements: prepared as its role, planned by index, over many rows and over none; carried out and their
results looked at; and what its role may not do."""
import datetime
import json
import re
import subprocess
import uuid

import psycopg2
import pytest

from testkit import plans

GROWING = {"orders", "order_events", "tombstones", "inbox", "outbox"}
SERVICE = "order-svc"
ORDERS = 100_000
HASH = "0123456789abcdef" * 4

# Open orders are few; of the final ones most are confirmed. Each customer has some; one has very many.
FILL = f"""
INSERT INTO orders.orders (order_id, customer_id, product_ids, quantities, request_hash, created_at, updated_at, status,
                           reason, unit_prices, total, currency, version, captured, refunded, stock_settled,
                           payment_settled, deadline, due_at, resends, payment_token, pay_later)
SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'anonymous' ELSE 'c-' || n % 997 END, '{{SKU-1,SKU-2}}', '{{1,2}}',
       '{HASH}', at, at, status, CASE WHEN status IN (3, 5, 6) THEN 'why' END,
       CASE WHEN priced THEN '{{100,100}}'::bigint[] END, CASE WHEN priced THEN 300 END,
       CASE WHEN priced THEN 'EUR' END, 4, CASE WHEN status IN (2, 4) THEN 300 ELSE 0 END, 0, status >= 4, status >= 4,
       CASE WHEN status < 4 OR status = 7 THEN at + interval '1 minute' END,
       CASE WHEN status < 4 OR status = 7 THEN at + interval '1 minute' END, 0,
       CASE WHEN status = 0 THEN 'pm_card_visa' END, status = 7
FROM (SELECT n, now() - n * interval '1 second' AS at, status, status IN (1, 2, 4, 7) AS priced
      FROM (SELECT n, (CASE WHEN n <= 1000 THEN n % 4 WHEN n % 10 = 0 THEN 5 WHEN n % 10 = 1 THEN 6
                            WHEN n % 1000 = 2 THEN 7 ELSE 4 END)::smallint AS status
            FROM generate_series(1, {ORDERS}) AS n) AS numbered) AS generated;

INSERT INTO orders.order_events (order_id, seq, type, at, data)
SELECT order_id, seq, 'order.paid', created_at, '{{"amount":300}}' FROM orders.orders, generate_series(1, 4) AS seq;

INSERT INTO orders.tombstones (order_id, received_at)
SELECT order_id, created_at FROM orders.orders WHERE status = 6;
"""


@pytest.fixture(scope="module")
def database():
    made = plans.Database("orders", "order_svc")
    yield made
    made.drop()


@pytest.fixture(scope="module")
def filled():
    made = plans.Database("orders", "order_svc")
    with made.superuser() as connection, connection.cursor() as cursor:
        cursor.execute(FILL)
    plans.analyze(made)
    yield made
    made.drop()


def test_plans_over_many_rows(filled):
    plans.assert_indexed(filled, SERVICE, GROWING)


def statement_with(*words):
    found = [one for one in plans.statements(SERVICE) if all(word in one.sql for word in words)]
    assert len(found) == 1, (words, found)
    return found[0]


def run(database, statement, values, analyze=False):
    """The statement's rows as the runtime role (rolled back), or its plan with what was really read."""
    connection = database.runtime()
    try:
        with connection.cursor() as cursor:
            plans.prepare(cursor, statement)
            text, given = plans.execute_text(statement, values)
            explain = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, FORMAT JSON) " if analyze else ""
            cursor.execute(explain + text, given)
            rows = cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
    if not analyze:
        return rows
    tree = rows[0][0]
    return (json.loads(tree) if isinstance(tree, str) else tree)[0]["Plan"]


LAST = datetime.datetime(9999, 12, 31, tzinfo=datetime.timezone.utc)
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
PLACE, ID, CREATED = 0, 1, 8  # columns of a page
LIST_ALL = ("LATERAL", "c.shelf", "(status, before")
LIST_CUSTOMER = ("LATERAL", "c.shelf", "c.customer_id")


def page(database, customer=None, status=None, before=(LAST, LAST_ID), limit=10, analyze=False):
    values = [[status], [before[0]], [before[1]], [limit]]
    if customer is None:
        return run(database, statement_with(*LIST_ALL), values, analyze)
    return run(database, statement_with(*LIST_CUSTOMER), [[customer], *values], analyze)


def expected_page(database, customer, status, limit, before=None):
    with database.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT order_id::text FROM orders.orders WHERE (%s IS NULL OR customer_id = %s)"
                       " AND (%s IS NULL OR status = %s)"
                       " AND (%s::timestamptz IS NULL OR (created_at, order_id) < (%s, %s::uuid))"
                       " ORDER BY created_at DESC, order_id DESC LIMIT %s",
                       (customer, customer, status, status, *((before[0],) * 2 if before else (None, None)),
                        before[1] if before else None, limit))
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("customer", [None, "anonymous", "c-7", "nobody"])
@pytest.mark.parametrize("status", [None, 0, 3, 4, 5, 6, 7])
def test_pages_hold_the_newest_and_follow_on(filled, customer, status):
    found = page(filled, customer, status)
    assert [row[ID] for row in found] == expected_page(filled, customer, status, 10)
    assert all(row[PLACE] == 1 for row in found)
    if found:
        cursor = (found[-1][CREATED], found[-1][ID])
        following = page(filled, customer, status, cursor)
        assert [row[ID] for row in following] == expected_page(filled, customer, status, 10, cursor)


def blocks(tree):
    return tree["Shared Hit Blocks"] + tree["Shared Read Blocks"]


@pytest.mark.parametrize("customer", [None, "anonymous", "c-7", "nobody"])
@pytest.mark.parametrize("status", [None, 4, 5, 6])
def test_a_page_reads_little(filled, customer, status):
    """Ten rows of each of five shelves, a few index pages each: never the table."""
    assert blocks(page(filled, customer, status, analyze=True)) < 120


@pytest.mark.parametrize("customer", [None, "anonymous", "c-7"])
def test_a_page_of_open_orders_reads_no_more_than_these(filled, customer):
    """They are few: the gate before order.place sees to it."""
    assert blocks(page(filled, customer, 2, analyze=True)) < 1200


def test_unpaid_orders_are_counted_by_their_own_index(filled):
    unpaid = statement_with("pay_later AND")
    rows = run(filled, unpaid, [5, 10000, ["anonymous", "nobody"]])
    assert rows == [("anonymous", 5, 99), ("nobody", 0, 99)]
    assert blocks(run(filled, unpaid, [5, 10000, ["anonymous", "nobody"]], analyze=True)) < 300


def test_deadlines_and_the_gate_read_little(filled):
    due = statement_with("due_at <= now() ORDER")
    assert len(run(filled, due, [10])) == 10
    assert blocks(run(filled, due, [10], analyze=True)) < 40
    gate = statement_with("count(*)", "status <= 1")
    (count, late), = run(filled, gate, [100_000, 0, 0, 100_000])
    assert count == 500, "half of them wait only to be undone, or are PAID since the release before"
    assert 471 <= late <= 500, "half of them are neither paid nor undone, some of these not yet due"
    assert run(filled, gate, [100, 1_000_000_000, 0, 100]) == [(50, 50)]
    assert blocks(run(filled, gate, [100, 0, 0, 100], analyze=True)) < 300


def test_tombstones_are_found_and_purged_by_index(filled):
    """Few are old at once: a purge is one range of the index, and a batch looks up its own orders alone."""
    with filled.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(order_id::text) FROM orders.tombstones")
        count, order = cursor.fetchone()
    assert count > 1000
    find, purge = statement_with("FROM orders.tombstones t WHERE t.order_id"), statement_with("DELETE FROM orders.tom")
    assert run(filled, find, [[order]]) == [(order, None, None)]
    assert blocks(run(filled, find, [[order, str(uuid.uuid4())]], analyze=True)) < 20
    assert run(filled, purge, [168], analyze=True)["Plans"][0]["Actual Rows"] == 0
    assert blocks(run(filled, purge, [168], analyze=True)) < 20


@pytest.mark.parametrize("values, code", [
    ("gen_random_uuid(), '', NULL", "23514"),
    ("gen_random_uuid(), repeat('x', 65), NULL", "23514"),
    ("gen_random_uuid(), NULL, repeat('x', 201)", "23514"),
    ("NULL, NULL, NULL", "23502"),
])
def test_tombstones_refuse(database, values, code):
    refused(database, f"INSERT INTO orders.tombstones (order_id, customer_id, reason) VALUES ({values})", code)


def test_z1_a_query_sees_only_the_askers_own(filled):
    with filled.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT order_id::text FROM orders.orders WHERE customer_id = 'c-7' LIMIT 1")
        order = cursor.fetchone()[0]
    get, events = statement_with("FROM unnest($1, $2) WITH ORDINALITY"), statement_with("all_events v")
    owners = [None, "c-7", "c-8", "anonymous"]
    assert [row[PLACE] for row in run(filled, get, [[order] * 4, owners])] == [1, 2]
    rows = run(filled, events, [[order] * 4, owners, [0, 2, 0, 0], [3] * 4])
    assert [(row[0], row[1]) for row in rows] == [(1, 1), (1, 2), (1, 3), (2, 3), (2, 4)]


def test_events_behind_the_last_one_are_none_but_the_order_is_found(filled):
    with filled.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT order_id::text FROM orders.orders LIMIT 1")
        order = cursor.fetchone()[0]
    rows = run(filled, statement_with("all_events v"), [[order, str(uuid.uuid4())], [None] * 2, [9] * 2, [10] * 2])
    assert rows == [(1, None, None, None, None)]


# ---- steps of an open order touch no index ----

def test_steps_are_hot(database):
    """Placed, reserved, confirmed: the step between is a heap-only update, also where pages fill up."""
    insert = statement_with("INSERT INTO orders.orders")
    update = statement_with("UPDATE orders.orders")
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    count = 400
    ids = [str(uuid.uuid4()) for _ in range(count)]

    def row(status, version):
        priced, final = status in (1, 4), status >= 4
        return {
            "customer_id": "c-1", "request_hash": HASH, "created_at": now, "status": status, "version": version,
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "causation_id": str(uuid.uuid4()), "tracestate": "rojo=00f067aa0ba902b7",
            "total": 300 if priced else None, "currency": "EUR" if priced else None,
            "updated_at": now + datetime.timedelta(seconds=version), "captured": 300 if status == 4 else 0,
            "refunded": 0, "stock_settled": final, "payment_settled": final, "resends": 0,
            "deadline": None if final else now + datetime.timedelta(seconds=60 + version),
            "due_at": None if final else now + datetime.timedelta(seconds=30),
            "payment_token": "pm_card_visa" if status == 0 else None, "pay_later": False, "attempts": 0}

    def given(statement, status, version):
        """A value for each parameter, by the names that the statement gives them; the lists' items last."""
        names = re.search(r" AS n \(([^)]*)\)", statement.sql)[1].split(", ")
        lists = {"order_id": ids, "items_first": list(range(1, 2 * count, 2)),
                 "items_last": list(range(2, 2 * count + 1, 2))}
        values = [lists.get(name) or [row(status, version).get(name)] * count for name in names]
        items = [["SKU-00001", "SKU-00002"] * count, [1, 2] * count, [100 if status else None] * 2 * count]
        return values + items[-(len(statement.params) - len(names)):]

    connection = database.runtime()
    connection.autocommit = True
    with connection.cursor() as cursor:
        plans.prepare(cursor, insert)
        plans.prepare(cursor, update)
        cursor.execute(*plans.execute_text(insert, given(insert, 0, 1)))
        for status, version in ((1, 2), (4, 3)):
            cursor.execute(*plans.execute_text(update, given(update, status, version)))
            assert cursor.rowcount == count
    connection.close()
    with database.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.2)")  # statistics are sent once a second
        cursor.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
                       " WHERE relid = 'orders.orders'::regclass")
        updates, hot = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM orders.orders WHERE shelf = 4 AND due_at IS NULL AND version = 3")
        assert cursor.fetchone()[0] == count
        cursor.execute("TRUNCATE orders.orders")
    print(f"-- {hot} of {updates} updates were heap-only")
    assert updates == 2 * count
    assert hot >= count * 0.9


# ---- what may not be ----

def refused(database, text, code):
    connection = database.runtime()
    try:
        with connection.cursor() as cursor, pytest.raises(psycopg2.Error) as caught:
            cursor.execute(text)
        assert caught.value.pgcode == code, caught.value
    finally:
        connection.close()


@pytest.mark.parametrize("text", [
    "DELETE FROM orders.orders",
    "TRUNCATE orders.orders",
    "UPDATE orders.orders SET customer_id = 'x'",
    "UPDATE orders.orders SET order_id = gen_random_uuid()",
    "UPDATE orders.orders SET product_ids = '{}'",
    "UPDATE orders.orders SET created_at = now()",
    "UPDATE orders.orders SET request_hash = ''",
    "UPDATE orders.tombstones SET received_at = now()",
    "TRUNCATE orders.tombstones",
    "SELECT * FROM orders.audit_lines",
    "CREATE TABLE public.mine ()",
    "CREATE TABLE orders.mine ()",
    "CREATE SCHEMA mine",
    "UPDATE sqitch.changes SET note = ''",
])
def test_d1_the_role_may_not(database, text):
    refused(database, text, "42501")


@pytest.mark.parametrize("text", [
    "UPDATE orders.order_events SET data = '{}'",
    "UPDATE orders.order_events SET seq = 1",
    "DELETE FROM orders.order_events",
    "TRUNCATE orders.order_events",
    "UPDATE bus.inbox SET received_at = now()",
    "UPDATE bus.parked SET cause = ''",
    "DELETE FROM bus.parked",
])
def test_d2_the_log_is_append_only(database, text):
    refused(database, text, "42501")


ROW = {"order_id": "gen_random_uuid()", "customer_id": "'c-1'", "status": "0", "stock_settled": "false",
       "payment_settled": "false", "version": "1", "created_at": "now()", "updated_at": "now()", "reason": "NULL",
       "product_ids": "'{a,b}'", "quantities": "'{1,1000}'", "unit_prices": "NULL", "expected_total": "NULL",
       "total": "NULL", "currency": "NULL", "captured": "0", "refunded": "0", "request_hash": f"'{HASH}'",
       "deadline": "now()", "due_at": "now()", "resends": "0", "payment_token": "'t'", "reply_to": "NULL",
       "request_id": "NULL", "reply_until": "NULL", "traceparent": "NULL"}
RESERVED = {"status": "1", "payment_token": "NULL", "unit_prices": "'{0,0}'", "total": "0", "currency": "'EUR'"}
FINAL = {"payment_token": "NULL", "deadline": "NULL", "due_at": "NULL", "stock_settled": "true",
         "payment_settled": "true"}
CANCELLED = FINAL | {"status": "6", "reason": "'why'"}


def insertion(changes):
    row = ROW | changes
    return f"INSERT INTO orders.orders ({', '.join(row)}) VALUES ({', '.join(row.values())})"


@pytest.mark.parametrize("changes", [
    {}, RESERVED, CANCELLED,
    {"expected_total": "1000000000000", "customer_id": "repeat('x', 64)", "payment_token": "repeat('x', 128)"},
    {"product_ids": "array_fill(repeat('x', 64), '{100}')", "quantities": "array_fill(1000::bigint, '{100}')"},
    {"reply_to": "'edge.reply.1'", "reply_until": "now()", "request_id": "gen_random_uuid()"},
    RESERVED | {"status": "3", "reason": "repeat('x', 256)", "total": "1000000000000"},
])
def test_orders_take(database, changes):
    connection = database.runtime()
    with connection.cursor() as cursor:
        cursor.execute(insertion(changes))
    connection.close()


@pytest.mark.parametrize("changes", [
    {"status": "7"}, {"status": "-1"}, {"version": "0"}, {"customer_id": "''"}, {"customer_id": "repeat('x', 65)"},
    {"product_ids": "'{}'", "quantities": "'{}'"}, {"quantities": "'{1}'"}, {"quantities": "'{0,1}'"},
    {"quantities": "'{1,1001}'"}, {"expected_total": "-1"}, {"expected_total": "1000000000001"},
    {"request_hash": "'abc'"}, {"captured": "-1"}, {"refunded": "1000000000001"}, {"resends": "-1"},
    {"payment_token": "NULL"},                                    # PENDING will need it
    RESERVED | {"payment_token": "'t'"},                          # and nobody else
    {"total": "1", "currency": "'EUR'", "unit_prices": "'{0,0}'"},  # no prices before RESERVED
    RESERVED | {"total": "NULL", "currency": "NULL", "unit_prices": "NULL"},
    RESERVED | {"currency": "NULL"}, RESERVED | {"currency": "'EURO'"}, RESERVED | {"unit_prices": "'{1}'"},
    RESERVED | {"status": "2", "total": "5"},                     # paid, and nothing was captured
    RESERVED | {"status": "3"},                                   # no reason
    {"reason": "'why'"},                                          # and no reason without cause
    {"deadline": "NULL"}, {"due_at": "NULL"}, {"due_at": "now() + interval '1 second'"},
    CANCELLED | {"deadline": "now()"}, CANCELLED | {"stock_settled": "false"},
    RESERVED | {"status": "3", "reason": "'why'", "stock_settled": "true", "payment_settled": "true"},
    {"reply_to": "'edge.reply.1'"}, {"updated_at": "now() - interval '1 second'"}, {"traceparent": "'00-1'"},
])
def test_orders_refuse(database, changes):
    refused(database, insertion(changes), "23514")


# ---- the audit ----

def test_the_audit_reads_a_line_of_the_view(database):
    """A row that is the fold of its log, and one that is not."""
    data = json.dumps({"customer_id": "c-1", "items": [{"product_id": "SKU-1", "quantity": 2}], "request_hash": HASH})
    with database.superuser() as connection, connection.cursor() as cursor:
        for quantity in (2, 3):
            order = str(uuid.uuid4())
            cursor.execute(
                "INSERT INTO orders.orders (order_id, customer_id, product_ids, quantities, request_hash, created_at,"
                " updated_at, status, version, captured, refunded, stock_settled, payment_settled, deadline, due_at,"
                " resends, payment_token) SELECT %s, 'c-1', ARRAY['SKU-1'], ARRAY[%s]::bigint[], %s, t, t, 0, 1, 0, 0,"
                " false, false, t, t, 0, 'pm_card_visa'"
                " FROM (SELECT timestamptz '2026-01-01 10:00:00.000001+02' AS t) AS n",
                (order, quantity, HASH))
            cursor.execute("INSERT INTO orders.order_events VALUES (%s, 1, 'order.created',"
                           " '2026-01-01 10:00:00.000001+02', %s)", (order, data))
            cursor.execute("SELECT line FROM orders.audit_lines WHERE order_id = %s", (order,))
            done = subprocess.run([plans.program("order-audit")], input=cursor.fetchone()[0] + "\n", text=True,
                                  capture_output=True, timeout=30, check=False)
            assert (done.returncode, done.stdout) == ((0, "") if quantity == 2 else (
                1, f"line 1: {order}: items: log SKU-1 2 null, row SKU-1 3 null\n"))
