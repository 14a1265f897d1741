"""Faults of the payment provider: errors, limits, silence; each order is charged once, or not at all."""
import concurrent.futures
import os
import subprocess

import pytest

from chaos import invariants
from testkit.client import item, wait_until
from dev import build


def moves(ledger, order_id):
    return [(line["type"], line["amount"]) for line in ledger()
            if line.get("order_id") == order_id and line["type"] in ("captured", "refunded")]


@pytest.mark.parametrize("token", ["pm_sandbox_error_once", "pm_sandbox_429_once"])
def test_provider_that_fails_once(api, ledger, token):
    order = api.complete(item("A"), token=token)
    assert order["status"] == "CONFIRMED"
    assert moves(ledger, order["order_id"]) == [("captured", 999)]


def test_provider_that_is_silent_though_it_captured(api, ledger):
    """The same key again finds the first outcome: captured once."""
    order = api.complete(item("A"), token="pm_sandbox_timeout", seconds=40)
    assert order["status"] == "CONFIRMED"
    assert moves(ledger, order["order_id"]) == [("captured", 999)]


def test_provider_that_is_silent_though_it_declined(api, ledger):
    order = api.complete(item("A"), token="pm_sandbox_timeout_declined", seconds=40)
    assert order["status"] == "CANCELLED"
    assert moves(ledger, order["order_id"]) == []


def test_provider_that_takes_its_time(api, ledger):
    """A charge, then a refund, that the provider calls pending: the order ends soon after the provider is done."""
    paid = api.place(item("A"), token="pm_sandbox_processing").json()["order_id"]
    undone = api.place(item("A"), token="pm_sandbox_processing_refund_fails_later").json()["order_id"]
    api.wait_status(undone, "RESERVED")
    assert api.cancel(undone).status_code == 202
    assert api.wait_final(paid, 20)["status"] == "CONFIRMED"
    assert api.wait_final(undone, 30)["status"] == "CANCELLED"
    assert moves(ledger, paid) == [("captured", 999)]
    assert moves(ledger, undone) == [("captured", 999), ("refunded", 999)]


def test_many_silent_charges_at_once(api, ledger):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        orders = list(pool.map(lambda _: api.complete(item("A"), token="pm_sandbox_timeout", seconds=60), range(20)))
    for order in orders:
        assert order["status"] == "CONFIRMED"
        assert moves(ledger, order["order_id"]) == [("captured", 999)]


def test_cancel_while_the_charge_is_undecided(api, ledger):
    """A refund that was asked meanwhile is carried out once the charge is definite."""
    order_id = api.place(item("A"), token="pm_sandbox_timeout").json()["order_id"]
    api.wait_status(order_id, "RESERVED")
    answer = api.cancel(order_id)
    assert answer.status_code == 202 and answer.json()["status"] == "COMPENSATING"
    order = api.wait_final(order_id, 40)
    assert order["status"] == "CANCELLED" and order["reason"]
    wait_until(lambda: moves(ledger, order_id) in ([], [("captured", 999), ("refunded", 999)]), 20, "the refund")


def test_cancel_while_a_failing_charge_is_repeated(api, ledger):
    order_id = api.place(item("A"), token="pm_sandbox_timeout_declined").json()["order_id"]
    api.wait_status(order_id, "RESERVED")
    assert api.cancel(order_id).status_code == 202
    assert api.wait_final(order_id, 40)["status"] == "CANCELLED"
    assert moves(ledger, order_id) == []


def test_payment_rows_keep_no_token(api, stack):
    """P5: the token goes when no charge can follow any more."""
    order = api.complete(item("A"), token="pm_card_visa")
    rows = stack.sql("payments", "SELECT state, token IS NULL FROM payments.payments "
                                 f"WHERE order_id = '{order['order_id']}'")
    assert rows == [["captured", "t"]]
    rows = stack.sql("orders", "SELECT payment_token IS NULL FROM orders.orders "
                               f"WHERE order_id = '{order['order_id']}'")
    assert rows == [["t"]]


def test_fold_audit_of_order_svc_agrees(api, stack):
    """The service's own fold over the whole log, beside the one of the invariants."""
    program = os.path.join(build.programs(stack.preset), "order-audit")
    if not os.path.exists(program):
        build.build(stack.preset, ["bin/order-audit"])
    rows = invariants.Sources.of_stack(stack).rows("orders", "SELECT line FROM orders.audit_lines")
    assert rows
    text = "".join(row["line"] + "\n" for row in rows)
    done = subprocess.run([program], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[:2000]
