"""inventory-svc's statements: prepared as its role, planned by index, over many rows and over none; and what its role
may not do."""
import json
import uuid

import psycopg2
import pytest

from testkit import plans

GROWING = {"reservations", "stock_requests", "products", "inbox", "outbox"}
SERVICE = "inventory-svc"
ORDERS, PRODUCTS = 100_000, 20_000

FILL = f"""
INSERT INTO inventory.products (product_id, name, price, currency, on_hand, reserved, sold, received)
SELECT 'SKU-' || lpad(n::text, 6, '0'), 'Product ' || n, 1 + n % 1000, 'EUR', 1000000, 0, 0, 1000000
FROM generate_series(1, {PRODUCTS}) AS n;

INSERT INTO inventory.reservations (order_id, state, reason, total, currency, product_ids, quantities, unit_prices)
SELECT gen_random_uuid(), state, CASE state WHEN 'REJECTED' THEN 'out_of_stock' END,
       CASE WHEN state <> 'REJECTED' THEN 300 END, CASE WHEN state <> 'REJECTED' THEN 'EUR' END,
       CASE WHEN state <> 'REJECTED' THEN ARRAY['SKU-' || lpad((1 + n % {PRODUCTS})::text, 6, '0'),
                                                'SKU-' || lpad((1 + (n + 7) % {PRODUCTS})::text, 6, '0')]
                                     ELSE '{{}}' END,
       CASE WHEN state <> 'REJECTED' THEN '{{1,2}}'::bigint[] ELSE '{{}}' END,
       CASE WHEN state <> 'REJECTED' THEN '{{100,100}}'::bigint[] ELSE '{{}}' END
FROM (SELECT n, (ARRAY['RESERVED', 'COMMITTED', 'RELEASED', 'REJECTED'])[1 + n % 4] AS state
      FROM generate_series(1, {ORDERS}) AS n) AS generated;

INSERT INTO inventory.stock_requests (request_id, product_id, on_hand, created_at)
SELECT gen_random_uuid(), 'SKU-000001', 1, now() - n * interval '1 minute' FROM generate_series(1, {ORDERS}) AS n;
"""


@pytest.fixture(scope="module")
def database():
    made = plans.Database("inventory", "inventory_svc")
    yield made
    made.drop()


@pytest.fixture(scope="module")
def filled():
    made = plans.Database("inventory", "inventory_svc")
    with made.superuser() as connection, connection.cursor() as cursor:
        cursor.execute(FILL)
    plans.analyze(made)
    yield made
    made.drop()


def test_plans_over_many_rows(filled):
    plans.assert_indexed(filled, SERVICE, GROWING)


# Pages of products: what is on hand is in no index, and neither are prices of products that are sorted by id.
PAGES = {f"query{number}" for number in range(2, 8)}
SEARCHES = {f"query{number}" for number in range(5, 8)}


def test_plans_use_the_key_of_what_they_lock(filled):
    """An index alone is not enough: the condition on the key must be in the index scan, not filtered behind it."""
    connection = filled.runtime()
    found = {}
    for statement in plans.statements(SERVICE):
        for node in plans.nodes(plans.plan(connection, statement)):
            if node.get("Relation Name") in GROWING and node["Node Type"] != "ModifyTable":
                found.setdefault(statement.name, []).append(node)
    connection.close()
    assert found
    assert PAGES <= found.keys()
    for name, used in found.items():
        filters = [node for node in used if "Filter" in node]
        assert not filters or name in PAGES, f"{name} filters: {json.dumps(used)}"


def test_pages_are_read_from_the_index_of_their_order_and_searches_from_that_of_words(filled):
    connection = filled.runtime()
    used = {statement.name: {node["Index Name"] for node in plans.nodes(plans.plan(connection, statement))
                             if "Index Name" in node} for statement in plans.statements(SERVICE)}
    connection.close()
    assert used["query2"] <= {"products_on_sale", "products_pkey"}
    assert used["query3"] == used["query4"] == {"products_by_price"}
    assert all(used[name] == {"products_by_word"} for name in SEARCHES)


def refused(database, text, code):
    connection = database.runtime()
    try:
        with connection.cursor() as cursor, pytest.raises(psycopg2.Error) as caught:
            cursor.execute(text)
        assert caught.value.pgcode == code, caught.value
    finally:
        connection.close()


@pytest.mark.parametrize("text", [
    "DELETE FROM inventory.products",
    "UPDATE inventory.products SET product_id = 'x'",
    "TRUNCATE inventory.products",
    "DELETE FROM inventory.reservations",
    "UPDATE inventory.reservations SET total = 0",
    "UPDATE inventory.reservations SET unit_prices = '{}'",
    "UPDATE inventory.reservations SET order_id = gen_random_uuid()",
    "UPDATE inventory.stock_requests SET on_hand = 1",
    "UPDATE bus.inbox SET received_at = now()",
    "UPDATE bus.parked SET cause = ''",
    "SELECT * FROM inventory.stock_audit",
    "CREATE TABLE public.mine ()",
    "CREATE TABLE inventory.mine ()",
    "CREATE SCHEMA mine",
    "UPDATE sqitch.changes SET note = ''",
])
def test_d1_the_role_may_not(database, text):
    refused(database, text, "42501")


PRODUCT = ("INSERT INTO inventory.products"
           " (product_id, name, price, currency, on_hand, reserved, sold, received, version) VALUES ({})")
