"""Orders that are paid later: attempts, their keys at the provider, the deadline, and the limit of a customer."""
import concurrent.futures
import contextlib
import time
import uuid

import pytest
import requests

from dev import reconcile
from testkit.client import item, wait_until


def place_later(api, *items, customer=None):
    body = {"idempotency_key": str(uuid.uuid4()), "items": list(items), "payment": {"when": "later"},
            "customer_id": customer or f"later-{uuid.uuid4()}"}
    answer = api.place_body(body)
    assert answer.status_code == 202, answer.text
    return answer.json()["order_id"]


def awaiting(api, *items, **options):
    order_id = place_later(api, *items, **options)
    return api.wait_status(order_id, "AWAITING_PAYMENT")


def pay(api, order_id, token="pm_card_visa", key=None):
    return api.post("/api/payments", {"idempotency_key": key or str(uuid.uuid4()), "order_id": order_id,
                                      "payment": {"token": token}})


def lines(ledger, order_id, *types):
    return [line for line in ledger() if line.get("order_id") == order_id and line["type"] in types]


def moves(ledger, order_id):
    return [(line["type"], line["amount"]) for line in lines(ledger, order_id, "captured", "refunded")]


def attempts(stack, order_id):
    return stack.sql("payments", "SELECT pay_attempt, state FROM payments.payments "
                     f"WHERE attempt_of = '{order_id}' ORDER BY pay_attempt")


def reserved(stack, order_id):
    return stack.sql("inventory", f"SELECT state FROM inventory.reservations WHERE order_id = '{order_id}'")[0][0]


@contextlib.contextmanager
def deadline_of(stack, milliseconds):
    before = stack.overrides.get("order-svc", {})
    for overrides in (before | {"PAY_LATER_MS": str(milliseconds)}, before):
        stack.overrides["order-svc"] = overrides
        stack.stop_service("order-svc")
        stack.start_service("order-svc")
        if overrides is not before:
            yield


def test_an_order_that_is_paid_later(api, stack, ledger):
    order = awaiting(api, item("A", 2))
    assert order["total"] == 1998 and order["pay_by"] > order["updated_at"]
    assert reserved(stack, order["order_id"]) == "RESERVED"
    answer = pay(api, order["order_id"])
    assert answer.status_code == 202, answer.text
    done = api.wait_final(order["order_id"])
    assert done["status"] == "CONFIRMED" and "pay_by" not in {name for name, value in done.items() if value}
    captured, = lines(ledger, order["order_id"], "captured")
    assert captured["amount"] == 1998
    assert captured["idempotency_key"] == f"charge-{order['order_id']}-1"
    assert "payment.requested" in api.event_types(order["order_id"])


def test_a_declined_card_and_then_a_good_one(api, stack, ledger):
    order_id = awaiting(api, item("A"))["order_id"]
    assert pay(api, order_id, "pm_card_chargeDeclinedInsufficientFunds").status_code == 202
    wait_until(lambda: "payment.refused" in api.event_types(order_id), 20, "the decline")
    assert api.order(order_id)["status"] == "AWAITING_PAYMENT"
    assert pay(api, order_id).status_code == 202
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    assert attempts(stack, order_id) == [["1", "declined"], ["2", "captured"]]
    assert moves(ledger, order_id) == [("captured", 999)]


def test_one_key_charges_once(api, stack, ledger):
    order_id, key = awaiting(api, item("A"))["order_id"], str(uuid.uuid4())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: pay(api, order_id, key=key), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    assert pay(api, order_id, key=key).headers["Idempotent-Replayed"] == "true"
    assert pay(api, order_id, "pm_card_mastercard", key).status_code == 422
    late = pay(api, order_id)
    assert late.status_code == 409 and "CONFIRMED" in late.json()["detail"]
    assert attempts(stack, order_id) == [["1", "captured"]]
    assert moves(ledger, order_id) == [("captured", 999)]


def test_no_second_attempt_while_the_first_may_capture(api, ledger):
    order_id = awaiting(api, item("A"))["order_id"]
    assert pay(api, order_id, "pm_sandbox_processing").status_code == 202
    second = pay(api, order_id)
    assert second.status_code == 409 and second.headers["Retry-After"] == "1"
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    assert moves(ledger, order_id) == [("captured", 999)]


def test_cancelled_before_it_is_paid(api, stack, ledger):
    order_id = awaiting(api, item("A"))["order_id"]
    assert api.cancel(order_id).status_code == 202
    assert api.wait_final(order_id)["status"] == "CANCELLED"
    assert reserved(stack, order_id) == "RELEASED"
    assert pay(api, order_id).status_code == 409
    assert attempts(stack, order_id) == [] and moves(ledger, order_id) == []


def test_cancelled_while_the_attempt_is_under_way(api, ledger):
    order_id = awaiting(api, item("A"))["order_id"]
    assert pay(api, order_id, "pm_sandbox_processing").status_code == 202
    assert api.cancel(order_id).status_code == 202
    assert api.wait_final(order_id)["status"] == "CANCELLED"
    assert moves(ledger, order_id) == [("captured", 999), ("refunded", 999)]


