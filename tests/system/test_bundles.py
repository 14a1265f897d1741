"""Versions with and without bundles beside each other: a service that sends each message alone reads bundles."""
import concurrent.futures
import re
import signal

import pytest
import requests

from testkit.client import item
from test_deadlines import overridden

ORDERS = 30
# One that does not join its messages, and one that sends it bundles.
PAIRS = [("order-svc", "inventory-svc"), ("inventory-svc", "order-svc"), ("payment-svc", "order-svc")]


def bundles(stack, service, direction):
    text = requests.get(stack.url(service) + "/metrics", timeout=10).text
    return sum(int(value) for value in re.findall(
        rf'^bus_bundles_total{{direction="{direction}"}} (\d+)$', text, re.MULTILINE))


def place_at_once(api, stack):
    """order-svc finds all of them together: its messages, and the answers to these, can be joined."""
    stack.signal("order-svc", signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor(ORDERS) as pool:
            answers = list(pool.map(lambda _: api.place(item("A")), range(ORDERS)))
    finally:
        stack.signal("order-svc", signal.SIGCONT)
    assert {answer.status_code for answer in answers} == {202}
    return [answer.json()["order_id"] for answer in answers]


@pytest.mark.parametrize("plain, sender", PAIRS)
def test_a_service_without_bundles_among_others(api, stack, plain, sender):
    with overridden(stack, plain, {"BUNDLE_MAX": "1"}):
        received, sent = bundles(stack, plain, "received"), bundles(stack, sender, "published")
        orders = place_at_once(api, stack)
        assert {api.wait_final(order)["status"] for order in orders} == {"CONFIRMED"}
        assert bundles(stack, sender, "published") > sent and bundles(stack, plain, "received") > received
        assert bundles(stack, plain, "published") == 0


def test_all_with_bundles(api, stack):
    """Else what was said above would hold of a stack that never joins messages."""
    before = {service: bundles(stack, service, "published") for service, _ in PAIRS[:2]}
    for order in place_at_once(api, stack):
        assert api.wait_final(order)["status"] == "CONFIRMED"
    assert all(bundles(stack, service, "published") > count for service, count in before.items())
