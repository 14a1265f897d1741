"""Refunds that operators ask for: whole or in part, never more than was captured, each carried out once."""
import concurrent.futures
import uuid

import pytest

from testkit.client import item, wait_until


def refund(api, order_id, key=None, **members):
    body = {"order_id": order_id, "idempotency_key": key or str(uuid.uuid4()), **members}
    return api.post("/api/payments/refund", body)


def refunds_at_provider(ledger, order_id):
    return [line["amount"] for line in ledger() if line.get("order_id") == order_id and line["type"] == "refunded"]


def wait_refunded(api, order_id, amount):
    wait_until(lambda: api.order(order_id)["refunded"] == amount, 20, f"{amount} to come back")


@pytest.fixture
def paid(api):
    """The id of an order of 1998."""
    order = api.complete(item("A", 2))
    assert order["status"] == "CONFIRMED" and order["refunded"] == 0
    return order["order_id"]


def test_in_parts_and_then_the_rest(api, ledger, paid):
    first = refund(api, paid, amount=500, reason="damaged")
    assert first.status_code == 202
    shown = first.json()
    assert (shown["order_id"], shown["amount"], shown["currency"], shown["reason"]) == (paid, 500, "EUR", "damaged")
    wait_refunded(api, paid, 500)
    assert refund(api, paid).status_code == 202
    wait_refunded(api, paid, 1998)
    assert refunds_at_provider(ledger, paid) == [500, 1498]
    payment = api.get(f"/api/payments/{paid}").json()
    assert (payment["status"], payment["refunded"], payment["refundable"]) == ("refunded", 1998, 0)
    assert [(one["amount"], one["status"]) for one in payment["refunds"]] == [(500, "succeeded"), (1498, "succeeded")]
    assert api.get(f"/api/orders/{paid}/payments").json()["items"] == [payment]
    assert api.order(paid)["status"] == "CONFIRMED"
    assert api.event_types(paid)[-2:] == ["payment.refunded", "payment.refunded"]


def test_too_much_is_refused(api, ledger, paid):
    refused = refund(api, paid, amount=1999)
    assert refused.status_code == 409 and "1998" in refused.json()["detail"]
    assert refund(api, paid, amount=1998).status_code == 202
    assert refund(api, paid, amount=1).status_code == 409
    assert refund(api, paid).status_code == 409
    wait_refunded(api, paid, 1998)
    assert refunds_at_provider(ledger, paid) == [1998]


def test_the_same_key_is_answered_again(api, ledger, paid):
    key = str(uuid.uuid4())
    first = refund(api, paid, key, amount=700)
    assert first.status_code == 202
    wait_refunded(api, paid, 700)
    again = refund(api, paid, key, amount=700)
    assert again.status_code == 200 and again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == {**first.json(), "status": "succeeded"}
    by_header = api.post("/api/payments/refund", {"payment_id": paid, "amount": 700}, headers={"Idempotency-Key": key})
    assert by_header.status_code == 200 and by_header.json() == again.json()
    assert refund(api, paid, key, amount=701).status_code == 422
    assert refund(api, paid, key).status_code == 422
    other = api.complete(item("A"))["order_id"]
    assert refund(api, other, key, amount=700).status_code == 422
    assert refunds_at_provider(ledger, paid) == [700] and refunds_at_provider(ledger, other) == []


def test_many_at_once_are_never_more_than_was_captured(api, ledger, paid):
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: refund(api, paid, amount=500).status_code, range(10)))
    assert sorted(answers) == [202] * 3 + [409] * 7
    wait_refunded(api, paid, 1500)
    assert refunds_at_provider(ledger, paid) == [500] * 3


def test_two_of_all_at_once(api, ledger, paid):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: refund(api, paid).status_code, range(2)))
    assert sorted(answers) == [202, 409]
    wait_refunded(api, paid, 1998)
    assert refunds_at_provider(ledger, paid) == [1998]


def test_what_was_not_captured_is_not_refunded(api):
    declined = api.complete(item("A"), token="pm_card_visa_chargeDeclined")["order_id"]
    assert refund(api, declined, amount=1).status_code == 409
    assert refund(api, str(uuid.uuid4()), amount=1).status_code == 404
    assert api.get(f"/api/payments/{uuid.uuid4()}").status_code == 404


