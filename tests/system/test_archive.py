"""Old orders in the archive: their keys still replay, their events are still shown, and they can be refunded."""
import uuid

import pytest

from testkit.client import Load, item, wait_until

LOADED = ("LOAD-1", "LOAD-2", "LOAD-3")
LEFT = "SELECT count(*) FROM orders.order_events e JOIN orders.orders o USING (order_id) WHERE o.order_id IN ({ids});"


ARCHIVE = "SET SESSION AUTHORIZATION orders_migrator; SET ROLE orders_owner; CALL orders.archive('0 s', 100);"


def archive(stack):
    """As orders_migrator's timer does, but of all that is final now; → how many events moved."""
    return int(stack.sql("orders", ARCHIVE)[0][0])


@pytest.mark.long
def test_orders_that_are_archived_under_load_stay_what_they_were(api, stack):
    key = str(uuid.uuid4())
    with Load(api, LOADED) as load:
        load.wait_orders(200, seconds=60)
        placed = api.place(item("A", 2), key=key).json()
        order = api.wait_final(placed["order_id"])
        load.wait_orders(100, seconds=60)
        early = load.accepted[:250]
        assert {api.wait_final(order_id, 60)["status"] for order_id in early} == {"CONFIRMED"}
        before = api.events(order["order_id"])
        assert archive(stack) >= 4 * len(early)
        load.wait_orders(200, seconds=60)
    assert set(load.statuses()) == {202}
    ids = ", ".join(f"'{one}'" for one in [order["order_id"], *early])
    assert stack.sql("orders", LEFT.format(ids=ids))[0][0] == "0"
    assert api.events(order["order_id"]) == before
    assert api.order(order["order_id"]) == order
    again = api.place(item("A", 2), key=key)
    assert again.status_code == 200 and again.json()["order_id"] == order["order_id"]
    other = api.place(item("A", 3), key=key)
    assert other.status_code == 422, other.text


def test_a_refund_of_an_archived_order_continues_its_events(api, stack):
    order = api.complete(item("A", 2))
    archive(stack)
    before = api.events(order["order_id"])["items"]
    answer = api.post("/api/payments/refund", {"order_id": order["order_id"], "amount": 500,
                                               "idempotency_key": str(uuid.uuid4())})
    assert answer.status_code == 202, answer.text
    wait_until(lambda: api.order(order["order_id"])["refunded"] == 500, 20, "the refund")
    after = api.events(order["order_id"])["items"]
    assert after[:len(before)] == before and len(after) > len(before)
    assert [one["seq"] for one in after] == list(range(1, len(after) + 1))


def pay(api, order_id, key):
    return api.post("/api/payments", {"idempotency_key": key, "order_id": order_id,
                                      "payment": {"token": "pm_card_visa"}})


def test_a_payment_of_an_archived_order_is_answered_again(api, stack):
    answer = api.place_body({"idempotency_key": str(uuid.uuid4()), "items": [item("A")], "payment": {"when": "later"},
                             "customer_id": f"archive-{uuid.uuid4()}"})
    order_id = api.wait_status(answer.json()["order_id"], "AWAITING_PAYMENT")["order_id"]
    key = str(uuid.uuid4())
    assert pay(api, order_id, key).status_code == 202
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    before = pay(api, order_id, key)
    assert archive(stack) >= 4
    again = pay(api, order_id, key)
    assert (again.status_code, again.json()) == (before.status_code, before.json())
    assert pay(api, order_id, str(uuid.uuid4())).status_code == 409
