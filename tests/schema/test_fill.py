"""The rows that the bench fills databases with pass the audits of the services, as those of real orders do."""
import subprocess

import pytest

from dev import manifests
from load.bench import filled
from testkit import plans

ORDERS = 300
PRODUCTS = """INSERT INTO inventory.products (product_id, name, price, currency, on_hand, received)
              SELECT 'BENCH-' || lpad(n::text, 5, '0'), 'Bench product', 101, 'EUR', 1000, 1000
              FROM generate_series(1, 1000) AS n"""


@pytest.fixture
def fill():
    """→ a cursor, as superuser, of a new database with the bench's orders"""
    made = []

    def in_new_database(name, first=None):
        database = plans.Database(name, manifests.of_database(name).roles["runtime"])
        connection = database.superuser()
        made.append((database, connection))
        cursor = connection.cursor()
        if first:
            cursor.execute(first)
        for begin in (1, ORDERS // 2 + 1):
            for statement in filled.statements(name):
                cursor.execute(statement, {"first": begin, "last": begin + ORDERS // 2 - 1, "all": ORDERS})
        return cursor
    yield in_new_database
    for database, connection in made:
        connection.close()
        database.drop()


def rows(cursor, text):
    cursor.execute(text)
    return cursor.fetchall()


def test_each_order_is_the_fold_of_its_events(fill):
    lines = "".join(f"{line}\n" for line, in rows(fill("orders"), "SELECT line FROM orders.audit_lines"))
    done = subprocess.run([plans.program("order-audit")], input=lines, capture_output=True, text=True, timeout=60,
                          check=False)
    assert (done.returncode, done.stderr) == (0, f"{ORDERS} orders, 0 differences\n"), done.stdout


def test_stock_is_what_reservations_hold(fill):
    cursor = fill("inventory", PRODUCTS)
    assert rows(cursor, "SELECT sum(sold) FROM inventory.products") == [(ORDERS,)]
    assert rows(cursor, "SELECT * FROM inventory.stock_audit") == []


def test_money_is_what_payments_say(fill):
    cursor = fill("payments")
    assert rows(cursor, "SELECT count(*) FROM payments.payments") == [(ORDERS,)]
    assert rows(cursor, "SELECT * FROM payments.audit") == []
