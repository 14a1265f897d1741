"""Orders that wait: those that wait only to be undone keep nobody out; too many others do, and everyone is told."""
import pytest
import requests

from testkit.client import item, wait_until
from test_deadlines import metrics, overridden


@pytest.fixture(scope="module", autouse=True)
def five_open_orders(stack, api, invariants_hold):
    """This module's order-svc takes no new orders while five are open: the number is the subject."""
    with overridden(stack, "order-svc", {"MAX_OPEN_SAGAS": "5"}):
        yield


def health(stack):
    answer = requests.get(stack.url("edge-admin") + "/health", timeout=10)
    return answer.status_code, answer.json()


def readiness(stack):
    return requests.get(stack.url("edge-admin") + "/health/ready", timeout=10).status_code


def place(api, count):
    placed = [api.place(item("A")) for _ in range(count)]
    assert [answer.status_code for answer in placed] == [202] * count
    return [answer.json()["order_id"] for answer in placed]


@pytest.mark.long
def test_orders_that_wait_for_a_human_do_not_shut_the_intake(api, stack):
    """Five wait for payment-svc to undo them; five more for their payment: only those close the intake."""
    stack.stop_service("payment-svc")
    undone = place(api, 5)
    for order_id in undone:
        api.wait_status(order_id, "RESERVED")
        assert api.cancel(order_id).status_code == 202
        api.wait_status(order_id, "COMPENSATING")
    waiting = place(api, 5)
    for order_id in waiting:
        api.wait_status(order_id, "RESERVED")
    wait_until(lambda: "orders_intake_closed 1" in metrics(stack), 15, "a closed intake")
    refused = wait_until(lambda: refusal(api), 20, "a refusal")
    assert refused["Retry-After"] == "5"
    status, report = health(stack)
    assert status == 503 and report["services"]["order_intake"] == "DOWN", report
    assert report["causes"] == {"order_intake": "order-svc takes no new orders: too many are open, or late"}
    assert readiness(stack) == 200, "orders are still read"
    assert api.order(undone[0])["status"] == "COMPENSATING"
    stack.start_service("payment-svc")
    for order_id in waiting:
        assert api.wait_final(order_id, 60)["status"] == "CONFIRMED"
    for order_id in undone:
        assert api.wait_final(order_id, 60)["status"] == "CANCELLED"
    wait_until(lambda: refusal(api) is None, 15, "orders taken again")
    wait_until(lambda: health(stack)[0] == 200, 15, "UP")


def refusal(api):
    """The headers of the answer to a new order, where that is a 503."""
    answer = api.place(item("A"))
    assert answer.status_code in (202, 503), answer.text
    return answer.headers if answer.status_code == 503 else None
