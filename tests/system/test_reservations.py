"""Reservations without an order, over the API: made, confirmed, released, expired, each once."""
import concurrent.futures
import uuid

import pytest

from testkit.client import item, wait_until

PATH = "/api/inventory/reservations"


@pytest.fixture
def name(api):
    made = f"OWN-{uuid.uuid4()}"
    body = {"name": "Held", "price": 250, "currency": "EUR", "on_hand": 10}
    assert api.call("PUT", f"/api/products/{made}", body).status_code == 201
    return made


def reserve(api, *items, key=None, **members):
    body = {"idempotency_key": key or str(uuid.uuid4()), "items": list(items)}
    return api.post("/api/inventory/reserve", body | members)


def end(api, reservation_id, word):
    return api.call("POST", f"{PATH}/{reservation_id}/{word}")


def stock(api, name):
    product = api.product(name)
    return product["on_hand"], product["reserved"]


def sold(stack, name):
    return stack.sql("inventory", f"SELECT sold FROM inventory.products WHERE product_id = '{name}'")[0][0]


def test_a_reservation_is_made_and_confirmed(api, name, stack):
    made = reserve(api, item(name, 3))
    assert made.status_code == 201
    shown = made.json()
    assert made.headers["Location"] == f"{PATH}/{shown['reservation_id']}"
    assert list(shown) == ["reservation_id", "status", "items", "total", "currency", "created_at", "expires_at"]
    assert (shown["status"], shown["total"], shown["items"][0]["unit_price"]) == ("RESERVED", 750, 250)
    assert api.get(made.headers["Location"]).json() == shown
    assert stock(api, name) == (7, 3)
    for _ in range(2):
        confirmed = end(api, shown["reservation_id"], "confirm")
        assert (confirmed.status_code, confirmed.json()["status"]) == (200, "CONFIRMED")
    assert stock(api, name) == (7, 0) and sold(stack, name) == "3"
    late = api.call("DELETE", f"{PATH}/{shown['reservation_id']}")
    assert late.status_code == 409 and "sold" in late.json()["detail"]


def test_confirm_and_release_take_an_empty_object_and_no_member(api, name):
    for word, status in (("confirm", "CONFIRMED"), ("release", "RELEASED")):
        path = f"{PATH}/{reserve(api, item(name, 1)).json()['reservation_id']}/{word}"
        wrong = api.call("POST", path, {"quantity": 1})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "quantity")
        ended = api.call("POST", path, {})
        assert (ended.status_code, ended.json()["status"]) == (200, status)


def test_a_reservation_is_released_once(api, name):
    for word in ("release", None):
        path = f"{PATH}/{reserve(api, item(name, 3)).json()['reservation_id']}"
        for _ in range(2):
            gone = api.call("POST", f"{path}/{word}") if word else api.call("DELETE", path)
            assert (gone.status_code, gone.json()["status"]) == (200, "RELEASED")
            assert stock(api, name) == (10, 0)
        late = api.call("POST", f"{path}/confirm")
        assert late.status_code == 409 and "released" in late.json()["detail"]


def test_a_reservation_expires(api, name):
    path = f"{PATH}/{reserve(api, item(name, 3), expires_in=1).json()['reservation_id']}"
    wait_until(lambda: stock(api, name) == (10, 0), 30, "the end of the reservation")
    assert api.get(path).json()["status"] == "EXPIRED"
    late = api.call("POST", f"{path}/confirm")
    assert late.status_code == 409 and "expired" in late.json()["detail"]
    assert api.call("DELETE", path).json()["status"] == "EXPIRED"
    assert stock(api, name) == (10, 0)


def test_the_same_key_makes_one_reservation(api, name):
    key = str(uuid.uuid4())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: reserve(api, item(name, 3), key=key), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert {answer.headers.get("Idempotent-Replayed") for answer in answers if answer.status_code == 200} == {"true"}
    assert len({answer.json()["reservation_id"] for answer in answers}) == 1
    assert reserve(api, item(name, 4), key=key).status_code == 422
    assert reserve(api, item(name, 3), key=key, expires_in=901).status_code == 422
    assert reserve(api, item(name, 3), key=key, expires_in=900).status_code == 200  # the default
    assert stock(api, name) == (7, 3)
    api.call("DELETE", answers[0].headers.get("Location") or f"{PATH}/{answers[0].json()['reservation_id']}")


def test_confirm_and_release_at_the_same_time(api, name, stack):
    for _ in range(5):
        made = reserve(api, item(name)).json()["reservation_id"]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda word: end(api, made, word), ("confirm", "release")))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    on_hand, reserved = stock(api, name)
    assert reserved == 0 and on_hand + int(sold(stack, name)) == 10


def test_what_is_not_there_is_refused_whole(api, name):
    refused = reserve(api, item(name, 3), item("NO-SUCH"))
    assert refused.status_code == 409 and "unknown_product (NO-SUCH)" in refused.json()["detail"]
    refused = reserve(api, item(name, 11))
    assert refused.status_code == 409 and f"out_of_stock ({name})" in refused.json()["detail"]
    assert stock(api, name) == (10, 0)


def test_an_order_s_reservation_is_none_of_these(api, name):
    order = api.complete(item(name))
    assert api.get(f"{PATH}/{order['order_id']}").status_code == 404
    for word in ("confirm", "release"):
        assert end(api, order["order_id"], word).status_code == 404
    assert api.get(f"{PATH}/{uuid.uuid4()}").status_code == 404
    assert api.get(f"{PATH}/not-an-id").status_code == 404


@pytest.mark.parametrize("changed, field", [
    ({"expires_in": 0}, "expires_in"), ({"expires_in": 86401}, "expires_in"), ({"items": []}, "items"),
    ({"items": [{"product_id": "A", "quantity": 0}]}, "items[0].quantity"),
    ({"items": [item("A"), item("A")]}, "items[1].product_id"), ({"idempotency_key": None}, "idempotency_key"),
    ({"reservation_id": str(uuid.uuid4())}, "reservation_id")])
def test_reserve_with_a_wrong_body(api, changed, field):
    body = {"idempotency_key": "k", "items": [item("A")]} | changed
    answer = api.post("/api/inventory/reserve", {name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 400 and [error["field"] for error in answer.json()["errors"]] == [field]
