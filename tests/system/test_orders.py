"""Orders over the API: each way that one can go, answered as documented and true in the databases."""
import concurrent.futures
import re
import uuid

import pytest

from testkit.client import item

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
MEMBERS = ["order_id", "customer_id", "status", "reason", "items", "total", "currency", "refunded", "created_at",
           "updated_at", "version", "pay_by"]


def charges(ledger, order_id):
    return [line for line in ledger() if line.get("order_id") == order_id and line["type"] == "captured"]


# The way to CONFIRMED

def test_happy_path(api, ledger):
    answer = api.place(item("A", 2), customer="c-happy")
    assert answer.status_code == 202
    placed = answer.json()
    assert list(placed) == MEMBERS
    assert answer.headers["Location"] == f"/api/orders/{placed['order_id']}"
    assert "Idempotent-Replayed" not in answer.headers
    assert placed["status"] in ("PENDING", "RESERVED", "CONFIRMED")
    order = api.wait_final(placed["order_id"])
    assert list(order) == MEMBERS
    assert order["status"] == "CONFIRMED" and order["reason"] is None
    assert order["items"] == [{"product_id": "A", "quantity": 2, "unit_price": 999}]
    assert (order["total"], order["currency"], order["customer_id"]) == (1998, "EUR", "c-happy")
    assert ISO.match(order["created_at"]) and ISO.match(order["updated_at"])
    assert order["updated_at"] >= order["created_at"] and order["version"] >= 3
    assert [charge["amount"] for charge in charges(ledger, order["order_id"])] == [1998]


def test_several_items(api, ledger):
    before = {name: api.product(name) for name in ("A", "B", "C")}
    order = api.complete(item("A", 1), item("B", 3), item("C", 1000))
    assert order["status"] == "CONFIRMED"
    assert order["total"] == 999 + 3 * 2500 + 1000
    assert {line["product_id"]: line["unit_price"] for line in order["items"]} == {"A": 999, "B": 2500, "C": 1}
    after = {name: api.product(name) for name in ("A", "B", "C")}
    assert [before[name]["on_hand"] - after[name]["on_hand"] for name in ("A", "B", "C")] == [1, 3, 1000]
    assert [charge["amount"] for charge in charges(ledger, order["order_id"])] == [order["total"]]


def test_a_hundred_items(api, stack):
    from dev import build
    names = [f"MANY-{n:03}" for n in range(100)]
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", [
        {"product_id": name, "name": name, "price": 10, "currency": "EUR", "on_hand": 50} for name in names])
    from testkit.client import wait_until
    wait_until(lambda: api.get(f"/api/products/{names[-1]}").status_code == 200, 10, "the products")
    order = api.complete(*[item(name, 2) for name in names])
    assert order["status"] == "CONFIRMED" and order["total"] == 2000 and len(order["items"]) == 100


def test_expected_total_that_is_right(api):
    assert api.complete(item("A", 2), expected_total=1998)["status"] == "CONFIRMED"


def test_events_tell_the_story(api):
    order = api.complete(item("A"))
    page = api.events(order["order_id"])
    assert [event["seq"] for event in page["items"]] == list(range(1, order["version"] + 1))
    assert all(list(event) == ["seq", "type", "at", "data"] and ISO.match(event["at"]) for event in page["items"])
    assert page["next_cursor"] is None


def test_Z5_ids_are_name_based_uuids(api):
    order_id = api.complete(item("A"))["order_id"]
    assert uuid.UUID(order_id).version == 5


# The ways to REJECTED and CANCELLED

@pytest.mark.parametrize("items, expected, reason", [
    ([item("NONE")], None, "out_of_stock"),
    ([item("A"), item("NONE")], None, "out_of_stock"),
    ([item("NO-SUCH-PRODUCT")], None, "unknown_product"),
    ([item("A"), item("NO-SUCH-PRODUCT")], None, "unknown_product"),
    ([item("A", 2)], 1997, "total_mismatch"),
    ([item("A", 2)], 0, "total_mismatch"),
    ([item("A"), item("DOLLAR")], None, "mixed_currencies"),
])
def test_rejected(api, ledger, items, expected, reason):
    before = api.product("A")
    order = api.complete(*items, expected_total=expected)
    assert order["status"] == "REJECTED"
    assert reason in order["reason"]
    assert order["total"] is None and order["currency"] is None
    assert all(line["unit_price"] is None for line in order["items"])
    assert not charges(ledger, order["order_id"])
    assert api.product("A")["on_hand"] == before["on_hand"]


