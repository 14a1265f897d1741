"""The end of ./dev up: a small catalogue, and one order that becomes CONFIRMED."""
import json
import time
import urllib.error
import urllib.request
import uuid

from dev import build
from dev.report import DevError

PRODUCTS = 100
PLENTY = 1_000_000  # load runs must not run out of stock
CONFIRM_SECONDS = 30


def catalogue():
    """SKU-00001 … SKU-00100; the last one shows what "out of stock" looks like."""
    return [{"product_id": f"SKU-{n:05}", "name": f"Sample product {n}", "price": 949 + 50 * n, "currency": "EUR",
             "on_hand": 0 if n == PRODUCTS else PLENTY} for n in range(1, PRODUCTS + 1)]


def call(stack, method, path, body=None, token=None):
    """→ (status, decoded body) of the API. token: an access token; None: without one."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(stack.url("edge") + path, method=method, headers=headers,
                                     data=None if body is None else json.dumps(body).encode())
    handlers = [urllib.request.HTTPSHandler(context=stack.certificates.context())] if stack.certificates else []
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        return error.code, json.loads(text) if text[:1] == "{" else {}
    except OSError as error:
        raise DevError(f"{method} {path}: the edge does not answer: {error}") from None


def seed(stack):
    """Puts the catalogue there once; → how many products were sent."""
    products = catalogue()
    if call(stack, "GET", "/api/products/" + products[-1]["product_id"])[0] == 200:
        return 0
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", products)
    for product in (products[0], products[-1]):
        _wait(lambda: call(stack, "GET", "/api/products/" + product["product_id"])[0] == 200,
              f"product {product['product_id']} did not arrive in the catalogue")
    return len(products)


def place_order(stack, token=None):
    """One order, followed until it is CONFIRMED; → the order."""
    status, order = call(stack, "POST", "/api/orders", {
        "idempotency_key": str(uuid.uuid4()), "items": [{"product_id": "SKU-00001", "quantity": 2}]}, token)
    if status not in (200, 201, 202):
        raise DevError(f"POST /api/orders answered {status}: {json.dumps(order)}")
    path = "/api/orders/" + order["order_id"]
    seen = {"order": order}

    def final():
        answer, seen["order"] = call(stack, "GET", path, token=token)
        return answer == 200 and seen["order"]["status"] in ("CONFIRMED", "REJECTED", "CANCELLED")

    _wait(final, lambda: f"the order did not end within {CONFIRM_SECONDS} s: {json.dumps(seen['order'])}")
    if seen["order"]["status"] != "CONFIRMED":
        raise DevError(f"the order was not confirmed: {json.dumps(seen['order'])}")
    return seen["order"]


def _wait(condition, complaint):
    deadline = time.monotonic() + CONFIRM_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise DevError(complaint() if callable(complaint) else complaint)
        time.sleep(0.05)
