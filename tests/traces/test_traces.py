"""One trace through everything, as a collector gets it."""
import concurrent.futures
import glob
import os
import re
import time

import requests

from collector import HEADER
from testkit.client import item, wait_until
from testkit.story import NAMES, SERVICES, SPANS, TOLD, TRANSACTIONS

KNOWN = {
    "SERVER": {"http.request.method", "http.route", "http.response.status_code", "url.scheme",
               "network.protocol.version", "order_id", "error.type"},
    "CONSUMER": {"messaging.system", "messaging.operation.type", "messaging.destination.name", "messaging.message.id",
                 "messaging.batch.message_count", "order_id", "bus.attempt", "bus.redelivered", "bus.outcome",
                 "error.type"},
    "CLIENT": {"db.system.name", "db.namespace", "db.operation.name", "db.operation.batch.size", "error.type",
               "http.request.method", "url.template", "server.address", "server.port", "http.response.status_code",
               "http.request.resend_count"},
}


def one_of(spans, service, kind, name):
    found = [one for one in spans if (one.service, one.kind, one.name) == (service, kind, name)]
    assert len(found) == 1, (service, kind, name, spans)
    return found[0]


def by_id(spans):
    found = {one.id: one for one in spans}
    assert len(found) == len(spans), "two spans have one id"
    return found


def test_an_order_is_one_trace(traced):
    trace, order = traced.order()
    assert order["status"] == "CONFIRMED"
    spans = traced.spans(trace, *NAMES, *TRANSACTIONS.values())
    ids = by_id(spans)
    assert SERVICES <= {one.service for one in spans} <= SERVICES | TOLD
    for place, parent in SPANS.items():
        span = one_of(spans, *place)
        if parent:
            above = ids[span.parent]
            assert (above.service, above.name) == parent, span
            assert span.start >= above.start, (span, above)
    for span in spans:
        assert span.parent in ids or span.name == "POST /api/orders" or span.name.startswith("GET "), span
        assert not span.failed, span
    for service, name in TRANSACTIONS.items():
        below = [one for one in spans if (one.service, one.name) == (service, name)]
        assert below, (service, name)
        for span in below:
            assert span.kind == "CLIENT" and ids[span.parent].service == service, span
            assert span.attributes["db.system.name"] == "postgresql", span


def test_spans_say_what_the_documents_say_and_no_more(traced, collector):
    trace, order = traced.order(customer="c-canary")
    spans = traced.spans(trace, *NAMES)
    for span in spans:
        assert set(span.attributes) <= KNOWN[span.kind], span
    place = one_of(spans, "order-svc", "CONSUMER", "process order.place.v1").attributes
    assert place["messaging.system"] == "rabbitmq" and place["messaging.operation.type"] == "process"
    assert place["messaging.destination.name"] == "order-svc.place" and place["order_id"] == order["order_id"]
    assert place["bus.outcome"] == "done" and re.fullmatch(r"[0-9a-f-]{36}", place["messaging.message.id"])
    call = one_of(spans, "payment-svc", "CLIENT", "POST /v1/payment_intents").attributes
    assert "http.request.resend_count" not in call
    assert call["server.address"] == "127.0.0.1" and call["http.response.status_code"] == 200
    sent = b"".join(collector.bodies)
    for secret in (b"c-canary", b"pm_card", b"sk_test", order["order_id"].encode() + b"/"):
        assert secret not in sent


def test_a_declined_payment_is_compensated_in_the_same_trace(traced):
    trace, order = traced.order(token="pm_card_chargeDeclined")
    assert order["status"] == "CANCELLED"
    spans = traced.spans(trace, "process payment.declined.v1", "process inventory.release.v1",
                         "process stock.released.v1")
    ids = by_id(spans)
    release = one_of(spans, "inventory-svc", "CONSUMER", "process inventory.release.v1")
    assert ids[release.parent].name == "process payment.declined.v1"
    call = one_of(spans, "payment-svc", "CLIENT", "POST /v1/payment_intents")
    assert call.failed and call.attributes["error.type"] == "402"


def test_nothing_is_recorded_of_a_trace_that_is_not_sampled(traced, collector):
    trace, _ = traced.order(sampled=False)
    later, _ = traced.order()
    traced.spans(later, *NAMES)
    assert not collector.spans(trace)


def test_nothing_is_recorded_of_pings_and_probes(stack, traced, collector):
    """The edge pings order-svc each second, and /health pings each service, in whatever trace the prober is."""
    trace, headers = traced.new()
    for _ in range(5):
        assert requests.get(stack.url("edge") + "/health", headers=headers, timeout=10).status_code == 200
        time.sleep(0.5)
    later, _ = traced.order()
    traced.spans(later, *NAMES)
    assert not collector.spans(trace)
    assert not [one for one in collector.spans() if "ping" in one.name or "health" in one.name]