def test_wrong_requests(api, paid):
    for wrong in ({"amount": 0}, {"amount": -1}, {"amount": 1.5}, {"amount": "5"}, {"payment_id": paid},
                  {"reason": ""}, {"unknown": 1}):
        assert refund(api, paid, **wrong).status_code == 400, wrong
    assert api.post("/api/payments/refund", {"order_id": paid, "amount": 1}).status_code == 400
    assert api.post("/api/payments/refund", {"idempotency_key": "k", "amount": 1}).status_code == 400


def test_a_provider_that_takes_its_time(api, ledger):
    """The refund behind it waits, and both are carried out once."""
    paid = api.complete(item("A", 2), token="pm_sandbox_refund_pending")["order_id"]
    assert refund(api, paid, amount=300).status_code == 202
    assert refund(api, paid, amount=200).status_code == 202
    wait_refunded(api, paid, 500)
    assert refunds_at_provider(ledger, paid) == [300, 200]


def open_refunds(api, limit=100):
    """All refunds that are not carried out, page by page."""
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/api/refunds?limit={limit}{cursor and '&cursor=' + cursor}")
        assert page.status_code == 200, page.text
        assert len(page.json()["items"]) <= limit
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
    return found


def test_refunds_that_are_not_carried_out_are_listed(api, stack):
    """Until the provider, which is away, has them: those of operators, and one of an order that is undone."""
    parts = [api.complete(item("A", 2))["order_id"] for _ in range(3)]
    known = {one["order_id"] for one in open_refunds(api)}
    stack.stop_service("psp-sandbox")
    try:
        made = {order: refund(api, order, amount=100 + number).json()["refund_id"]
                for number, order in enumerate(parts)}
        wait_until(lambda: len([one for one in open_refunds(api) if one["order_id"] in made]) == 3, 20, "three refunds")
        listed = {one["order_id"]: one for one in open_refunds(api, limit=1) if one["order_id"] not in known}
        assert {order: one["refund_id"] for order, one in listed.items()} == made
        for number, order in enumerate(parts):
            assert (listed[order]["payment_id"], listed[order]["amount"]) == (order, 100 + number)
            assert listed[order]["status"] in ("called", "failing") and listed[order]["currency"] == "EUR"
            assert listed[order]["psp_id"].startswith("pi_") and listed[order]["next_at"]
        ids = [one["payment_id"] for one in open_refunds(api)]
        assert ids == sorted(ids)
    finally:
        stack.start_service("psp-sandbox")
    wait_until(lambda: not {one["order_id"] for one in open_refunds(api)} & set(parts), 30, "their end")


def test_a_refund_that_the_provider_has_is_listed_as_such(api):
    paid = api.complete(item("A", 2), token="pm_sandbox_refund_pending")["order_id"]
    assert refund(api, paid).status_code == 202

    def listed():
        return [one for one in open_refunds(api) if one["order_id"] == paid]
    assert wait_until(lambda: [one for one in listed() if one["status"] == "at_provider"], 20, "the provider's refund")
    wait_refunded(api, paid, 1998)
    wait_until(lambda: not listed(), 10, "its end")


def test_a_page_of_refunds_is_bounded(api):
    for query in ("limit=0", "limit=101", "cursor=no-uuid"):
        refused = api.get("/api/refunds?" + query)
        assert refused.status_code == 400 and query.split("=")[0] in refused.text


def test_a_provider_that_fails_at_first(api, ledger):
    paid = api.complete(item("A", 2), token="pm_sandbox_refund_fails_later")["order_id"]
    assert refund(api, paid, amount=300).status_code == 202
    wait_refunded(api, paid, 300)
    assert refunds_at_provider(ledger, paid) == [300]


def test_payment_svc_is_killed_meanwhile(api, ledger, stack, paid):
    assert refund(api, paid, amount=300).status_code == 202
    stack.kill("payment-svc")
    stack.start_services()
    assert refund(api, paid, amount=200).status_code in (202, 503)
    wait_until(lambda: api.order(paid)["refunded"] >= 300, 20, "the refund")
    assert refunds_at_provider(ledger, paid)[0] == 300


def test_stock_is_put_back_once(api, paid):
    before = api.product("A")
    for _ in range(2):
        assert refund(api, paid, amount=100, restock=True).status_code == 202
    wait_refunded(api, paid, 200)
    wait_until(lambda: api.product("A")["on_hand"] == before["on_hand"] + 2, 20, "the stock")
    assert refund(api, paid, restock=True).status_code == 202
    wait_refunded(api, paid, 1998)
    assert api.product("A")["on_hand"] == before["on_hand"] + 2
