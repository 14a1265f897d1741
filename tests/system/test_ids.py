"""One definition of an id: what can be ordered and listed can be named in a path, as it is and percent-encoded."""
import http.client
import json
import string
import urllib.parse
import uuid

import pytest

from testkit.client import item, wait_until
from dev import build

CHARACTERS = string.ascii_letters + string.digits + "._:-"
IDS = ["sku:1", "A..B", "...", ".x", "x.", ":", "-", "_", CHARACTERS[:33], CHARACTERS[33:]]
BAD = [".", "..", "a%b", "%3A", "a/b", "a b", "a\\b", "a+b", "\u00e9", "x" * 65]


def encoded(text):
    return "".join(f"%{ord(c):02X}" for c in text)


def get_raw(stack, path):
    """As it is: neither requests nor urllib touches the path."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports["edge"], timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture(name="products", scope="module")
def fixture_products(api, stack):
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", [
        {"product_id": name, "name": "odd", "price": 100, "currency": "EUR", "on_hand": 1000} for name in IDS])
    wait_until(lambda: get_raw(stack, "/api/products/" + encoded(IDS[-1]))[0] == 200, 10, "the products")


@pytest.mark.parametrize("name", ["update", "reserve", "reservations"])
def test_a_product_named_like_a_path_is_named_percent_encoded(api, stack, name):
    body = {"name": "odd", "price": 1, "currency": "EUR", "on_hand": 5}
    assert api.call("PUT", f"/api/products/{name}", body).status_code in (200, 201)
    for path in (f"/api/products/{name}", "/api/products/" + encoded(name), "/api/inventory/" + encoded(name)):
        status, product = get_raw(stack, path)
        assert (status, product.get("product_id")) == (200, name), path


@pytest.mark.usefixtures("products")
def test_every_id_that_can_be_ordered_can_be_named_in_a_path(api, stack):
    order = api.complete(*[item(name) for name in IDS])
    assert order["status"] == "CONFIRMED"
    reserved = api.post("/api/inventory/reserve", {"idempotency_key": str(uuid.uuid4()),
                                                   "items": [item(name) for name in IDS]})
    assert reserved.status_code == 201
    assert api.call("DELETE", "/api/inventory/reservations/" + encoded(reserved.json()["reservation_id"])
                    ).json()["status"] == "RELEASED"
    listed = {product["product_id"] for product in api.get("/api/products?limit=100").json()["items"]}
    assert set(IDS) <= listed
    for name in IDS:
        assert api.set_stock(name, 499).status_code == 200, name
        assert api.post("/api/inventory/update", {"idempotency_key": str(uuid.uuid4()), "product_id": name,
                                                  "delta": 1}).json()["on_hand"] == 500, name
        for route in ("/api/products/", "/api/inventory/"):
            for given in (name, encoded(name), encoded(name).lower(), urllib.parse.quote(name, safe="")):
                status, product = get_raw(stack, route + given)
                assert (status, product.get("product_id"), product.get("on_hand")) == (200, name, 500), route + given
        assert api.get("/api/products?limit=1&cursor=" + encoded(name)).status_code == 200


def test_an_order_is_named_in_a_path_percent_encoded(api, stack):
    order_id = api.place(item("A")).json()["order_id"]
    for path in (f"/api/orders/{encoded(order_id)}", f"/api/orders/{encoded(order_id)}/events"):
        assert get_raw(stack, path)[0] == 200, path
    api.wait_final(order_id)


@pytest.mark.parametrize("name", BAD)
def test_no_other_id_is_taken_anywhere(api, stack, name):
    assert api.place(item(name)).status_code == 400
    assert api.set_stock(name, 1).status_code == 400
    assert api.post("/api/inventory/reserve", {"idempotency_key": "k", "items": [item(name)]}).status_code == 400
    for given in {encoded(name.encode().decode("latin-1")), urllib.parse.quote(name, safe="")}:
        assert get_raw(stack, "/api/products/" + given)[0] in (400, 404), given
    double = "/api/products/" + encoded(encoded("A"))
    assert get_raw(stack, double)[0] == 400  # decoded once


def test_a_quoted_idempotency_key_is_the_bare_one(api):
    key = str(uuid.uuid4())
    first = api.post("/api/orders", {"items": [item("A")]}, headers={"Idempotency-Key": f'"{key}"'})
    again = api.post("/api/orders", {"items": [item("A")]}, headers={"Idempotency-Key": key})
    in_body = api.place(item("A"), key=key)
    assert first.status_code in (201, 202) and again.status_code == in_body.status_code == 200
    assert first.json()["order_id"] == again.json()["order_id"] == in_body.json()["order_id"]
    api.wait_final(first.json()["order_id"])
