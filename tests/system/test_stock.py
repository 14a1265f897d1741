"""Stock updates over the API: by delta, under If-Match, once for each key, and several at the same time."""
import concurrent.futures
import uuid

import pytest

from testkit.client import item


def put(api, name, on_hand, **changed):
    body = {"name": f"Stock {name}", "price": 250, "currency": "EUR", "on_hand": on_hand} | changed
    return api.call("PUT", f"/api/products/{name}", body)


@pytest.fixture
def name(api):
    made = f"STOCK-{uuid.uuid4()}"
    assert put(api, made, 10).status_code == 201
    return made


def update(api, name, key=None, if_match=None, **amount):
    body = {"idempotency_key": key or str(uuid.uuid4()), "product_id": name} | amount
    return api.post("/api/inventory/update", body, headers={"If-Match": if_match} if if_match else None)


def tag(api, name):
    return api.get(f"/api/inventory/{name}").headers["ETag"]


def test_a_delta_changes_what_is_on_hand(api, name):
    assert update(api, name, delta=5).json()["on_hand"] == 15
    answer = update(api, name, delta=-15)
    assert (answer.status_code, answer.json()["on_hand"]) == (200, 0)
    assert answer.headers["ETag"] == tag(api, name) == '"1.3"'


def test_a_delta_never_takes_what_is_reserved(api, name):
    made = api.post("/api/inventory/reserve", {"idempotency_key": str(uuid.uuid4()), "items": [item(name, 4)]})
    refused = update(api, name, delta=-7)
    assert refused.status_code == 409 and "only 6 are on hand" in refused.json()["detail"]
    assert update(api, name, delta=-6).json()["on_hand"] == 0
    assert api.call("DELETE", made.headers["Location"]).status_code == 200
    assert api.product(name)["on_hand"] == 4
    assert update(api, name, delta=999_999_996).status_code == 200
    assert update(api, name, delta=1).status_code == 409


def test_a_delta_is_carried_out_once_for_each_key(api, name):
    key = str(uuid.uuid4())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: update(api, name, key, delta=3), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert api.product(name)["on_hand"] == 13
    for other in ({"delta": 4}, {"on_hand": 13}):
        assert update(api, name, key, **other).status_code == 422
    assert update(api, "A", key, delta=3).status_code == 422


def test_deltas_at_the_same_time_all_count(api, name, stack):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: update(api, name, delta=-1 if n % 2 else 2), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert api.product(name)["on_hand"] == 10 + 20 * 2 - 20
    assert stack.sql("inventory", "SELECT received - on_hand FROM inventory.products "
                                  f"WHERE product_id = '{name}'") == [["0"]]


def test_of_updates_under_one_tag_one_succeeds(api, name):
    known = tag(api, name)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: update(api, name, if_match=known, on_hand=20 + n), range(8)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [412] * 7
    good = next(answer for answer in answers if answer.status_code == 200)
    assert api.product(name) == good.json()


def test_if_match_of_a_stock_update(api, name):
    known, key = tag(api, name), str(uuid.uuid4())
    assert update(api, name, key, if_match=known, on_hand=7).status_code == 200
    assert update(api, name, key, if_match=known, on_hand=7).status_code == 200  # a repeat
    assert update(api, name, if_match=known, delta=1).status_code == 412
    assert update(api, name, if_match="*", delta=1).json()["on_hand"] == 8
    assert update(api, name, if_match=tag(api, name), delta=1).json()["on_hand"] == 9
    for other in ("W/" + tag(api, name), '"x"', '"1.4", "1.5"'):
        assert update(api, name, if_match=other, on_hand=1).status_code == 412, other
    assert update(api, "NO-SUCH", if_match='"1.1"', on_hand=1).status_code == 404
    assert api.product(name)["on_hand"] == 9


def test_a_product_that_sells_is_changed_under_if_match(api, name):
    known = api.get(f"/api/products/{name}").headers["ETag"]
    assert api.complete(item(name))["status"] == "CONFIRMED"
    assert tag(api, name) != known
    body = {"name": "Renamed", "price": 251, "currency": "EUR"}
    changed = api.call("PUT", f"/api/products/{name}", body, headers={"If-Match": known})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    again = api.call("PUT", f"/api/products/{name}", body | {"price": 252}, headers={"If-Match": known})
    assert again.status_code == 412


@pytest.mark.parametrize("amount, field", [
    ({}, "on_hand"), ({"on_hand": 1, "delta": 1}, "delta"), ({"delta": 1_000_000_001}, "delta"),
    ({"delta": -1_000_000_001}, "delta"), ({"delta": 0.5}, "delta")])
def test_an_update_with_a_wrong_amount(api, name, amount, field):
    answer = update(api, name, **amount)
    assert answer.status_code == 400 and [error["field"] for error in answer.json()["errors"]] == [field]
