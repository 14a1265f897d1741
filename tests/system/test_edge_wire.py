"""The edge's gate, byte by byte: framing, headers, paths and methods. Names carry the row of the security table."""
import concurrent.futures
import json
import time

import pytest

from testkit.wire import Wire, exchange, request, trickle

JSON = "Content-Type: application/json"
CLOSE = "Connection: close"
BODY = b'{"idempotency_key":"wire","items":[{"product_id":"NO-SUCH","quantity":1}]}'
GET = request("GET", "/health/live")


def refused(port, data, *statuses):
    """The answer is one of these, a problem, and the last thing on the connection."""
    answer, closed = exchange(port, data)
    assert answer is not None and answer.status in statuses, (data[:200], answer and answer.status)
    assert closed, "the connection stays open"
    check_problem(answer)
    return answer


def check_problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status
    assert problem["title"] and len(problem["trace_id"]) == 32


def with_headers(*lines, body=BODY):
    return request(headers=(JSON, *lines), body=body)


def raw_post(*lines, body=BODY):
    """A POST without any framing of our own."""
    return request(headers=(JSON, *lines), body=body, length=False)


# Bodies

def test_E1_body_over_64_kib_is_refused_before_it_is_sent(port):
    refused(port, raw_post("Content-Length: 65537", body=b""), 413)


def test_E1_body_of_64_kib_is_read(port):
    answer, _ = exchange(port, with_headers(body=b'{"x":"' + b"a" * (65536 - 8) + b'"}'))
    assert answer.status == 400 and answer.json()["errors"]


def test_E2_slow_body_is_cut(port):
    with Wire(port) as wire:
        begin = time.monotonic()
        wire.send(raw_post(f"Content-Length: {len(BODY)}", body=b""))
        trickle(wire, BODY, 0.25, 4)
        answer = wire.read()
        took = time.monotonic() - begin
    assert answer is None or answer.status == 408
    assert took <= 2 + 3, f"deadline 2 s, cut after {took:.1f} s"


