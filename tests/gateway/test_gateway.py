"""The gateway serves and refuses as its README says, and loses no request on kept connections or at the switch."""
import json
import os
import re
import socket
import time
import uuid

import pytest
from conftest import PRODUCT

from chaos.pair import Edge, Link
from dev import ports
from dev.certificates import GATEWAY
from load.traffic import Placed, Reads, Traffic
from testkit.gateway import Gateway

READ = f"/api/products/{PRODUCT}"
KEPT_RATE, KEPT_REQUESTS = 500, 20000
SLOW_RATE, SLOW_REQUESTS = 20, int(os.environ.get("GATEWAY_SLOW_REQUESTS", "600"))
PROBLEM = "content-type: application/problem+json"


def clients(gateway, mix, rate, burst=1):
    """Every answer but a 2xx, and every connection that ends without one, counts as refused."""
    return Traffic(("127.0.0.1", gateway.plain), 32, mix, rate, burst, repeats=False)


def reads():
    return Reads(READ, GATEWAY)


def raw(gateway, data, seconds=15):
    """The answer's first bytes."""
    with socket.create_connection(("127.0.0.1", gateway.plain), timeout=seconds) as wire:
        wire.sendall(data)
        return wire.recv(4096).decode()


def order(gateway, headers=(), **changes):
    """→ what curl says about an order of one product"""
    body = {"idempotency_key": str(uuid.uuid4()), "items": [{"product_id": PRODUCT, "quantity": 1}]} | changes
    words = [word for text in ("Content-Type: application/json", *headers) for word in ("-H", text)]
    return gateway.curl("/api/orders", "--http2", *words, "-d", json.dumps(body))


@pytest.mark.parametrize("version", ["http2", "http1.1"])
def test_both_versions_of_http_are_served(gateway, version):
    said = gateway.curl(READ, f"--{version}").lower()
    assert said.endswith({"http2": "200 http/2", "http1.1": "200 http/1.1"}[version]), said
    assert said.count("max-age=31536000") == 1 and "nginx/" not in said


def test_an_order_is_confirmed_over_http_2(gateway):
    said = order(gateway, ["Prefer: wait=20"])
    assert said.endswith("201 HTTP/2") and '"CONFIRMED"' in said, said


def test_old_tls_and_other_names_get_no_handshake(gateway):
    assert "curl failed" in gateway.curl(READ, "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0")
    assert "unrecognized name" in gateway.curl(READ, host="other.example")


@pytest.mark.parametrize("version", ["http2", "http1.1"])
def test_another_host_on_a_connection_of_ours_is_not_served(gateway, version):
    assert "\n421 HTTP/" in gateway.curl(READ, f"--{version}", "-H", "Host: other.example")


def test_request_ids_are_kept_if_well_formed_and_else_made(gateway):
    assert "x-request-id: client-7" in gateway.curl(READ, "-H", "X-Request-Id: client-7").lower()
    said = gateway.curl(READ, "-H", "X-Request-Id: a b\"c").lower()
    made = re.search(r"^x-request-id: (\w{32})$", said, re.M)[1]
    lines = [json.loads(line) for line in gateway.requests()]
    assert {"client-7", made} <= {line["request_id"] for line in lines}


def test_events_of_a_stream_leave_at_once(gateway):
    """The order waits for its payment, so the stream stays open."""
    placed = re.search(r'"order_id":"([^"]+)"', order(gateway, payment={"when": "later"}))[1]
    said = gateway.curl(f"/api/orders/{placed}/stream", seconds=3)
    assert "timed out" in said and "event: order.reserved" in said, said


@pytest.mark.parametrize("name, data, status", [
    ("a method that no route has", b"TRACE /api/products HTTP/1.1\r\nHost: gateway\r\n\r\n", 405),
    ("a length beside chunks", b"POST /api/orders HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("a coding of bodies that is not chunked", b"POST /api/orders HTTP/1.1\r\nHost: gateway\r\n"
                                               b"Transfer-Encoding: gzip\r\n\r\n", 501),
    ("two lengths", b"POST /api/orders HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\n"
                    b"Content-Length: 4\r\n\r\n", 400),
    ("two hosts", b"GET /api/products HTTP/1.1\r\nHost: gateway\r\nHost: other.example\r\n\r\n", 400),
    ("no host", b"GET /api/products HTTP/1.1\r\n\r\n", 400),
    ("a blank before a colon", b"GET /api/products HTTP/1.1\r\nHost : gateway\r\n\r\n", 400),
    ("a zero byte", b"GET /api/products HTTP/1.1\r\nHost: gateway\r\nX: a\0b\r\n\r\n", 400),
    ("a body over 64 KiB", b"POST /api/orders HTTP/1.1\r\nHost: gateway\r\nContent-Length: 65537\r\n\r\n", 413),
    ("a field over 8 KiB", b"GET /api/products HTTP/1.1\r\nHost: gateway\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
    ("a head over 32 KiB", b"GET /api/products HTTP/1.1\r\nHost: gateway\r\n"
                           + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 8000) for n in range(5)) + b"\r\n", 431),
])
def test_requests_of_another_form_are_refused_as_the_edge_does(gateway, name, data, status):
    said = raw(gateway, data)
    assert said.startswith(f"HTTP/1.1 {status} "), f"{name}: {said}"
    head, _, body = said.partition("\r\n\r\n")
    assert PROBLEM in head.lower() and "x-request-id: " in head.lower()
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize("data", [b"GET /api/pro", b"GET /api/products HTTP/1.1\r\nHost: gatew",
                                  b"POST /api/orders HTTP/1.1\r\nHost: gateway\r\nContent-Length: 30\r\n\r\n{"])
