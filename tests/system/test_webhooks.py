"""Events of the payment provider at the edge: signed ones reach payment-svc once, all others nothing."""
import json
import time
import uuid

import pytest
import requests

from conftest import log_lines
from dev import services
from testkit.client import item, wait_until
from testkit.webhooks import event, sign

PATH = "/webhooks/psp"


@pytest.fixture(name="deliver")
def fixture_deliver(stack):
    """Sends an event to the edge: body, signature (None: the right one) → status."""
    secret = services.webhook_secret(stack.state)

    def deliver(body, signature=None):
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if signature != "":
            headers["Stripe-Signature"] = sign(secret, body) if signature is None else signature
        return requests.post(stack.url("edge") + PATH, data=body, headers=headers, timeout=10).status_code

    return deliver


@pytest.fixture(name="slow")
def fixture_slow(stack):
    """payment-svc reads pending objects back after 30 s at the earliest."""
    before = stack.overrides["payment-svc"]
    stack.overrides["payment-svc"] = before | {"RETRY_INITIAL_MS": "60000", "RETRY_SLOW_MS": "60000",
                                               "RETRY_SLOW_MAX_MS": "600000"}
    stack.start_service("payment-svc")
    yield
    stack.overrides["payment-svc"] = before
    stack.start_service("payment-svc")


def provider_id(ledger, order_id, kind):
    """Waits until the provider has that fact of the order; → the id of its object."""
    found = []
    wait_until(lambda: found.extend(line["id"] for line in ledger()
                                    if line.get("order_id") == order_id and line["type"] == kind) or found, 20, kind)
    return found[0]


def inbox(stack):
    return int(stack.sql("payments", "SELECT count(*) FROM bus.inbox")[0][0])


def metric(stack, name):
    """A metric of payment-svc; 0 where it has none of that name."""
    text = requests.get(stack.url("payment-svc") + "/metrics", timeout=5).text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


def test_an_event_ends_a_pending_charge_early(api, stack, ledger, slow, deliver):
    order_id = api.place(item("A"), token="pm_sandbox_processing").json()["order_id"]
    intent = provider_id(ledger, order_id, "captured")
    body = event(order_id, intent)
    assert deliver(body) == 204
    assert api.wait_final(order_id, 20)["status"] == "CONFIRMED"
    before = inbox(stack)
    assert [deliver(body) for _ in range(3)] == [204] * 3  # the event once more: its id is known
    time.sleep(0.5)
    assert inbox(stack) == before


def test_the_provider_tells_the_edge_itself(api, slow):
    """./dev and the tests give both the same secret: a charge, then a refund, ends without reading back."""
    paid = api.place(item("A"), token="pm_sandbox_processing").json()["order_id"]
    undone = api.place(item("A"), token="pm_sandbox_refund_pending").json()["order_id"]
    api.wait_status(undone, "CONFIRMED")
    assert api.wait_final(paid, 25)["status"] == "CONFIRMED"


def test_P4_events_of_the_provider(api, stack, ledger, deliver):
    """Only a right signature of this body, not older than five minutes, is taken."""
    secret = services.webhook_secret(stack.state)
    body = event(str(uuid.uuid4()), "pi_1")
    before = inbox(stack)
    for signature in ("", "t=1,v1=", sign("whsec_of_someone_else", body), sign(secret, body, time.time() - 310),
                      sign(secret, body + " "), sign(secret, body).replace("t=", "t=1")):
        assert deliver(body, signature) == 400, signature
    assert deliver("{}") == 400
    time.sleep(0.5)
    assert inbox(stack) == before
    old = sign("whsec_before", body).split(",")[1]
    assert deliver(body, f"{sign(secret, body)},{old}") == 204  # signed with two secrets while one is replaced
    wait_until(lambda: inbox(stack) == before + 1, 10, "the command")


def test_events_of_what_is_not_ours_are_taken_and_change_nothing(stack, api, deliver):
    def parked():
        return stack.sql("payments", "SELECT count(*) FROM bus.parked")

    order_id, before = str(uuid.uuid4()), parked()
    assert deliver(event("", "pi_1")) == 204
    assert deliver(event(order_id, "pi_1", kind="payment_intent.created")) == 204
    assert deliver(event(order_id, "pi_1")) == 204
    time.sleep(0.5)
    assert stack.sql("payments", f"SELECT count(*) FROM payments.payments WHERE order_id = '{order_id}'") == [["0"]]
    assert parked() == before


def test_a_dispute_is_recorded_and_alarmed(api, stack, ledger, deliver):
    """The sandbox tells of it by itself; what the provider says later is the last word, whichever comes first."""
    def told(columns):
        return stack.sql("payments", f"SELECT {columns} FROM payments.disputed_orders WHERE order_id = '{order_id}'")

    order_id = api.complete(item("A"), token="pm_card_createDispute")["order_id"]
    wait_until(lambda: told("status") == [["needs_response"]], 20, "the dispute")
    intent = provider_id(ledger, order_id, "captured")
    found = told("dispute_id, psp_id, amount, currency, reason")
    assert found == [[f"dp_{intent}", intent, "999", "EUR", "fraudulent"]]
    assert metric(stack, 'payment_alarms_total{alarm="disputed"}') >= 1
    lines = [line for line in log_lines(stack, "payment-svc") if line.get("payment_intent") == intent]
    assert lines and lines[0]["level"] == "error"
    for status, age in (("lost", 0), ("under_review", 60)):
        body = json.dumps({"id": f"evt_{uuid.uuid4().hex}", "type": "charge.dispute.updated",
                           "created": int(time.time()) + 5 - age,
                           "data": {"object": {"id": f"dp_{intent}", "payment_intent": intent, "amount": 999,
                                               "currency": "eur", "reason": "fraudulent", "status": status}}})
        assert deliver(body) == 204
    wait_until(lambda: stack.sql("payments", "SELECT count(*) FROM payments.dispute_events "
                                             f"WHERE psp_id = '{intent}'") == [["3"]], 20, "the news")
    assert told("status") == [["lost"]]
    assert api.order(order_id)["status"] == "CONFIRMED"


def test_no_event_is_logged(stack, api, deliver):
    """The body may hold personal data, and the signature is a secret's trace."""
    body = event(str(uuid.uuid4()), "pi_canary")
    assert deliver(body) == 204
    text = json.dumps([log_lines(stack, name) for name in ("edge", "payment-svc")])
    assert "pi_canary" not in text and "v1=" not in text
    assert services.webhook_secret(stack.state) not in text
