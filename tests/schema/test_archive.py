"""Events of old orders in the archive: moved once, whole, in order; read with the rest; orders themselves stay."""
import psycopg2
import pytest

from testkit import plans

ORDERS = 2500  # more than two batches of each shelf
PLACED = """
INSERT INTO orders.orders (order_id, customer_id, product_ids, quantities, request_hash, created_at, updated_at, status,
                           reason, version, captured, refunded, stock_settled, payment_settled, deadline, due_at,
                           resends, payment_token)
SELECT md5(status || ' ' || n)::uuid, 'c', '{SKU-1}', '{1}', repeat('0', 64), now() - n * interval '1 hour', now(),
       status, CASE WHEN status = 5 THEN 'why' END, 2, 0, 0, status = 5, status = 5,
       CASE WHEN status = 0 THEN now() END, CASE WHEN status = 0 THEN now() END, 0,
       CASE WHEN status = 0 THEN 'pm_card_visa' END
FROM generate_series(1, %(orders)s) AS n CROSS JOIN (VALUES (0::smallint), (5::smallint)) AS s (status);
INSERT INTO orders.order_events (order_id, seq, type, at, data)
SELECT order_id, seq, CASE seq WHEN 1 THEN 'order.created' ELSE 'order.rejected' END, created_at, '{"n":1}'
FROM orders.orders CROSS JOIN generate_series(1, 2) AS seq
"""
COUNTS = """SELECT (SELECT count(*) FROM orders.order_events), (SELECT count(*) FROM orders.archived_events),
                   (SELECT count(*) FROM orders.all_events), (SELECT count(*) FROM orders.orders)"""

SUM = "SELECT md5(string_agg(e::text, ',' ORDER BY order_id, seq)) FROM orders.all_events e"


@pytest.fixture(name="database", scope="module")
def fixture_database():
    made = plans.Database("orders", "order_svc")
    run(made, PLACED, {"orders": ORDERS})
    yield made
    made.drop()


def run(database, sql, values=None):
    connection = database.superuser()
    connection.autocommit = True  # a procedure commits its batches
    try:
        with connection.cursor() as cursor:
            cursor.execute(f'SET ROLE "{database.owner}"')
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_old_events_of_final_orders_move_once(database):
    whole = 4 * ORDERS
    assert run(database, COUNTS) == [(whole, 0, whole, 2 * ORDERS)]
    before = run(database, SUM)
    assert run(database, "CALL orders.archive('100 hours')") == [(2 * (ORDERS - 99),)]
    assert run(database, COUNTS) == [(whole - 2 * (ORDERS - 99), 2 * (ORDERS - 99), whole, 2 * ORDERS)]
    assert run(database, "CALL orders.archive('100 hours')") == [(0,)]
    assert run(database, "CALL orders.archive('50 hours', 7)") == [(100,)]
    assert run(database, SUM) == before
    open_ones = run(database, "SELECT count(*) FROM orders.archived_events a JOIN orders.orders o USING (order_id) "
                              "WHERE o.status = 0")
    assert open_ones == [(0,)], "an open order was archived"


def test_an_event_that_follows_is_read_behind_the_archived_ones(database):
    run(database, "CALL orders.archive('100 hours')")
    order = run(database, "SELECT order_id FROM orders.archived_events LIMIT 1")[0][0]
    run(database, "INSERT INTO orders.order_events VALUES (%s, 3, 'payment.refunded', now(), '{}')", (order,))
    found = run(database, "SELECT seq FROM orders.all_events WHERE order_id = %s AND seq > 1 ORDER BY seq LIMIT 2",
                (order,))
    assert found == [(2,), (3,)]
    run(database, "DELETE FROM orders.order_events WHERE order_id = %s", (order,))


def test_a_batch_finds_its_orders_by_the_lists_index(database):
    plans.analyze(database)
    plan = "\n".join(row[0] for row in run(database, """
        EXPLAIN SELECT o.order_id, o.created_at FROM orders.orders o WHERE o.shelf = 5 AND o.created_at < now()
        AND (o.created_at, o.order_id) > ('2020-01-01', '00000000-0000-0000-0000-000000000000')
        ORDER BY o.created_at, o.order_id LIMIT 10"""))
    assert "orders_shelf" in plan and "Seq Scan" not in plan and "Sort" not in plan


@pytest.mark.parametrize("sql", ["CALL orders.archive('0 hours')", "DELETE FROM orders.archived_events",
                                 "INSERT INTO orders.archived_events SELECT * FROM orders.order_events LIMIT 1"])
def test_the_service_archives_nothing(database, sql):
    connection = database.superuser()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE order_svc")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(sql)
    connection.close()