def test_the_last_pieces_are_sold_once(api):
    """Three pieces, twelve buyers at once."""
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        orders = list(pool.map(lambda _: api.complete(item("RARE")), range(12)))
    statuses = sorted(order["status"] for order in orders)
    assert statuses == ["CONFIRMED"] * 3 + ["REJECTED"] * 9
    product = api.product("RARE")
    assert (product["on_hand"], product["reserved"]) == (0, 0)


@pytest.mark.parametrize("token", ["pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds",
                                   "pm_card_chargeDeclinedExpiredCard", "pm_card_chargeDeclinedFraudulent"])
def test_declined_card(api, ledger, token):
    before = api.product("B")
    order = api.complete(item("B", 2), token=token)
    assert order["status"] == "CANCELLED"
    assert order["reason"]
    assert not charges(ledger, order["order_id"])
    after = api.product("B")
    assert (after["on_hand"], after["reserved"]) == (before["on_hand"], before["reserved"])


def test_unknown_token(api, ledger):
    order = api.complete(item("A"), token="pm_card_nonsense")
    assert order["status"] == "CANCELLED"
    assert not charges(ledger, order["order_id"])


# The same again

def test_replay(api):
    key = str(uuid.uuid4())
    first = api.place(item("A", 2), key=key)
    again = api.place(item("A", 2), key=key)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["order_id"] == first.json()["order_id"]
    order = api.wait_final(first.json()["order_id"])
    again = api.place(item("A", 2), key=key)
    assert again.status_code == 200 and again.json() == order


def test_replay_by_header_and_with_another_form(api):
    key = str(uuid.uuid4())
    first = api.post("/api/orders", {"items": [item("A")]}, headers={"Idempotency-Key": key})
    assert first.status_code == 202
    again = api.post("/api/orders", {"customer_id": "anonymous", "idempotency_key": key,
                                     "items": [{"quantity": 1, "product_id": "A"}]})
    assert again.status_code == 200 and again.json()["order_id"] == first.json()["order_id"]
    api.wait_final(first.json()["order_id"])


def test_same_key_other_body(api, stack):
    key = str(uuid.uuid4())
    order_id = api.place(item("A", 2), key=key).json()["order_id"]
    for other in (dict(items=[item("A", 3)]), dict(items=[item("B", 2)]), dict(items=[item("A", 2)], total=1998)):
        answer = api.place(*other["items"], key=key, expected_total=other.get("total"))
        assert answer.status_code == 422, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
    api.wait_final(order_id)
    assert api.place(item("A", 3), key=key).status_code == 422
    assert api.order(order_id)["items"][0]["quantity"] == 2


def test_two_keys_that_differ(api):
    answer = api.post("/api/orders", {"idempotency_key": "one", "items": [item("A")]},
                      headers={"Idempotency-Key": "two"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "idempotency_key"


def test_Z6_one_key_of_two_customers(api):
    key = str(uuid.uuid4())
    one = api.place(item("A"), key=key, customer="z6-one")
    two = api.place(item("B"), key=key, customer="z6-two")
    assert (one.status_code, two.status_code) == (202, 202)
    assert one.json()["order_id"] != two.json()["order_id"]
    api.wait_final(one.json()["order_id"])
    api.wait_final(two.json()["order_id"])


def test_same_key_200_times_at_once(api, stack, ledger):
    key = str(uuid.uuid4())
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: api.place(item("A", 2), key=key), range(200)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    order_ids = {answer.json()["order_id"] for answer in answers}
    assert len(order_ids) == 1
    order_id = order_ids.pop()
    order = api.wait_final(order_id)
    assert order["status"] == "CONFIRMED"
    assert stack.sql("orders", f"SELECT count(*) FROM orders.orders WHERE order_id = '{order_id}'") == [["1"]]
    assert [charge["amount"] for charge in charges(ledger, order_id)] == [1998]


def test_two_bodies_fight_for_one_key(api):
    """One wins; the other is refused, however they interleave."""
    for _ in range(5):
        key = str(uuid.uuid4())
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda n: api.place(item("A", 1 + n % 2), key=key), range(20)))
        assert {answer.status_code for answer in answers} <= {200, 202, 422}
        won = [answer.json() for answer in answers if answer.status_code != 422]
        shown = {order["items"][0]["quantity"] for order in won if order["status"] != "ACCEPTED"}
        assert len({order["order_id"] for order in won}) == 1
        assert shown <= {api.wait_final(won[0]["order_id"])["items"][0]["quantity"]}


