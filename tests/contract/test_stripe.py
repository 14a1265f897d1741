"""Each request that payment-svc and psp-records make of the provider, made again at stripe-mock, which checks it
against Stripe's own OpenAPI document. Their provider is the sandbox: stripe-mock's answers are samples."""
import os
import re
import subprocess
import time
import uuid

import pytest
import requests

from dev import build, manifests, paths, ports, private, reconcile
from dev.stack import Stack
from recorder import Recorder, send
from testkit.client import Api, item, wait_until

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
KEY = "sk_test_123"
PRODUCT = {"product_id": "A", "name": "Product A", "price": 1000, "currency": "EUR", "on_hand": 1000}
PAGE = 100  # of psp-records: one object more makes it ask for the next page
START_SECONDS = 60  # stripe-mock reads a document of 8 MB
KINDS = ("POST /v1/payment_intents", "GET /v1/payment_intents/{id}", "POST /v1/refunds", "GET /v1/refunds/{id}",
         "GET /v1/payment_intents?limit", "GET /v1/payment_intents?limit&starting_after",
         "GET /v1/payment_intents?created[gte]&limit", "GET /v1/refunds?limit", "GET /v1/refunds?limit&starting_after",
         "GET /v1/refunds?created[gte]&limit")


@pytest.fixture(scope="module")
def mock(stripe_mock):
    """stripe-mock's port."""
    port = ports.pick_one()
    with subprocess.Popen([stripe_mock, "-http-addr", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: process.poll() is not None or not ports.is_free(port), START_SECONDS, "stripe-mock")
            assert process.poll() is None
            yield port
        finally:
            process.terminate()


def refund(api, order, **members):
    answer = api.post("/api/payments/refund", {"order_id": order, "idempotency_key": str(uuid.uuid4()), **members})
    assert answer.status_code == 202, answer.text


def pay_later(api):
    """→ an order that was paid after it had been placed."""
    placed = api.place_body({"idempotency_key": str(uuid.uuid4()), "customer_id": "c", "items": [item("A", 2)],
                             "payment": {"when": "later"}}).json()["order_id"]
    api.wait_status(placed, "AWAITING_PAYMENT")
    answer = api.post("/api/payments", {"idempotency_key": str(uuid.uuid4()), "order_id": placed,
                                        "payment": {"token": "pm_card_visa"}})
    assert answer.status_code == 202, answer.text
    return api.wait_final(placed)


def pay_and_refund(api):
    """Charges and refunds, at once and pending, in whole and in part, and of an order that is paid later."""
    orders = [api.complete(item("A", 2), token=token)
              for token in (None, "pm_sandbox_processing", "pm_sandbox_refund_pending")] + [pay_later(api)]
    assert [order["status"] for order in orders] == ["CONFIRMED"] * len(orders)
    for order in orders:
        refund(api, order["order_id"], amount=500, reason="damaged")
        refund(api, order["order_id"])
    for order in orders:
        wait_until(lambda one=order: api.order(one["order_id"])["refunded"] == 2000, 60, "the refunds")


def fill_pages(url):
    """More charges and refunds at the provider than a page holds."""
    session = requests.Session()
    session.trust_env, session.headers["Authorization"] = False, f"Bearer {KEY}"
    charge = {"amount": 100, "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"}
    for _ in range(PAGE):
        intent = session.post(f"{url}/v1/payment_intents", charge, timeout=30).json()["id"]
        session.post(f"{url}/v1/refunds", {"payment_intent": intent}, timeout=30).raise_for_status()


def environments(recorder):
    found = {one.name: one.variables("system") for one in manifests.ALL}
    found["payment-svc"] |= {"PSP_URL": recorder.url, "PSP_KEY": KEY}
    found["psp-sandbox"] |= {"PSP_KEY": KEY, "SANDBOX_PENDING_MS": "1000"}
    return found


@pytest.fixture(scope="module")
def calls(stripe_mock):
    """All requests of a stack's life; asked for after stripe-mock, so that nothing starts where that is missing."""
    recorder = Recorder()

    def make(folder):
        stack = Stack(folder, preset=PRESET, overrides=environments(recorder))
        recorder.target = stack.ports["psp-sandbox"]
        return stack

    try:
        with private.stack("stripe", make) as stack:
            stack.broker.publish(build.programs(PRESET), "inventory.put-product.v1", [PRODUCT])
            api = Api(stack.url("edge"))
            wait_until(lambda: api.get("/api/products/A").status_code == 200, 60, "the product")
            pay_and_refund(api)
            fill_pages(stack.url("psp-sandbox"))
            now = int(time.time())
            assert reconcile.compare(stack, 0, now - 3600) == 0
            assert reconcile.compare(stack, now - 3600, now - 1800) == 0  # with a lower bound
    finally:
        recorder.stop()
    return recorder.calls


def kind_of(call):
    """The request without what differs from object to object."""
    path, _, query = call.path.partition("?")
    path = re.sub(r"/(pi|re)_\w+", "/{id}", path)
    names = sorted(requests.utils.unquote(part.partition("=")[0]) for part in query.split("&") if part)
    return f"{call.method} {path}" + ("?" + "&".join(names) if names else "")


def test_each_kind_of_request_was_made(calls):
    seen = {kind_of(call) for call in calls}
    assert set(KINDS) <= seen
    with open(os.path.join(paths.ROOT, "payment-svc", "src", "psp_request.h"), encoding="utf-8") as file:
        collections = re.findall(r'^#define PSP_PATH_\w+ "(.+)"', file.read(), re.M)
    assert collections and all(any(one in kind for kind in KINDS) for one in collections)
    assert {call.status for call in calls} == {200}
    keys = {re.sub(r"\w{8}(-\w{4}){3}-\w{12}", "ORDER", dict(call.headers)["Idempotency-Key"])
            for call in calls if call.method == "POST"}
    assert keys == {"charge-ORDER", "refund-ORDER-1", "refund-ORDER-2",
                    "charge-ORDER-1", "refund-ORDER-1-1", "refund-ORDER-1-2"}


def test_stripe_mock_refuses_none(calls, mock):
    refused = []
    for call in calls:
        status, _, answer = send(mock, call)
        if status != 200:
            refused.append(f"{kind_of(call)} {call.body.decode()}: {status} {answer.decode()}")
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("name, changed, status", [
    ("a parameter that there is not", {"body": lambda body: body.replace(b"payment_method=", b"payment_mode=")}, 400),
    ("an amount that is no number", {"body": lambda body: re.sub(rb"amount=\d+", b"amount=ten", body)}, 400),
    ("a path that there is not", {"path": lambda path: path + "s"}, 404),
    ("no key", {"headers": lambda headers: [one for one in headers if one[0] != "Authorization"]}, 401),
])
def test_stripe_mock_refuses_a_request_that_is_wrong(calls, mock, name, changed, status):
    charge = next(call for call in calls if kind_of(call) == "POST /v1/payment_intents")
    assert send(mock, charge)[0] == 200
    wrong = charge._replace(**{part: change(getattr(charge, part)) for part, change in changed.items()})
    if len(wrong.body) != len(charge.body):
        wrong = wrong._replace(headers=[(key, str(len(wrong.body)) if key == "Content-Length" else value)
                                        for key, value in wrong.headers])
    assert send(mock, wrong)[0] == status, name
