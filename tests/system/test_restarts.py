"""Every program restarted or killed in mid-flow, and stopped under load: nothing is lost and nothing done twice."""
import signal
import time

import pytest

from client import Load, item

PROGRAMS = ("order-svc", "inventory-svc", "payment-svc", "psp-sandbox")
LOADED = ("LOAD-1", "LOAD-2", "LOAD-3")


def final_states(api, order_ids, seconds=60):
    return {api.wait_final(order_id, seconds)["status"] for order_id in order_ids}


@pytest.mark.parametrize("name", PROGRAMS)
def test_restart_in_mid_flow(api, stack, name):
    with Load(api, LOADED, clients=4) as load:
        load.wait_orders(30)
        assert stack.stop_service(name) == signal.SIGTERM, "it did not drain in time"
        during = len(load.order_ids)
        stack.start_service(name)
        load.wait_orders(during + 30)
    assert set(load.statuses) <= {202}, set(load.statuses)
    assert not load.failures, load.failures[:3]
    assert final_states(api, load.order_ids) == {"CONFIRMED"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_kill_in_mid_flow(api, stack, name):
    with Load(api, LOADED, clients=4) as load:
        for _ in range(2):
            load.wait_orders(len(load.order_ids) + 20)
            assert stack.kill(name)
            stack.start_service(name)
        load.wait_orders(len(load.order_ids) + 20)
    assert set(load.statuses) <= {202, 503}, set(load.statuses)
    assert not load.failures, load.failures[:3]
    assert final_states(api, load.order_ids) == {"CONFIRMED"}


def test_edge_drains_under_load(api, stack):
    """On SIGTERM requests under way are answered; what was answered 2xx is there."""
    with Load(api, LOADED, clients=8) as load:
        load.wait_orders(50)
        assert stack.stop_service("edge") == signal.SIGTERM
        stack.start_service("edge")
        load.wait_orders(len(load.order_ids) + 50)
    assert set(load.statuses) <= {202, 503}, set(load.statuses)
    assert final_states(api, load.order_ids) == {"CONFIRMED"}


def test_edge_killed_under_load(api, stack):
    """What it only remembered is gone; what it answered 2xx is not."""
    with Load(api, LOADED, clients=8) as load:
        load.wait_orders(50)
        assert stack.kill("edge")
        stack.start_service("edge")
        load.wait_orders(len(load.order_ids) + 50)
    assert final_states(api, load.order_ids) == {"CONFIRMED"}


def test_everything_restarted_at_once(api, stack):
    orders = [api.place(item("A")).json()["order_id"] for _ in range(20)]
    for name in ("edge", "order-svc", "inventory-svc", "payment-svc"):
        stack.signal(name, signal.SIGTERM)
    for name in ("edge", "order-svc", "inventory-svc", "payment-svc"):
        stack.stop_service(name)
    stack.start_services()
    assert final_states(api, orders) == {"CONFIRMED"}


def test_second_signal_ends_at_once(api, stack):
    for name in ("edge", "order-svc"):
        stack.signal(name, signal.SIGSTOP)
        stack.signal(name, signal.SIGTERM)
        stack.signal(name, signal.SIGINT)
        stack.signal(name, signal.SIGCONT)
        begin = time.monotonic()
        assert stack.part(name).process.wait_end(5)
        assert time.monotonic() - begin < 5
        stack.start_service(name)
    assert api.complete(item("A"))["status"] == "CONFIRMED"