def test_E2_slow_clients_do_not_hold_up_others(port):
    """64 bodies at a byte a second; whoever behaves is answered as fast as before, or nearly."""
    def median(count=30):
        times = []
        for _ in range(count):
            begin = time.monotonic()
            answer, _ = exchange(port, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert answer.status == 200
            times.append(time.monotonic() - begin)
        return sorted(times)[count // 2]

    before = median()
    wires = [Wire(port) for _ in range(64)]
    try:
        for wire in wires:
            wire.send(raw_post(f"Content-Length: {len(BODY)}", body=BODY[:5]))
        during = median()
    finally:
        for wire in wires:
            wire.__exit__()
    assert during <= max(4 * before, 0.1), f"{before * 1000:.1f} ms before, {during * 1000:.1f} ms meanwhile"


# The head

@pytest.mark.parametrize("count", [41, 64, 65, 71])
@pytest.mark.parametrize("late", ["Content-Length: 5", "Transfer-Encoding: chunked", "Authorization: Bearer x"])
def test_E3_too_many_headers(port, count, late):
    lines = [f"X-{n}: {n}" for n in range(count - 1)] + [late]
    refused(port, raw_post(*lines, body=b"hello"), 431)


def test_E3_headers_over_8_kib(port):
    refused(port, with_headers("X-Long: " + "a" * 8200), 431)
    refused(port, with_headers(*[f"X-{n}: " + "a" * 1000 for n in range(9)]), 431)


def test_E3_forty_headers_are_fine(port):
    lines = [f"X-{n}: {n}" for n in range(38)]  # and Host, and Connection
    answer, _ = exchange(port, request("GET", "/health/live", headers=[*lines, CLOSE]))
    assert answer.status == 200


def test_E4_length_and_transfer_encoding_together(port):
    refused(port, with_headers("Transfer-Encoding: chunked"), 400, 411)
    refused(port, raw_post("Transfer-Encoding: chunked", f"Content-Length: {len(BODY)}"), 400, 411)


@pytest.mark.parametrize("length", ["3,5", "3, 5", "+3", "-3", "0x3", "3abc", "3 ", " 3 3", "1e1", "", "3.0",
                                    "12345678901234567890", "99999999999999999999999999"])
def test_E5_length_that_is_no_plain_number(port, length):
    if length.strip() == "3":
        return  # optional white space around a value is part of HTTP
    refused(port, raw_post(f"Content-Length: {length}", body=b"abc"), 400, 413)


def test_E5_two_lengths(port):
    refused(port, raw_post("Content-Length: 3", "Content-Length: 5", body=b"abcde"), 400)
    refused(port, raw_post("Content-Length: 3", "content-length: 3", body=b"abc"), 400)


@pytest.mark.parametrize("line", [
    "transfer-encoding: CHUNKED", "Transfer-Encoding : chunked", "Transfer-Encoding: identity",
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked", "TRANSFER-ENCODING: xchunked",
    "Transfer-Encoding:", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"])
def test_E6_another_transfer_encoding(port, line):
    refused(port, raw_post(line, body=b"5\r\nhello\r\n0\r\n\r\n"), 411, 400)


def chunks(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_E6_an_order_sent_in_chunks_is_taken(port, api):
    """As curl with `-T -`, and streams of Node, Python and .NET send it."""
    body = json.dumps({"idempotency_key": f"chunked-{time.time_ns()}", "items": [{"product_id": "A", "quantity": 1}]})
    half = len(body) // 2
    answer, closed = exchange(port, raw_post("Transfer-Encoding: chunked",
                                             body=chunks(body[:half].encode(), body[half:].encode())))
    assert answer.status == 202 and closed and answer.headers["connection"] == "close"
    api.accepted.setdefault(answer.json()["order_id"], answer.status)


@pytest.mark.parametrize("body", [b"2;a=b\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\nX-Trailer: a\r\n\r\n",
                                  b"000000002\r\n{}\r\n0\r\n\r\n", b"1\r2\r\n{}\r\n0\r\n\r\n"])
def test_E6_chunks_that_are_not_plain(port, body):
    refused(port, raw_post("Transfer-Encoding: chunked", body=body), 400)


def test_E6_chunks_over_the_limit(port):
    refused(port, raw_post("Transfer-Encoding: chunked", body=chunks(b"x" * 65537)), 413)
    refused(port, raw_post("Transfer-Encoding: chunked", body=chunks(*[b"x"] * 22000)), 413)


def test_E6_a_compressed_body_is_not_taken(port):
    refused(port, raw_post("Content-Encoding: gzip", f"Content-Length: {len(BODY)}"), 415)


def test_a_precondition_that_a_route_does_not_know_is_not_ignored(port):
    refused(port, raw_post('If-Match: "1"', f"Content-Length: {len(BODY)}"), 412)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health"])
def test_E7_a_probe_by_address_is_answered(port, path):
    answer, _ = exchange(port, request("GET", path, headers=[CLOSE], host="10.1.2.3:8080"))
    assert answer.status == 200


@pytest.mark.parametrize("host", [
    None, "evil.example", "localhost.evil.example", "localhost:80:80", "local host", "", "127.0.0.2",
    "localhost@evil.example", "localhost/x", "[::1", "*"])
def test_E7_host_that_is_not_ours(port, host):
    refused(port, request("GET", "/api/products", host=host), 400)


def test_E7_two_hosts(port):
    refused(port, request("GET", "/health/live", headers=["Host: localhost"]), 400)


def test_E7_absolute_target(port):
    for target in (b"http://localhost/health/live", b"http://evil.example/health/live", b"localhost:80"):
        answer, closed = exchange(port, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET)
        assert answer is None or answer.status == 400
        assert closed


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "localhost:8080", "[::1]:8080"])
def test_E7_host_that_is_ours(port, host):
    answer, _ = exchange(port, request("GET", "/api/products", headers=[CLOSE], host=host))
    assert answer.status == 200


@pytest.mark.parametrize("data", [
    b"GET /health/live HTTP/1.1\nHost: localhost\n\n",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\n\r\n",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n folded\r\n\r\n",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-A : b\r\n\r\n",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n: b\r\n\r\n",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-A: b\0c\r\n\r\n",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-A: b\x01c\r\n\r\n",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX\x7fA: b\r\n\r\n",
    b"GET  /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /health/live  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /health/live\r\nHost: localhost\r\n\r\n",
    b"GET /health/live HTTP/2.0\r\nHost: localhost\r\n\r\n",
    b"GET /health/live HTTP/1.1\r\nno colon\r\nHost: localhost\r\n\r\n",
])
def test_E8_doubtful_bytes_in_the_head(port, data):
    answer, closed = exchange(port, data + GET)
    assert answer is None or answer.status in (400, 505), answer.status
    assert closed, "a second request was read"


# Methods and paths

PATHS = ["/api/orders", "/api/orders/018f0000-0000-7000-8000-000000000001", "/api/products", "/health",
         "/api/inventory/update", "/api/orders/018f0000-0000-7000-8000-000000000001/cancel"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO", "get"])
def test_E9_method_that_a_path_has_not(port, method):
    for path in PATHS:
        answer, _ = exchange(port, request(method, path, headers=[CLOSE]))
        assert answer.status == 405, (method, path, answer.status)
        check_problem(answer)
    assert "access-control-allow-origin" not in answer.headers


def test_E9_allow_names_what_there_is(port):
    answer, _ = exchange(port, request("DELETE", "/api/orders", headers=[CLOSE]))
    assert {word.strip() for word in answer.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("path", [
    "/API/orders", "/api/Orders", "/api/orders/", "/api//orders", "//api/orders", "/api/./orders", "/api/../api/orders",
    "/health/live/..", "/api/orders%00", "/api/orders%0d%0aX:y", "/api/%6frders", "/%2e%2e/etc/passwd", "/..%2f..%2f",
    "/api/orders;x=1", "/api/orders\\x", "/", "/index.html", "/.git/config", "/etc/passwd", "*", "/api/products/a%20b",
    "/api/products/\xe4", "/api/orders#x", "/api/products/a b",
])
def test_E10_E12_path_that_no_route_has(port, path):
    answer, _ = exchange(port, request("GET", path, headers=[CLOSE]))
    assert answer is None or answer.status in (400, 404), (path, answer.status)


def test_E11_preflight_gets_no_cors(port):
    answer, _ = exchange(port, request("OPTIONS", "/api/orders", headers=[
        "Origin: https://evil.example", "Access-Control-Request-Method: POST", CLOSE]))
    assert answer.status == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]
    answer, _ = exchange(port, request("GET", "/health/live", headers=[
        "Origin: https://evil.example", CLOSE]))
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
                                  "application/jsonx", "application/json; charset=utf-16", "application/xml",
                                  "application/problem+json", ""])
def test_E13_body_of_another_kind(port, kind):
    answer, _ = exchange(port, request(headers=[f"Content-Type: {kind}", CLOSE], body=BODY))
    assert answer.status == 415, answer.status
    check_problem(answer)


def test_E13_body_of_no_kind(port):
    answer, _ = exchange(port, request(headers=[CLOSE], body=BODY))
    assert answer.status == 415


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8",
                                  "Application/JSON;charset=UTF-8"])
