"""Every program restarted or killed in mid-flow, and stopped under load: nothing is lost and nothing done twice."""
import json
import signal
import time

import pytest
import requests

from conftest import SERVICES
from dev import manifests
from testkit.client import Load, item, wait_until
from testkit.wire import Wire, exchange, request

PROGRAMS = [one.name for one in manifests.ALL if not one.serves_clients]
LOADED = ("LOAD-1", "LOAD-2", "LOAD-3")


def final_states(api, order_ids, seconds=60):
    return {api.wait_final(order_id, seconds)["status"] for order_id in order_ids}


@pytest.mark.parametrize("name", PROGRAMS)
def test_restart_in_mid_flow(api, stack, name):
    with Load(api, LOADED) as load:
        load.wait_orders(30)
        assert stack.stop_service(name) == signal.SIGTERM, "it did not drain in time"
        stack.start_service(name)
        load.wait_orders(30)
    assert set(load.statuses()) <= {202}, load.statuses()
    assert final_states(api, load.accepted) == {"CONFIRMED"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_kill_in_mid_flow(api, stack, name):
    with Load(api, LOADED) as load:
        for _ in range(2):
            load.wait_orders(20)
            assert stack.kill(name)
            stack.start_service(name)
        load.wait_orders(20)
    assert set(load.statuses()) <= {202, 503}, load.statuses()
    assert final_states(api, load.accepted) == {"CONFIRMED"}


def test_edge_drains_under_load(api, stack):
    """On SIGTERM requests under way are answered; what was answered 2xx is there."""
    with Load(api, LOADED) as load:
        load.wait_orders(50)
        assert stack.stop_service("edge") == signal.SIGTERM
        stack.start_service("edge")
        load.wait_orders(50)
    assert set(load.statuses()) <= {0, 202, 503}, load.statuses()
    assert final_states(api, load.accepted) == {"CONFIRMED"}


@pytest.fixture
def edge_that_drains(stack):
    """The local stack's edge has nobody to drain for; this one takes a second and a half, and longer for kept
    connections."""
    usual = stack.overrides.get("edge", {})
    stack.stop_service("edge")
    stack.overrides["edge"] = usual | {"DRAIN_MS": "1500", "DRAIN_KEPT_MS": "65000"}
    stack.start_service("edge")
    yield
    stack.stop_service("edge")
    stack.overrides["edge"] = usual
    stack.start_service("edge")


def metrics(stack):
    return requests.get(stack.url("edge-admin") + "/metrics", timeout=5).text


def test_stopping_edge_tells_its_clients(api, stack, port, edge_that_drains):
    """Not ready at once, yet everyone is served: who waits gets a 202, who keeps a connection one more answer on it."""
    probe = request("GET", "/health/ready", headers=["Connection: close"])
    live = request("GET", "/health/live")
    stack.signal("payment-svc", signal.SIGSTOP)
    try:
        with Wire(port) as kept, Wire(port) as waiting:
            kept.send(live)
            assert "connection" not in kept.read().headers
            body = json.dumps({"idempotency_key": "stopped", "items": [item("A")]})
            waiting.send(request(headers=["Content-Type: application/json", "Prefer: wait=25"], body=body))
            wait_until(lambda: 'edge_waiting_requests{kind="long"} 1' in metrics(stack), 5, "the client that waits")
            begin = time.monotonic()
            stack.signal("edge", signal.SIGTERM)
            answer = waiting.read()
            assert answer.status == 202 and answer.headers["connection"] == "close"
            api.accepted[answer.json()["order_id"]] = answer.status
            assert time.monotonic() - begin < 1
            for listener in (port, stack.ports["edge-admin"]):
                assert exchange(listener, probe)[0].status == 503
            assert exchange(port, live)[0].headers["connection"] == "close"
            time.sleep(2)  # past DRAIN_MS: only the kept connection is left
            kept.send(live)
            answer = kept.read()
            assert answer.status == 200 and answer.headers["connection"] == "close"
            assert stack.part("edge").process.wait_end(5)
            assert stack.part("edge").process.exit_statuses()[-1] == 0
    finally:
        stack.signal("payment-svc", signal.SIGCONT)


def test_edge_killed_under_load(api, stack):
    """The edge loses its memory of accepted orders, but no order that it answered with 2xx."""
    with Load(api, LOADED) as load:
        load.wait_orders(50)
        assert stack.kill("edge")
        stack.start_service("edge")
        load.wait_orders(50)
    assert final_states(api, load.accepted) == {"CONFIRMED"}


def test_everything_restarted_at_once(api, stack):
    orders = [api.place(item("A")).json()["order_id"] for _ in range(20)]
    for name in SERVICES:
        stack.signal(name, signal.SIGTERM)
    for name in SERVICES:
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
