"""Orders are refused while order-svc's messages find no queue, and accepted orders go on."""
import re

import pytest
import requests

from testkit.client import item, wait_until
from test_deadlines import overridden


@pytest.fixture(scope="module", autouse=True)
def little_patience(stack, api, invariants_hold):
    """This module's edge refuses orders soon."""
    with overridden(stack, "edge", {"SHED_OUTBOX_AGE_MS": "2000"}):
        yield


def backlog_age(stack):
    text = requests.get(stack.url("edge-admin") + "/metrics", timeout=5).text
    return float(re.search(r"^edge_backlog_age_seconds (\S+)", text, re.M)[1])


@pytest.mark.long
def test_orders_are_refused_while_messages_do_not_go_out(api, stack):
    """The broker stands and takes orders; order-svc's own commands have no queue, and stay in its outbox."""
    before = api.complete(item("A"))["order_id"]
    where = ("bindings", stack.broker.admin.path, "e", "bus.cmd", "q", "inventory-svc")
    stack.broker.management.must("DELETE", *where, "inventory.reserve")
    try:
        stuck = api.place(item("A")).json()["order_id"]
        headers = wait_until(lambda: refusal(api), 15, "a refusal")
        assert headers["Retry-After"] == "5" and headers["Content-Type"] == "application/problem+json"
        assert backlog_age(stack) > 2
        assert stack.sql("orders", "SELECT count(*) FROM bus.outbox WHERE unroutable") != [["0"]]
        assert api.order(before)["status"] == "CONFIRMED" and api.order(stuck)["status"] == "PENDING"
        assert api.cancel(before).status_code == 409, "everything else is answered as ever"
    finally:
        stack.broker.management.must("POST", *where, body={"routing_key": "inventory.reserve"})
    assert api.wait_final(stuck, 60)["status"] == "CONFIRMED"
    wait_until(lambda: refusal(api) is None, 15, "orders taken again")
    assert api.complete(item("A"))["status"] == "CONFIRMED"


def refusal(api):
    """The headers of the answer to a new order, where that is a 503."""
    answer = api.place(item("A"))
    assert answer.status_code in (202, 503), answer.text
    return answer.headers if answer.status_code == 503 else None