def test_E13_json(port, kind):
    answer, _ = exchange(port, request(headers=[f"Content-Type: {kind}", CLOSE], body=b"{}"))
    assert answer.status == 400 and answer.json()["errors"]


# Connections

def test_E14_several_requests_on_a_connection(port):
    with Wire(port) as wire:
        for _ in range(5):
            wire.send(GET)
            assert wire.read().status == 200


def test_E14_nothing_is_read_behind_an_error(port):
    with Wire(port) as wire:
        wire.send(raw_post("Content-Length: 3", "Content-Length: 3", body=b"abc") + GET)
        assert wire.read().status == 400
        assert wire.is_closed()


def test_E14_idle_connection_is_kept(port):
    """Longer than any pool of clients takes to use it again; how long exactly is a unit test's."""
    with Wire(port) as wire:
        wire.send(GET)
        assert wire.read().status == 200
        assert not wire.is_closed(3)
        wire.send(GET)
        assert wire.read().status == 200


@pytest.mark.parametrize("first", [b"", GET], ids=["silent", "kept"])
def test_E15_idle_crowd_does_not_shut_the_edge(stack, port, first):
    """More idle connections than threads, and nobody notices."""
    wires = [Wire(port) for _ in range(300)]
    try:
        for wire in wires:
            wire.send(first)
        answers = [wire.read() for wire in wires] if first else []
        assert all(answer.status == 200 for answer in answers)
        for listener in (port, stack.ports["edge-admin"]):
            begin = time.monotonic()
            answer, _ = exchange(listener, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), timeout=15)
            assert answer is not None and answer.status == 200
            assert time.monotonic() - begin < 1
    finally:
        for wire in wires:
            wire.__exit__()