def test_a_query_is_part_of_its_requests_trace(traced):
    trace, headers = traced.new()
    _, order = traced.order()
    assert traced.api.get("/api/orders?limit=5", headers=headers).status_code == 200
    spans = traced.spans(trace, "GET /api/orders", "query orders")
    query = [one for one in spans if one.kind == "CONSUMER"]
    assert len(query) == 1 and by_id(spans)[query[0].parent].name == "GET /api/orders"
    assert order["order_id"]


def test_orders_at_once_are_traces_of_their_own_and_transactions_link_to_them(traced, collector):
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        done = list(pool.map(lambda _: traced.order(item("A"), item("B")), range(36)))
    known = set()
    for trace, order in done:
        assert order["status"] == "CONFIRMED"
        spans = traced.spans(trace, *NAMES)
        by_id(spans)
        assert {(one.service, one.kind, one.name) for one in spans} >= set(SPANS)  # a slow call may be repeated
        known |= {(trace, one.id) for one in spans}
    linking = [one for one in collector.spans() if one.links]
    assert linking and all(one.name.startswith("transaction ") for one in linking)
    assert {link for one in linking for link in one.links} & known
    assert max(len(one.links) for one in linking) <= 8
    assert [one for one in collector.spans() if one.attributes.get("messaging.batch.message_count", 0) > 1]


def test_a_dead_letter_says_why(stack, traced, collector):
    """A message of someone who may not send it, under a trace."""
    trace, headers = traced.new()
    management, vhost = stack.broker.management, stack.broker.admin.path.lstrip("/")
    management.must("POST", "exchanges", vhost, "bus.cmd", "publish", body={
        "routing_key": "order.cancel", "payload": "{}", "payload_encoding": "string",
        "properties": {"type": "order.cancel.v1", "message_id": "018f4b5c-1111-7222-8333-444455556666",
                       "headers": headers}})
    spans = traced.spans(trace, "process order.cancel.v1")
    assert len(spans) == 1 and spans[0].failed and spans[0].service == "order-svc"
    assert spans[0].attributes["bus.outcome"] == "parked" and spans[0].attributes["error.type"] == "BUS_E_SENDER"
    assert spans[0].parent == headers["traceparent"].split("-")[2]
    management.must("DELETE", "queues", vhost, "order-svc.dead", "contents")


# ---- the collector ----

LOST, REJECTED = (f'bus_spans_dropped_total{{cause="{cause}"}}' for cause in ("unreachable", "rejected"))


def metric(stack, service, text):
    port = stack.ports[stack.services[service].manifest.admin]
    for line in requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text.splitlines():
        if line.startswith(text + " "):
            return float(line.split()[-1])
    return 0.0


def test_rejected_spans_are_counted(stack, traced, collector):
    collector.rejects = 1
    try:
        before = metric(stack, "order-svc", REJECTED)
        trace, _ = traced.order()
        traced.spans(trace, *NAMES)
        wait_until(lambda: metric(stack, "order-svc", REJECTED) > before, 10, "the count")
    finally:
        collector.rejects = 0


def latencies(traced, seconds):
    """Seconds that requests take which place an order, all sampled, one after the other."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        _, headers = traced.new()
        began = time.monotonic()
        assert traced.api.place(item("A"), headers=headers).status_code in (201, 202)
        found.append(time.monotonic() - began)
    return sorted(found)


def p99(found):
    return found[len(found) * 99 // 100]


def test_no_request_is_slower_while_the_collector_is_away(stack, traced, collector):
    with_it = latencies(traced, 15)
    before = {name: metric(stack, name, LOST) for name in ("edge", "order-svc")}
    collector.stop()
    try:
        without = latencies(traced, 60)
        for name, count in before.items():
            wait_until(lambda name=name, count=count: metric(stack, name, LOST) > count, 40, f"the count of {name}")
    finally:
        collector.start()
    assert p99(without) < 2 * p99(with_it) + 0.05, (p99(with_it), p99(without))
    trace = None

    def comes_back():
        nonlocal trace
        trace, _ = traced.order()
        time.sleep(2)
        return SERVICES <= {one.service for one in collector.spans(trace)}
    wait_until(comes_back, 90, "a whole trace")


def test_the_header_is_in_no_log(stack, traced):
    traced.order()
    logs = glob.glob(os.path.join(stack.state.path, "**", "*.log"), recursive=True)
    assert len(logs) >= len(SERVICES)
    for path in logs:
        with open(path, "rb") as file:
            assert HEADER.split()[1].encode() not in file.read(), path