def test_the_deadline_releases_the_stock_and_refunds_what_is_captured_after_it(api, stack, ledger):
    with deadline_of(stack, 2500):
        unpaid, late = awaiting(api, item("A"))["order_id"], awaiting(api, item("A"))["order_id"]
        assert pay(api, late, "pm_sandbox_processing").status_code == 202
        wait_until(lambda: lines(ledger, late, "pending"), 20, "the charge")
        stack.stop_service("payment-svc")  # the capture is not known before the deadline
        for order_id in (unpaid, late):
            api.wait_status(order_id, ("COMPENSATING", "CANCELLED"))
        stack.start_service("payment-svc")
        for order_id in (unpaid, late):
            order = api.wait_final(order_id)
            assert (order["status"], order["reason"]) == ("CANCELLED", "not_paid_in_time")
            assert reserved(stack, order_id) == "RELEASED"
        assert moves(ledger, unpaid) == []
        assert moves(ledger, late) == [("captured", 999), ("refunded", 999)]


def test_the_sixth_unpaid_order_of_a_customer_is_refused(api, stack):
    customer = f"later-{uuid.uuid4()}"
    orders = [awaiting(api, item("C"), customer=customer)["order_id"] for _ in range(5)]
    sixth = api.wait_final(place_later(api, item("C"), customer=customer))
    assert (sixth["status"], sixth["reason"]) == ("REJECTED", "too_many_unpaid_orders: of this customer")
    metrics = requests.get(stack.url("order-svc") + "/metrics", timeout=5).text
    assert "orders_open_sagas 0" in metrics
    assert api.cancel(orders.pop()).status_code == 202
    wait_until(lambda: stack.sql("orders", "SELECT count(*) FROM orders.order_list WHERE NOT final AND "
                                 f"customer_id = '{customer}'") == [["4"]], 20, "the cancel")
    orders.append(awaiting(api, item("C"), customer=customer)["order_id"])
    for order_id in orders:
        assert api.cancel(order_id).status_code == 202
        assert api.wait_final(order_id)["status"] == "CANCELLED"


def test_payments_and_refunds_of_an_order_that_was_paid_later(api, stack, ledger):
    order_id = awaiting(api, item("A", 2))["order_id"]
    assert pay(api, order_id, "pm_card_chargeDeclinedInsufficientFunds").status_code == 202
    wait_until(lambda: "payment.refused" in api.event_types(order_id), 20, "the decline")
    assert pay(api, order_id).status_code == 202
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    first, second = api.get(f"/api/orders/{order_id}/payments").json()["items"]
    assert [(one["attempt"], one["status"]) for one in (first, second)] == [(1, "declined"), (2, "captured")]
    assert {one["order_id"] for one in (first, second)} == {order_id}
    for one in (first, second):
        assert api.get(f"/api/payments/{one['payment_id']}").json() == one
    assert api.get(f"/api/payments/{order_id}").json() == second
    for named in ({"order_id": order_id, "amount": 500}, {"payment_id": second["payment_id"], "restock": True}):
        answer = api.post("/api/payments/refund", {"idempotency_key": str(uuid.uuid4())} | named)
        assert answer.status_code == 202 and answer.json()["order_id"] == order_id, answer.text
    wait_until(lambda: api.order(order_id)["refunded"] == 1998, 20, "the refunds")
    assert moves(ledger, order_id) == [("captured", 1998), ("refunded", 500), ("refunded", 1498)]
    wait_until(lambda: reserved(stack, order_id) == "RETURNED", 20, "the stock to be put back")
    assert api.post("/api/payments/refund", {"idempotency_key": str(uuid.uuid4()),
                                             "payment_id": first["payment_id"]}).status_code == 409
    legs = stack.sql("payments", "SELECT account, sum(amount) FROM payments.legs "
                     f"WHERE paid_order = '{order_id}' GROUP BY account ORDER BY account")
    assert legs == [["customer", "0"], ["provider", "0"]]
    assert reconcile.compare(stack, 0, int(time.time()) + 5) == 0


def test_an_event_of_the_provider_ends_an_attempt_early(api, stack, ledger):
    """payment-svc itself would read the pending charge after 30 s at the earliest."""
    before = stack.overrides["payment-svc"]
    stack.overrides["payment-svc"] = before | {"RETRY_INITIAL_MS": "60000", "RETRY_SLOW_MS": "60000",
                                               "RETRY_SLOW_MAX_MS": "600000"}
    stack.start_service("payment-svc")
    try:
        order_id = awaiting(api, item("A"))["order_id"]
        assert pay(api, order_id, "pm_sandbox_processing").status_code == 202
        assert api.wait_final(order_id, 25)["status"] == "CONFIRMED"
    finally:
        stack.overrides["payment-svc"] = before
        stack.start_service("payment-svc")
    assert moves(ledger, order_id) == [("captured", 999)]


@pytest.mark.parametrize("payment", [{"when": "later", "token": "pm_card_visa"}, {"when": "now"}, {"when": "never"},
                                     {}])
def test_payments_that_say_no_means_or_two(api, payment):
    answer = api.post("/api/orders", {"idempotency_key": str(uuid.uuid4()), "items": [item("A")], "payment": payment})
    assert answer.status_code == 400 and "payment" in answer.text


def test_an_order_that_is_not_there_or_is_paid_at_once(api):
    assert pay(api, str(uuid.uuid4())).status_code == 404
    order = api.complete(item("A"))
    assert pay(api, order["order_id"]).status_code == 409