def test_E16_headers_of_every_answer(port):
    for data, status in ((request("GET", "/health/live", headers=[CLOSE]), 200),
                         (request("GET", "/nothing", headers=[CLOSE]), 404), (with_headers(CLOSE, body=b"{"), 400)):
        answer, _ = exchange(port, data)
        assert answer.status == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_E17_errors_say_nothing_of_the_inside(port):
    words = ("select", "insert", "postgres", "libpq", "civetweb", "/home", "/usr", ".c:", "0x", "amqp")
    for data in (request("GET", "/nothing", headers=[CLOSE]), with_headers(CLOSE, body=b"{"),
                 with_headers(CLOSE, body=b"[]"), request("GET", "/api/orders?cursor='%20OR%201=1", headers=[CLOSE]),
                 request("GET", "/api/orders?limit=1e9", headers=[CLOSE]),
                 request("GET", "/api/orders/x'--", headers=[CLOSE]), request("PUT", "/api/orders", headers=[CLOSE])):
        answer, _ = exchange(port, data)
        text = answer.body.decode().lower()
        assert not [word for word in words if word in text], text


@pytest.mark.parametrize("lines", [
    ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="],
    ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]])
def test_E18_upgrades_are_ignored(port, lines):
    answer, _ = exchange(port, request("GET", "/health/live", headers=lines))
    assert answer.status in (200, 400, 404)
    assert "upgrade" not in answer.headers


def test_E18_http2_preface_is_no_request(port):
    answer, closed = exchange(port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert answer is None or answer.status in (400, 405, 505)
    assert closed


# Bodies

@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"null", b"[]", b"{}x", BODY + b"{}", BODY[:-1] + b",}", b"\xef\xbb\xbf" + BODY, BODY + b"\0",
    BODY.replace(b"wire", b"a\0b"), BODY.replace(b"wire", rb"a\u0000b"), BODY.replace(b"wire", b"\xff"),
    BODY.replace(b"wire", b"\xc0\x80"), BODY.replace(b"wire", rb"\ud800"),
    BODY[:-1] + b',"idempotency_key":"again"}', BODY[:-1] + b',"x":' + b"[" * 9 + b"]" * 9 + b"}",
    BODY[:-1] + b',"x":' + b"[" * 30000 + b"]" * 30000 + b"}", BODY[:-1] + b',"x":[' + b"0," * 30000 + b"0]}",
])
def test_J1_body_that_is_not_strictly_json(port, body):
    answer, _ = exchange(port, with_headers(CLOSE, body=body))
    assert answer.status == 400, answer.body
    assert answer.json()["errors"]


@pytest.mark.parametrize("value", ["10.5", "1e2", "1E2", "01", "-0.5", "-1", "9007199254740993", "1000000000001",
                                   '"5"', "true"])
def test_J2_money_that_is_no_plain_integer(port, value):
    body = BODY[:-1] + f',"expected_total":{value}}}'.encode()
    answer, _ = exchange(port, with_headers(CLOSE, body=body))
    assert answer.status == 400, answer.body


@pytest.mark.parametrize("value", ["0", "-1", "1001", "1.0", "1e1", "18446744073709551617", '"1"', "null"])
def test_J3_quantity_out_of_range(port, value):
    body = f'{{"idempotency_key":"wire","items":[{{"product_id":"NO-SUCH","quantity":{value}}}]}}'.encode()
    answer, _ = exchange(port, with_headers(CLOSE, body=body))
    assert answer.status == 400, answer.body
    assert answer.json()["errors"][0]["field"] in ("items[0].quantity", "")


def test_Z3_fields_that_are_not_the_clients(port):
    for extra in (b'"status":"CONFIRMED"', b'"total":1', b'"order_id":"018f0000-0000-7000-8000-000000000001"',
                  b'"request_hash":"x"', b'"unit_price":1'):
        answer, _ = exchange(port, with_headers(CLOSE, body=BODY[:-1] + b"," + extra + b"}"))
        assert answer.status == 400, (extra, answer.body)


@pytest.mark.parametrize("sent", ["00-" + "0" * 32 + "-0000000000000001-01", "00-XYZ", "x" * 55,
                                  "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}{\"level\":\"error\""])
def test_L3_trace_that_is_malformed_is_replaced(port, sent):
    answer, _ = exchange(port, request("GET", "/nothing", headers=[f"traceparent: {sent}", CLOSE]))
    trace = answer.json()["trace_id"]
    assert len(trace) == 32 and set(trace) <= set("0123456789abcdef") and trace not in sent


def test_L3_trace_that_is_well_formed_is_continued(port):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer, _ = exchange(port, request("GET", "/nothing", headers=[f"traceparent: 00-{trace}-00f067aa0ba902b7-01",
                                                                   CLOSE]))
    assert answer.json()["trace_id"] == trace


def test_E15_flood_of_connections_leaves_the_edge_alive(port):
    data = request("GET", "/health/live", headers=[CLOSE])
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: exchange(port, data, 20), range(400)))
    assert all(answer is not None and answer.status == 200 for answer, _ in answers)