RESERVATION = ("INSERT INTO inventory.reservations (order_id, state, reason, total, currency, product_ids, quantities,"
               " unit_prices) VALUES (gen_random_uuid(), {})")


@pytest.mark.parametrize("values", [
    "'a', 'A', 1, 'EUR', 5, 0, 0, 6, 1",       # the balance
    "'a', 'A', 1, 'EUR', -1, 1, 0, 0, 1",      # nothing is negative
    "'a', 'A', 1, 'EUR', 1, -1, 0, 0, 1",
    "'a', 'A', 1, 'EUR', 1, 0, -1, 0, 1",
    "'a', 'A', -1, 'EUR', 0, 0, 0, 0, 1",      # bounds of the messages
    "'a', 'A', 1000000000001, 'EUR', 0, 0, 0, 0, 1",
    "'a', '', 1, 'EUR', 0, 0, 0, 0, 1",
    "'a', repeat('x', 201), 1, 'EUR', 0, 0, 0, 0, 1",
    "'a', 'A', 1, 'EURO', 0, 0, 0, 0, 1",
    "'', 'A', 1, 'EUR', 0, 0, 0, 0, 1",
    "'a,b', 'A', 1, 'EUR', 0, 0, 0, 0, 1",     # a comma would part a list of ids
    "repeat('x', 65), 'A', 1, 'EUR', 0, 0, 0, 0, 1",
    "'a', 'A', 1, 'EUR', 0, 0, 0, 0, 0",
])
def test_products_refuse(database, values):
    refused(database, PRODUCT.format(values), "23514")


@pytest.mark.parametrize("values", [
    "'NONE', NULL, NULL, NULL, '{}', '{}', '{}'",                     # states
    "'RESERVED', NULL, NULL, NULL, '{}', '{}', '{}'",                 # reserved without items
    "'COMMITTED', NULL, NULL, NULL, '{}', '{}', '{}'",
    "'RESERVED', NULL, NULL, NULL, '{a}', '{1}', '{1}'",              # items without a total
    "'RESERVED', NULL, 1, NULL, '{a}', '{1}', '{1}'",                 # a total without a currency
    "'RESERVED', NULL, 1, 'EUR', '{a,b}', '{1}', '{1}'",              # lists of different lengths
    "'RESERVED', NULL, 1, 'EUR', '{a}', '{1}', '{1,2}'",
    "'RESERVED', NULL, 1, 'EUR', '{a}', '{0}', '{1}'",
    "'RESERVED', NULL, 1000000000001, 'EUR', '{a}', '{1}', '{1}'",
    "'RESERVED', 'out_of_stock', 1, 'EUR', '{a}', '{1}', '{1}'",      # a reason for what was not rejected
    "'REJECTED', NULL, NULL, NULL, '{}', '{}', '{}'",                 # rejected without a reason
    "'REJECTED', 'already_released', NULL, NULL, '{}', '{}', '{}'",
    "'REJECTED', 'no_reservation', NULL, NULL, '{}', '{}', '{}'",     # a reason that is never stored
    "'REJECTED', 'out_of_stock', 1, 'EUR', '{a}', '{1}', '{1}'",      # rejected, and yet it holds items
])
def test_reservations_refuse(database, values):
    refused(database, RESERVATION.format(values), "23514")


def test_a_reservation_of_an_older_service_is_asked_about_after_ten_minutes(database):
    """It does not know the column; rows of before the migration get the same."""
    connection = database.runtime()
    with connection.cursor() as cursor:
        cursor.execute(RESERVATION.format("'RESERVED', NULL, 3, 'EUR', '{a}', '{1}', '{3}'")
                       + " RETURNING expected_until - created_at")
        assert cursor.fetchone()[0].total_seconds() == 600
        cursor.execute("UPDATE inventory.reservations SET expected_until = now()")
    connection.rollback()
    connection.close()


def test_one_reservation_an_order(database):
    row = f"('{uuid.uuid4()}', 'RELEASED')"
    refused(database, f"INSERT INTO inventory.reservations (order_id, state) VALUES {row}, {row}", "23505")


def test_the_audit_sees_an_imbalance(database):
    """The view that invariants rest on finds what it is for."""
    with database.superuser() as connection, connection.cursor() as cursor:
        def audit():
            cursor.execute("SELECT product_id, held_reserved, held_sold FROM inventory.stock_audit ORDER BY product_id")
            return cursor.fetchall()

        cursor.execute("TRUNCATE inventory.products, inventory.reservations")
        cursor.execute(PRODUCT.format("'a', 'A', 1, 'EUR', 5, 3, 0, 8, 1") + ", ('b', 'B', 1, 'EUR', 5, 0, 2, 7, 1)")
        assert audit() == [("a", 0, 0), ("b", 0, 0)]
        cursor.execute(RESERVATION.format("'RESERVED', NULL, 3, 'EUR', '{a,a}', '{1,2}', '{1,1}'"))
        assert audit() == [("b", 0, 0)]
        cursor.execute(RESERVATION.format("'COMMITTED', NULL, 2, 'EUR', '{b}', '{2}', '{1}'"))
        assert audit() == []
        cursor.execute(RESERVATION.format("'RELEASED', NULL, 2, 'EUR', '{b}', '{2}', '{1}'"))
        assert audit() == []
        cursor.execute(RESERVATION.format("'COMMITTED', NULL, 1, 'EUR', '{ghost}', '{1}', '{1}'"))
        assert audit() == [("ghost", 0, 1)]
