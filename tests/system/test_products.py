"""Products and their stock over the API."""
import concurrent.futures
import uuid

import pytest

from testkit.client import item

MEMBERS = ["product_id", "name", "price", "currency", "on_hand", "reserved", "version"]


def is_balanced(stack, name):
    return stack.sql("inventory", "SELECT received = on_hand + reserved + sold FROM inventory.products "
                                  f"WHERE product_id = '{name}'") == [["t"]]


def test_product(api):
    for path in ("/api/products/A", "/api/inventory/A"):
        answer = api.get(path)
        assert answer.status_code == 200
        product = answer.json()
        assert list(product) == MEMBERS
        assert [product[name] for name in MEMBERS[:4]] == ["A", "Product A", 999, "EUR"]


def test_product_that_is_not_there(api):
    for path in ("/api/products/NO-SUCH", "/api/inventory/NO-SUCH", "/api/products/a", "/api/products/" + "x" * 65):
        answer = api.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_products_in_pages(api):
    everything = api.get("/api/products?limit=100").json()
    assert list(everything) == ["items", "next_cursor"]
    names = [product["product_id"] for product in everything["items"]]
    assert names == sorted(names) and {"A", "B", "C"} <= set(names)
    found, cursor = [], None
    while len(found) < len(names):
        page = api.get("/api/products?limit=4" + (f"&cursor={cursor}" if cursor else "")).json()
        found += [product["product_id"] for product in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found[:len(names)] == names


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "cursor=a%20b", "status=PENDING", "limit=1&limit=1"])
def test_products_with_a_wrong_query(api, query):
    assert api.get(f"/api/products?{query}").status_code == 400


def test_update_sets_what_is_on_hand(api, stack):
    before = api.product("B")
    answer = api.set_stock("B", 77777)
    assert answer.status_code == 200
    assert answer.json()["on_hand"] == 77777 and answer.json()["version"] > before["version"]
    assert api.product("B") == answer.json()
    assert is_balanced(stack, "B")


def test_update_again_is_not_carried_out_again(api):
    key = str(uuid.uuid4())
    assert api.set_stock("B", 50000, key).status_code == 200
    api.complete(item("B", 5))
    assert api.product("B")["on_hand"] == 49995
    answer = api.set_stock("B", 50000, key)
    assert answer.status_code == 200
    assert api.product("B")["on_hand"] == 49995


def test_update_with_a_used_key(api):
    key = str(uuid.uuid4())
    assert api.set_stock("B", 60000, key).status_code == 200
    assert api.set_stock("B", 60001, key).status_code == 422
    assert api.set_stock("C", 60000, key).status_code == 422
    assert api.product("B")["on_hand"] == 60000


def test_update_of_what_is_not_there(api):
    assert api.set_stock("NO-SUCH", 5).status_code == 404


@pytest.mark.parametrize("body, field", [
    ({"product_id": "B", "on_hand": 1}, "idempotency_key"),
    ({"idempotency_key": "k", "on_hand": 1}, "product_id"),
    ({"idempotency_key": "k", "product_id": "B"}, "on_hand"),
    ({"idempotency_key": "k", "product_id": "B", "on_hand": -1}, "on_hand"),
    ({"idempotency_key": "k", "product_id": "B", "on_hand": 1000000001}, "on_hand"),
    ({"idempotency_key": "k", "product_id": "B", "on_hand": 1, "price": 1}, "price"),
])
def test_update_with_a_wrong_body(api, body, field):
    answer = api.post("/api/inventory/update", body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_update_under_load_keeps_the_balance(api, stack):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        orders = [pool.submit(api.complete, item("C", 3)) for _ in range(40)]
        updates = [pool.submit(api.set_stock, "C", 90000 + n) for n in range(20)]
        assert {future.result().status_code for future in updates} <= {200, 202}
        assert {future.result()["status"] for future in orders} == {"CONFIRMED"}
    assert is_balanced(stack, "C")


def test_restocked_product_can_be_sold(api):
    assert api.complete(item("NONE"))["status"] == "REJECTED"
    assert api.set_stock("NONE", 1).status_code == 200
    assert api.complete(item("NONE"))["status"] == "CONFIRMED"
    assert api.complete(item("NONE"))["status"] == "REJECTED"
    assert api.product("NONE")["on_hand"] == 0
