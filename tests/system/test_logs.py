"""Logs for an operator: a line per request, a trace through all services, metrics, and a reader that stalls."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest
import requests

from dev import build, services
from testkit.client import wait_until
from conftest import log_lines
from testkit.wire import Wire, exchange, request


def lines_of(stack, name, **fields):
    return [line for line in log_lines(stack, name) if isinstance(line, dict)
            and all(line.get(key) == value for key, value in fields.items())]


def test_the_trace_of_a_503_stands_in_the_log(api, stack):
    stack.stop_service("inventory-svc")
    answer = api.get("/api/products/A")
    assert answer.status_code == 503
    trace = answer.json()["trace_id"]
    assert answer.headers["traceparent"].split("-")[1] == trace
    wait_until(lambda: lines_of(stack, "edge", msg="request", trace_id=trace), 10, "a line with the trace")
    line, = lines_of(stack, "edge", msg="request", trace_id=trace)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/products/{product}", 503)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["duration_us"] > 0 and line["bytes"] == len(answer.content)


def test_an_order_is_found_by_its_request_id_in_every_log(api, stack):
    """The client's id leads to the trace, the trace through the services; the customer is named nowhere."""
    stack.overrides["order-svc"] = {"LOG_LEVEL": "debug"}
    stack.stop_service("order-svc")
    stack.start_services()
    try:
        asked = f"request-{time.time_ns()}"
        answer = api.place_body({"idempotency_key": asked, "customer_id": "c-canary-in-logs",
                                 "items": [{"product_id": "A", "quantity": 1}]}, {"X-Request-Id": asked})
        assert answer.status_code == 202 and answer.headers["X-Request-Id"] == asked
        order = answer.json()["order_id"]
        wait_until(lambda: lines_of(stack, "edge", msg="request", request_id=asked), 10, "the request's line")
        line, = lines_of(stack, "edge", msg="request", request_id=asked)
        assert line["order_id"] == order and len(line["customer"]) == 16
        messages = {"message received", "message decided", "message published"}
        wait_until(lambda: messages <= {found["msg"] for found in lines_of(stack, "order-svc", order_id=order)}, 10,
                   "the order's messages")
        found = [one for one in lines_of(stack, "order-svc", order_id=order) if one["msg"] in messages]
        assert {one["trace_id"] for one in found} == {line["trace_id"]}
        for name in ("edge", "order-svc"):
            assert "canary-in-logs" not in open(stack.log(name), encoding="utf-8", errors="replace").read()
    finally:
        del stack.overrides["order-svc"]
        stack.stop_service("order-svc")
        stack.start_services()


def test_metrics_are_on_the_admin_port_alone(stack, api):
    assert requests.get(stack.url("edge") + "/metrics", timeout=5).status_code == 404
    text = requests.get(stack.url("edge-admin") + "/metrics", timeout=5).text
    api.get("/api/products/A")
    wanted = ('http_request_duration_seconds_count{listener="api",method="GET",route="/api/products/{product}",'
              'status="2xx"}')
    assert wanted in requests.get(stack.url("edge-admin") + "/metrics", timeout=5).text
    assert "bus_log_lines_dropped_total 0" in text


def heed_hangup():
    """Also where the tests run under nohup: a program that is started with SIGHUP ignored goes on ignoring it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def deaf_edge(stack):
    """An edge of its own, without a broker, whose stderr is a pipe that nobody reads; and its port."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    reading, writing = os.pipe()
    own = {"PORT": str(ports[0]), "ADMIN_PORT": str(ports[1]), "ACCESS_LOG": "all", "PUBLIC_METRICS": "true",
           "DRAIN_MS": "0", "DRAIN_KEPT_MS": "0", "RABBITMQ_URL": "amqp://a:b@127.0.0.1:1/c"}
    env = os.environ | services.SANITIZERS | own
    process = subprocess.Popen([os.path.join(build.programs(stack.preset), "edge")], env=env, stderr=writing,
                               preexec_fn=heed_hangup)
    os.close(writing)
    try:
        yield process, ports[0], reading
    finally:
        process.kill()
        process.wait()
        os.close(reading)


def is_live(port):
    try:
        return exchange(port, request("GET", "/health/live", headers=["Connection: close"]))[0].status == 200
    except OSError:
        return False


def test_a_reader_of_logs_that_stalls_stops_nothing(deaf_edge):
    """More lines than the pipe and the ring of 1 MiB take: requests go on, and SIGHUP ends it orderly."""
    process, port, reading = deaf_edge
    wait_until(lambda: is_live(port), 30, "the edge")
    nowhere, sent = request("GET", "/nowhere"), 0
    for _ in range(40):
        with Wire(port) as wire:
            for _ in range(100):
                assert wire.send(request("GET", "/api/products?limit=0"))
                assert wire.read().status == 400
                sent += 1
            assert wire.send(nowhere) and wire.read().status == 404
            sent += 1
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    dropped = int(text.split("\nbus_log_lines_dropped_total ")[1].split()[0])
    assert 0 < dropped < sent
    os.set_blocking(reading, False)
    taken = b""

    def has_report():
        nonlocal taken
        try:
            taken += os.read(reading, 1 << 20)
        except BlockingIOError:
            pass
        return b'"log lines were dropped' in taken

    wait_until(has_report, 30, "the line that tells how many were dropped")
    report, = [json.loads(line) for line in taken.split(b"\n") if b"log lines were dropped" in line][:1]
    assert dropped <= report["dropped"] < sent  # the links, which have no broker, log as well
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 0