def test_a_request_that_stops_is_ended(gateway, data):
    begin = time.monotonic()
    try:
        said = raw(gateway, data, seconds=30)
    except ConnectionResetError:
        said = ""
    assert said == "" or said.startswith("HTTP/1.1 408 ")
    assert 4 < time.monotonic() - begin < 25


def test_a_flood_of_one_address_gets_429(stack, pair, tmp_path):
    changes = [("rate=1000r/s", "rate=1r/s"), ("burst=2000", "burst=5")]
    edges = [edge.port for edge in pair.edges]
    with Gateway(str(tmp_path), stack.certificates, edges, edges, changes) as made:
        load = clients(made, reads(), rate=200, burst=20)
        load.run(count=40)
        load.close()
        refused = [made.curl(READ).lower() for _ in range(3)][-1]
    statuses = load.statuses()
    assert statuses[429] >= 20 and statuses[200] >= 6 and set(statuses) == {200, 429}, statuses
    assert PROBLEM in refused and "retry-after: 1" in refused


def test_an_edge_that_is_gone_costs_no_request(stack, pair, tmp_path):
    """A refused connection: the order goes to the other edge, and the first is left out for 10 s."""
    edges = (ports.pick_one(()), pair.edges[0].port)
    with Gateway(str(tmp_path), stack.certificates, edges, edges) as made:
        load = clients(made, Placed([PRODUCT], GATEWAY), rate=50, burst=5)
        load.run(count=200)
        load.close()
        tries = [json.loads(line)["edge"].count(f":{edges[0]}") for line in made.requests()]
    assert not load.refused() and len(load.answers) == 200, (load.statuses(), made.log()[-3000:])
    assert 1 <= sum(tries) <= 10, "a few at once, before the first refusal counts"


# Words of nginx's error log for a connection that ended while a request was on it.
CLOSED = re.compile(r"prematurely closed|reset by peer|[Bb]roken pipe")


def _closed(gateway):
    return [line for line in gateway.log().splitlines() if CLOSED.search(line)]


def _edges_of(gateway, since):
    """Entries of the access log: the address of an edge, or several, where a request was tried again."""
    return {json.loads(line)["edge"] for line in gateway.requests()[since:]}


def test_the_switch_between_blue_and_green_loses_no_request(gateway, pair):
    """Forth and back under orders at 50/s; each group serves after its switch, and that one alone."""
    blue, green = (f"127.0.0.1:{edge.port}" for edge in pair.edges)
    load = clients(gateway, Placed([PRODUCT], GATEWAY), rate=50, burst=5)
    with load:
        time.sleep(3)
        for to_green, serves in ((True, green), (False, blue), (True, green), (False, blue)):
            gateway.switch(to_green)
            time.sleep(1.5)  # requests that were under way end
            since = len(gateway.requests())
            time.sleep(2)
            assert _edges_of(gateway, since) == {serves}
    assert not load.refused(), (load.statuses(), gateway.log()[-3000:])
    assert len(load.answers) > 400


@pytest.mark.parametrize("rate, burst, count", [(KEPT_RATE, 1, KEPT_REQUESTS), (SLOW_RATE, 5, SLOW_REQUESTS)])
def test_no_request_meets_a_closing_connection(gateway, pair, rate, burst, count):
    """Reads over connections that nginx keeps to the edge; it would repeat a read that met a closing one, and log two
    addresses. GATEWAY_SLOW_REQUESTS: how many at 20/s."""
    since = len(gateway.requests())
    load = clients(gateway, reads(), rate, burst)
    load.run(count=count)
    load.close()
    assert not _closed(gateway)
    assert len(load.answers) == count
    assert not load.refused(), (load.statuses(), gateway.log()[-3000:])
    assert _edges_of(gateway, since) == {f"127.0.0.1:{pair.edges[0].port}"}


def test_no_request_after_a_pause_meets_a_closing_connection(gateway, pair):
    """Pauses around the 60 s of nginx: what is sent after them meets an open connection, or opens one."""
    since = len(gateway.requests())
    load = clients(gateway, reads(), rate=50, burst=10)
    for pause in (0, 59.9, 60.1):
        time.sleep(pause)
        load.run(count=100)
    load.close()
    assert not _closed(gateway)
    assert not load.refused() and len(load.answers) == 300, (load.statuses(), gateway.log()[-3000:])
    assert _edges_of(gateway, since) == {f"127.0.0.1:{pair.edges[0].port}"}


def test_an_edge_that_closes_first_costs_requests(stack, tmp_path):
    """Why nginx must: an edge that keeps idle connections for 3 s, nginx for 4 s, and a slow link, on which closes and
    requests cross."""
    edge = Edge(stack, "edge-short", {"ALLOWED_HOSTS": GATEWAY, "KEEP_ALIVE_MS": "3000"})
    edge.start()
    changes = [("keepalive_timeout 60s", "keepalive_timeout 4s")]
    try:
        with Link(edge, 25) as link, \
                Gateway(str(tmp_path), stack.certificates, [link.port] * 2, [link.port] * 2, changes) as made:
            load = clients(made, reads(), rate=1000, burst=10)
            for step in range(14):
                load.run(count=10)
                time.sleep(2.89 + step / 100)
            load.run(count=10)
            load.close()
            assert load.refused() or _edges_of(made, 0) != {f"127.0.0.1:{link.port}"}
    finally:
        edge.kill()
