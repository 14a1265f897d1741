"""Each rule of an order and of a payment is held by the function that the table's CHECK calls, and a row that breaks it
is refused in the rule's name."""
import re

import psycopg2
import pytest

from testkit import plans
from test_plans_orders import CANCELLED, FINAL, RESERVED, insertion

MUCH, LONG = "1000000000001", "repeat('x', {})"
ORDER = {
    "orders_status_check": {"status": "8"},
    "orders_version_check": {"version": "0"},
    "orders_customer_id_check": {"customer_id": LONG.format(65)},
    "orders_reason_check": CANCELLED | {"reason": LONG.format(257)},
    "orders_expected_total_check": {"expected_total": "-1"},
    "orders_total_check": RESERVED | {"total": MUCH},
    "orders_currency_check": RESERVED | {"currency": "'EU'"},
    "orders_captured_check": {"captured": MUCH},
    "orders_refunded_check": {"refunded": "-1"},
    "orders_request_hash_check": {"request_hash": LONG.format(63)},
    "orders_resends_check": {"resends": "-1"},
    "orders_payment_token_check": {"payment_token": LONG.format(129)},
    "orders_reply_to_check": {"reply_to": LONG.format(256), "reply_until": "now()"},
    "orders_traceparent_check": {"traceparent": LONG.format(54)},
    "orders_tracestate": {"tracestate": LONG.format(513)},
    "orders_items": {"quantities": "'{1,1001}'"},
    "orders_prices": RESERVED | {"unit_prices": "'{1}'"},
    "orders_priced": RESERVED | {"total": "NULL", "currency": "NULL", "unit_prices": "NULL"},
    "orders_paid": RESERVED | FINAL | {"status": "4", "total": "5", "captured": "4"},
    "orders_reason": {"reason": "'why'"},
    "orders_settled": CANCELLED | {"stock_settled": "false"},
    "orders_deadline": {"due_at": "now() + interval '1 second'"},
    "orders_token": {"payment_token": "NULL"},
    "orders_asker": {"reply_to": "'edge.reply.1'"},
    "orders_times": {"updated_at": "now() - interval '1 second'"},
    "orders_attempts": {"attempts": "1"},
    "orders_awaiting": RESERVED | {"status": "7"},
}
PAYMENT = {"order_id": "gen_random_uuid()", "state": "'processing'", "amount": "5", "currency": "'EUR'", "token": "'t'",
           "next_attempt_at": "now()", "version": "1"}
CAPTURED = {"state": "'captured'", "token": "NULL", "psp_id": "'pi_1'"}
REFUNDING = CAPTURED | {"state": "'refunding'", "refunds": "1", "refund_requested": "true"}
PAID = {
    "payments_state_check": {"state": "'none'", "token": "NULL"},
    "payments_amount_check": {"amount": MUCH},
    "payments_currency_check": {"currency": "'EU'"},
    "payments_token_check": {"token": "''"},
    "payments_psp_id_check": {"psp_id": LONG.format(129)},
    "payments_reason_check": {"reason": "''"},
    "payments_refunds_check": {"refunds": "-1"},
    "payments_attempts_check": {"attempts": "-1"},
    "payments_traceparent_check": {"traceparent": LONG.format(56)},
    "payments_tracestate": {"tracestate": LONG.format(513)},
    "payments_version_check": {"version": "0"},
    "payments_open": {"next_attempt_at": "NULL"},
    "payments_token": CAPTURED | {"token": "'t'"},
    "payments_refunded": CAPTURED | {"refunded_amount": "5"},
    "payments_refunding": REFUNDING | {"refund_requested": "false"},
    "payments_psp_refund_id": {"psp_refund_id": "'re_1'"},
    "payments_captured": CAPTURED | {"psp_id": "NULL"},
    "payments_priced": CAPTURED | {"currency": "NULL"},
    "payments_explained": {"state": "'declined'", "token": "NULL"},
    "payments_attempt": {"pay_attempt": "1"},
}
TABLES = {"orders.orders": ORDER, "payments.payments": PAID}
ROLES = {"orders": "order_svc", "payments": "payment_svc"}


def payment(changes):
    row = PAYMENT | changes
    return f"INSERT INTO payments.payments ({', '.join(row)}) VALUES ({', '.join(row.values())})"


def insert(table, changes):
    return insertion(changes) if table == "orders.orders" else payment(changes)


@pytest.fixture(scope="module")
def databases():
    made = {name: plans.Database(name, role) for name, role in ROLES.items()}
    yield made
    for database in made.values():
        database.drop()


def refusal(database, text):
    """The error that the statement raises, with the rights of the service."""
    connection = database.runtime()
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.CheckViolation) as caught:
        cursor.execute(text)
    connection.close()
    return caught.value


@pytest.mark.parametrize("table, rule", [(table, rule) for table, rules in TABLES.items() for rule in rules])
def test_a_broken_rule_is_refused_in_its_name(databases, table, rule):
    error = refusal(databases[table.partition(".")[0]], insert(table, TABLES[table][rule]))
    said = error.diag
    assert f"{said.schema_name}.{said.table_name}" == table and said.constraint_name == rule, error
    assert said.message_primary == f'new row for relation "{said.table_name}" violates check constraint "{rule}"'


@pytest.mark.parametrize("table", TABLES)
def test_each_rule_of_the_function_is_tried(databases, table):
    with databases[table.partition(".")[0]].superuser() as connection, connection.cursor() as cursor:
        assert set(re.findall(r"refuse_\w+\('(\w+)'\)", plans.rules(cursor, table))) == set(TABLES[table])


@pytest.mark.parametrize("table, changes", [
    ("orders.orders", {}), ("orders.orders", RESERVED), ("orders.orders", CANCELLED),
    ("payments.payments", {}), ("payments.payments", CAPTURED), ("payments.payments", REFUNDING),
    ("payments.payments", {"state": "'voided'", "token": "NULL", "currency": "NULL", "reason": "'why'"}),
])
def test_a_row_that_breaks_no_rule_is_taken(databases, table, changes):
    connection = databases[table.partition(".")[0]].runtime()
    with connection.cursor() as cursor:
        cursor.execute(insert(table, changes))
    connection.close()
