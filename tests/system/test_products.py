"""Products and their stock over the API."""
import concurrent.futures
import uuid

import pytest

from testkit.client import item

MEMBERS = ["product_id", "name", "price", "currency", "on_hand", "reserved", "version", "withdrawn", "stock_version"]


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
    assert answer.json()["on_hand"] == 77777 and answer.json()["stock_version"] == before["stock_version"] + 1
    assert answer.json()["version"] == before["version"]
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


# The catalogue

def put(api, name, headers=None, /, **changed):
    body = {"name": f"Product {name}", "price": 250, "currency": "EUR"} | changed
    return api.call("PUT", f"/api/products/{name}", body, headers=headers)


def test_a_product_is_added_and_changed(api, stack):
    answer = put(api, "PUT-1", on_hand=3)
    assert answer.status_code == 201 and answer.json()["on_hand"] == 3 and answer.json()["version"] == 1
    answer = put(api, "PUT-1", price=300, on_hand=99)
    assert answer.status_code == 200
    assert (answer.json()["price"], answer.json()["on_hand"], answer.json()["version"]) == (300, 3, 2)
    assert put(api, "PUT-1", price=300).json()["version"] == 2
    assert api.product("PUT-1") == put(api, "PUT-1", price=300).json()
    assert is_balanced(stack, "PUT-1")


def test_if_match_and_if_none_match(api):
    assert put(api, "PUT-2", {"If-Match": "*"}).status_code == 412
    assert put(api, "PUT-2", {"If-None-Match": "*"}).status_code == 201
    assert put(api, "PUT-2", {"If-None-Match": "*"}, price=1).status_code == 412
    assert put(api, "PUT-2", {"If-Match": '"1"'}, price=2).status_code == 200
    assert put(api, "PUT-2", {"If-Match": '"1"'}, price=3).status_code == 412
    assert put(api, "PUT-2", {"If-Match": '"1"'}, price=2).status_code == 200  # a repeat: it is so already
    for tag in ('W/"2"', "2", '"x"', '"2", "3"'):
        assert put(api, "PUT-2", {"If-Match": tag}, price=3).status_code == 412, tag
    assert put(api, "PUT-2", {"If-Unmodified-Since": "Sun, 29 Nov 2026 12:00:00 GMT"}).status_code == 412
    assert api.product("PUT-2")["price"] == 2


@pytest.mark.parametrize("changed, field", [
    ({"price": -1}, "price"), ({"name": ""}, "name"), ({"name": "x" * 201}, "name"), ({"currency": "EURO"}, "currency"),
    ({"on_hand": -1}, "on_hand"), ({"version": 1}, "version"), ({"product_id": "B"}, "product_id")])
def test_put_with_a_wrong_body(api, changed, field):
    answer = put(api, "PUT-3", **changed)
    assert answer.status_code == 400 and [error["field"] for error in answer.json()["errors"]] == [field]
    assert api.get("/api/products/PUT-3").status_code == 404


def test_a_withdrawn_product_is_not_sold_until_it_is_put_again(api, stack):
    put(api, "GONE", on_hand=5)
    version = api.product("GONE")["version"]
    assert api.call("DELETE", "/api/products/GONE", headers={"If-Match": f'"{version + 1}"'}).status_code == 412
    answer = api.call("DELETE", "/api/products/GONE", headers={"If-Match": f'"{version}"'})
    assert answer.status_code == 200 and answer.json()["withdrawn"] is True
    assert api.call("DELETE", "/api/products/GONE").status_code == 200
    assert api.product("GONE") == answer.json()
    listed = [product["product_id"] for product in api.get("/api/products?limit=100").json()["items"]]
    assert "GONE" not in listed and "A" in listed
    order = api.complete(item("GONE"))
    assert order["status"] == "REJECTED" and "withdrawn" in order["reason"]
    assert put(api, "GONE").status_code == 200
    assert api.complete(item("GONE"))["status"] == "CONFIRMED"
    assert is_balanced(stack, "GONE")


def test_withdrawing_what_is_not_there(api):
    assert api.call("DELETE", "/api/products/NO-SUCH").status_code == 404


def listed(api, query):
    """→ the ids of all pages of two."""
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/api/products?limit=2&{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert page.status_code == 200, page.text
        found += [product["product_id"] for product in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    return found


@pytest.fixture(scope="module")
def shelf(api):
    for name, price, title, on_hand in (("S-1", 300, "Red wooden chair", 1), ("S-2", 100, "Red metal chair", 0),
                                        ("S-3", 200, "Blue wooden chair", 5), ("S-4", 200, "Red sofa", 5),
                                        ("S-5", 200, "Red armchair", 5)):
        assert put(api, name, name=title, price=price, on_hand=on_hand).status_code == 201
    assert api.call("DELETE", "/api/products/S-5").status_code == 200


@pytest.mark.parametrize("query, found", [
    ("q=chair", ["S-1", "S-2", "S-3"]),
    ("q=RED+chair", ["S-1", "S-2"]),
    ("q=%22wooden+chair%22", ["S-1", "S-3"]),
    ("q=chair+-red", ["S-3"]),
    ("q=armchair", []),
    ("q=%26%7C%21%28", []),
    ("q=chair&in_stock=true", ["S-1", "S-3"]),
    ("q=chair&sort=price", ["S-2", "S-3", "S-1"]),
    ("q=chair&sort=-price", ["S-1", "S-3", "S-2"]),
    ("q=red&min_price=200&max_price=300&sort=price", ["S-4", "S-1"]),
    ("min_price=200&max_price=200&sort=-price", ["S-4", "S-3"]),
    ("min_price=100&max_price=300&sort=price", ["S-2", "S-3", "S-4", "S-1"]),
    ("min_price=301&max_price=300", []),
])
def test_products_are_searched(api, shelf, query, found):
    assert [name for name in listed(api, query) if name.startswith("S-")] == found


@pytest.mark.parametrize("query", ["sort=name", "min_price=-1", "min_price=x", "in_stock=2", "q=", "q=" + "x" * 201,
                                   "sort=price&cursor=A", "sort=price&cursor=5:", "sort=price&cursor=5:..", "cursor=..",
                                   "q=a&q=b"])
def test_a_search_with_a_wrong_query(api, query):
    assert api.get(f"/api/products?{query}").status_code == 400