# Waiting

@pytest.mark.parametrize("order, status", [
    (dict(items=[item("A")]), "CONFIRMED"),
    (dict(items=[item("NONE")]), "REJECTED"),
    (dict(items=[item("A")], token="pm_card_chargeDeclined"), "CANCELLED"),
])
def test_prefer_wait(api, order, status):
    answer = api.place(*order["items"], token=order.get("token"), headers={"Prefer": "wait=20"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == status
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert answer.headers["Location"] == f"/api/orders/{answer.json()['order_id']}"


@pytest.mark.parametrize("value", ["respond-async", "wait=0", "wait=x", "wait", "return=minimal"])
def test_prefer_that_asks_for_no_waiting(api, value):
    answer = api.place(item("A"), headers={"Prefer": value})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


def test_prefer_wait_of_a_crowd(api):
    """More than a quarter of the threads: the rest is answered at once, and nobody is refused."""
    with concurrent.futures.ThreadPoolExecutor(80) as pool:
        answers = list(pool.map(lambda _: api.place(item("A"), headers={"Prefer": "wait=10"}), range(80)))
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert any(answer.status_code == 201 for answer in answers)


# Cancelling

def test_cancel_at_any_point(api, ledger):
    """However the cancel meets the saga: it is CANCELLED with nothing kept, or it was too late and CONFIRMED."""
    seen = set()
    for n in range(30):
        order_id = api.place(item("A")).json()["order_id"]
        if n % 3:
            api.wait_status(order_id, ("PENDING", "RESERVED", "CONFIRMED"))
        answer = api.cancel(order_id, "changed my mind")
        assert answer.status_code in (202, 409), answer.text
        order = api.wait_final(order_id)
        assert order["status"] == ("CANCELLED" if answer.status_code == 202 else "CONFIRMED")
        seen.add(order["status"])
    assert "CANCELLED" in seen


def test_cancel_again(api):
    order_id = api.complete(item("A"), token="pm_card_chargeDeclined")["order_id"]
    answer = api.cancel(order_id)
    assert answer.status_code == 200 and answer.json()["status"] == "CANCELLED"


def test_cancel_too_late(api):
    order_id = api.complete(item("A"))["order_id"]
    answer = api.cancel(order_id)
    assert answer.status_code == 409
    assert "CONFIRMED" in answer.json()["detail"]


def test_cancel_of_what_is_not_there(api):
    for order_id in (str(uuid.uuid4()), str(uuid.uuid5(uuid.NAMESPACE_URL, "x")), "x"):
        assert api.cancel(order_id).status_code == 404


@pytest.mark.parametrize("body, field", [({"reason": ""}, "reason"), ({"reason": 1}, "reason"), ({"why": "x"}, "why"),
                                         ({"reason": "x" * 201}, "reason")])
def test_cancel_with_a_wrong_body(api, body, field):
    answer = api.post(f"/api/orders/{uuid.uuid4()}/cancel", body)
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == field


# Reading

def test_order_that_is_not_there(api):
    answer = api.get(f"/api/orders/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"
    for order_id in ("x", "018f0000-0000-7000-8000", str(uuid.uuid4()) + "0"):
        assert api.get(f"/api/orders/{order_id}").status_code == 404
        assert api.get(f"/api/orders/{order_id}/events").status_code == 404


def test_list_pages_newest_first(api):
    placed = [api.complete(item("A"), customer="c-list")["order_id"] for _ in range(7)]
    found, cursor, pages = [], None, 0
    while True:
        page = api.get("/api/orders?customer_id=c-list&limit=3" + (f"&cursor={cursor}" if cursor else "")).json()
        assert list(page) == ["items", "next_cursor"] and len(page["items"]) <= 3
        found += [order["order_id"] for order in page["items"]]
        pages += 1
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == placed[::-1]
    assert pages == 3


def test_list_filters(api):
    confirmed = api.complete(item("A"), customer="c-filter")["order_id"]
    rejected = api.complete(item("NONE"), customer="c-filter")["order_id"]
    cancelled = api.complete(item("A"), customer="c-filter", token="pm_card_chargeDeclined")["order_id"]
    for status, order_id in (("CONFIRMED", confirmed), ("REJECTED", rejected), ("CANCELLED", cancelled)):
        page = api.get(f"/api/orders?customer_id=c-filter&status={status}").json()
        assert [order["order_id"] for order in page["items"]] == [order_id]
        anybody = api.get(f"/api/orders?status={status}&limit=100").json()["items"]
        assert order_id in [order["order_id"] for order in anybody]
        assert {order["status"] for order in anybody} == {status}
    assert api.get("/api/orders?customer_id=c-nobody").json() == {"items": [], "next_cursor": None}


def test_Z7_lists_are_limited(api):
    assert len(api.get("/api/orders").json()["items"]) <= 20
    for query in ("limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "cursor=x", "cursor=", "status=DONE",
                  "page=2", "limit=1&limit=2", "customer_id=", "cursor='%20OR%201=1--"):
        answer = api.get(f"/api/orders?{query}")
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["errors"]


def test_event_pages(api):
    order = api.complete(item("A"))
    everything = api.events(order["order_id"])["items"]
    found, cursor = [], None
    while True:
        page = api.events(order["order_id"], "?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == everything
    assert api.events(order["order_id"], "?after=2")["items"] == everything[2:]
    assert api.get(f"/api/orders/{order['order_id']}/events?after=1&cursor=1").status_code == 400
    assert api.get(f"/api/orders/{uuid.uuid4()}/events").status_code == 404


@pytest.mark.parametrize("body, fields", [
    ({}, ["idempotency_key", "items"]),
    ({"idempotency_key": "k", "items": []}, ["items"]),
    ({"idempotency_key": "k", "items": [item("A"), item("A")]}, ["items[1].product_id"]),
    ({"idempotency_key": "k" * 256, "items": [item("A", 0), {"product_id": "a b", "quantity": 1}], "price": 1},
     ["idempotency_key", "items[0].quantity", "items[1].product_id", "price"]),
])
def test_wrong_body_names_each_field(api, body, fields):
    answer = api.post("/api/orders", body)
    assert answer.status_code == 400
    problem = answer.json()
    assert [error["field"] for error in problem["errors"]] == fields
    assert all(error["message"] for error in problem["errors"])
    assert problem["status"] == 400 and len(problem["trace_id"]) == 32
    told = {error["field"]: error for error in problem["errors"]}
    if "items[0].quantity" in told:
        assert told["items[0].quantity"]["value"] == 0
        assert told["items[0].quantity"]["allowed"] == "an integer from 1 to 1000"
    assert not any("value" in error for field, error in told.items() if field != "items[0].quantity")


def test_trace_goes_through_every_message(api, stack):
    """The client's trace id stands in what the services log or keep about the order."""
    trace = uuid.uuid4().hex
    answer = api.place(item("A"), headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    order_id = answer.json()["order_id"]
    api.wait_final(order_id)
    found = stack.sql("orders", "SELECT table_schema, table_name, column_name FROM information_schema.columns "
                                "WHERE table_schema = 'orders' AND column_name LIKE 'trace%'")
    assert found, "the order keeps no trace"
    schema, table, column = found[0]
    rows = stack.sql("orders", f"SELECT {column} FROM {schema}.{table} WHERE order_id = '{order_id}'")
    assert any(trace in (row[0] or "").replace("\\x", "") for row in rows), rows
