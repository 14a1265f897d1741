"""The migration of withdrawn products over the rows of a running system, forwards and back."""
import pytest

from testkit import plans

BEFORE = "expected_until"  # the change before it
ROWS = """
INSERT INTO inventory.products (product_id, name, price, currency, on_hand, reserved, sold, received, version)
VALUES ('A', 'Ein Ding', 250, 'EUR', 5, 1, 2, 8, 4), ('B', 'Another', 0, 'USD', 0, 0, 0, 0, 1);
INSERT INTO inventory.reservations (order_id, state, reason, product_id, total, currency, product_ids, quantities,
                                    unit_prices)
VALUES ('00000000-0000-5000-8000-000000000001', 'RESERVED', NULL, NULL, 250, 'EUR', '{A}', '{1}', '{250}'),
       ('00000000-0000-5000-8000-000000000002', 'COMMITTED', NULL, NULL, 500, 'EUR', '{A}', '{2}', '{250}'),
       ('00000000-0000-5000-8000-000000000003', 'RELEASED', NULL, NULL, NULL, NULL, '{}', '{}', '{}'),
       ('00000000-0000-5000-8000-000000000004', 'REJECTED', 'out_of_stock', 'B', NULL, NULL, '{}', '{}', '{}');
"""
PRODUCTS = ("SELECT product_id, name, price, currency, on_hand, reserved, sold, received, version, updated_at"
            " FROM inventory.products ORDER BY product_id")
VERSION = 8  # a column of PRODUCTS; a revert adds the version of the stock to it
RESERVATIONS = ("SELECT order_id, state, reason, product_id, total, currency, product_ids, quantities, unit_prices,"
                " created_at, updated_at, expected_until FROM inventory.reservations ORDER BY order_id")


@pytest.fixture
def database():
    made = plans.Database("inventory", "inventory_svc")
    yield made
    made.drop()


def run(database, text):
    """In a transaction of its own: an open one would hold back the migration."""
    with database.superuser() as connection, connection.cursor() as cursor:
        cursor.execute(text)
        found = cursor.fetchall() if cursor.description else []
    connection.close()
    return found


def test_rows_of_before_stay_and_a_revert_keeps_every_order(database):
    database.sqitch("revert", "-y", "--to-change", BEFORE)
    run(database, ROWS)
    products, reservations = run(database, PRODUCTS), run(database, RESERVATIONS)
    assert (len(products), len(reservations)) == (2, 4)

    database.sqitch("deploy", "--verify")
    assert (run(database, PRODUCTS), run(database, RESERVATIONS)) == (products, reservations)
    assert run(database, "SELECT DISTINCT withdrawn FROM inventory.products") == [(False,)]
    assert run(database, "SELECT convalidated FROM pg_constraint WHERE conname = 'reservations_reason_check'") == [
        (True,)]

    run(database, "UPDATE inventory.products SET withdrawn = true WHERE product_id = 'B'")
    run(database, "UPDATE inventory.reservations SET reason = 'withdrawn' WHERE state = 'REJECTED'")
    database.sqitch("revert", "-y", "--to-change", BEFORE)
    with_stock = [(*row[:VERSION], row[VERSION] + 1, *row[VERSION + 1:]) for row in products]
    assert (run(database, PRODUCTS), run(database, RESERVATIONS)) == (with_stock, reservations)
