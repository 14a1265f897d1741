"""Requests inside requests: nginx, HAProxy and the edge must count the same. Each case sends bytes whose first request
is "outer"; the rest would be a request of its own to a reader that finds another end of the first one. The edge's
access log has what the edge has read."""
import json
import os
import re
import socket
import time
import uuid

import pytest

from chaos.pair import HOST
from chaos.proxies import Proxy
from testkit.client import wait_until
from testkit.wire import exchange, request

FRONTS = ("edge", "nginx", "haproxy")
HIDDEN = "GET /api/products HTTP/1.1\r\nHost: {host}\r\nX-Request-Id: {id}-hidden\r\n\r\n"
JSON = "Content-Type: application/json\r\n"


def post(lines, body, version="1.1", method="POST"):
    return (method + " /api/orders HTTP/" + version + "\r\nHost: {host}\r\n" + JSON + "X-Request-Id: {id}-outer\r\n"
            + lines + "\r\n" + body)


def cut_short(*lines):
    """The body is a finished chunked one, and the hidden request stands behind its end; the length says otherwise."""
    body = "0\r\n\r\n" + HIDDEN
    return post("".join(line + "\r\n" for line in lines) + "Content-Length: {all}\r\n", body)


def by_chunks(lines, chunks):
    return post(lines, chunks + HIDDEN)


CASES = {
    "CL and TE": cut_short("Transfer-Encoding: chunked"),
    "TE behind a blank": cut_short("Transfer-Encoding : chunked"),
    "TE behind a tab": cut_short("Transfer-Encoding:\tchunked"),
    "TE in capitals": cut_short("Transfer-Encoding: CHUNKED"),
    "TE of another name": cut_short("Transfer-Encoding: xchunked"),
    "TE and a second": cut_short("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "TE as a list": cut_short("Transfer-Encoding: identity, chunked"),
    "TE folded": cut_short("Transfer-Encoding:\r\n chunked"),
    "TE with a vertical tab": cut_short("Transfer-Encoding: \x0bchunked"),
    "TE in quotes": cut_short('Transfer-Encoding: "chunked"'),
    "TE with an underscore": cut_short("Transfer_Encoding: chunked"),
    "TE behind a bare LF": cut_short("X: y\nTransfer-Encoding: chunked"),
    "TE behind a bare CR": cut_short("X: y\rTransfer-Encoding: chunked"),
    "TE behind NUL": cut_short("X: \0\r\nTransfer-Encoding: chunked"),
    "TE named as hop by hop": cut_short("Connection: Transfer-Encoding", "Transfer-Encoding: chunked"),
    "CL named as hop by hop": post("Connection: Content-Length\r\nContent-Length: {hidden}\r\n", HIDDEN),
    "TE in HTTP/1.0": post("Transfer-Encoding: chunked\r\nContent-Length: {all}\r\n", "0\r\n\r\n" + HIDDEN, "1.0"),
    "two lengths": post("Content-Length: 0\r\nContent-Length: {hidden}\r\n", HIDDEN),
    "two lengths in one": post("Content-Length: 0, {hidden}\r\n", HIDDEN),
    "a length with a plus": post("Content-Length: +0\r\n", HIDDEN),
    "a negative length": post("Content-Length: -1\r\n", HIDDEN),
    "a hexadecimal length": post("Content-Length: 0x0\r\n", HIDDEN),
    "a length with a blank": post("Content-Length: 0 0\r\n", HIDDEN),
    "a length and a letter": post("Content-Length: 0a\r\n", HIDDEN),
    "a length behind a blank": post("Content-Length : {hidden}\r\n", HIDDEN),
    "a length beyond 64 bits": post("Content-Length: 18446744073709551616\r\n", HIDDEN),
    "a GET with a body": post("Content-Length: {hidden}\r\n", HIDDEN, method="GET"),
    "a HEAD with a body": post("Content-Length: {hidden}\r\n", HIDDEN, method="HEAD"),
    "a DELETE with a body": post("Content-Length: {hidden}\r\n", HIDDEN, method="DELETE"),
    "Expect and a body": post("Expect: 100-continue\r\nContent-Length: {hidden}\r\n", HIDDEN),
    "Expect of another kind": post("Expect: 100-continuex\r\nContent-Length: {hidden}\r\n", HIDDEN),
    "Upgrade": post("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: {hidden}\r\n", HIDDEN),
    "h2c": post("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
                "Content-Length: {hidden}\r\n", HIDDEN),
    "a chunk with an extension": by_chunks("Transfer-Encoding: chunked\r\n", "0;a=b\r\n\r\n"),
    "a chunk with a bare LF": by_chunks("Transfer-Encoding: chunked\r\n", "0\n\r\n"),
    "a chunk size with a plus": by_chunks("Transfer-Encoding: chunked\r\n", "+0\r\n\r\n"),
    "a chunk size with 0x": by_chunks("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n"),
    "a chunk size that wraps": by_chunks("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n\r\n"),
    "a negative chunk size": by_chunks("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"),
    "a chunk longer than said": by_chunks("Transfer-Encoding: chunked\r\n", "1\r\n{{}}\r\n0\r\n\r\n"),
    "a trailer with a length": by_chunks("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 5\r\n\r\n"),
    "an extension with a quoted end": by_chunks("Transfer-Encoding: chunked\r\n", '0;a="\r\n\r\n'),
    "a blank line before": "\r\n" + post("Content-Length: {hidden}\r\n", HIDDEN),
    "a head that ends with LF LF": post("X: y\n\n", HIDDEN),
    "a blank behind the version": post("Content-Length: {hidden}\r\n", HIDDEN, "1.1 "),
    "the version twice": post("Content-Length: {hidden}\r\n", HIDDEN, "1.1 HTTP/1.1"),
    "two hosts": post("Host: evil.example\r\nContent-Length: {hidden}\r\n", HIDDEN),
}


@pytest.fixture(scope="module")
def behind(start_edge):
    return start_edge(ALLOWED_HOSTS=f"{HOST},127.0.0.1,localhost")


@pytest.fixture(scope="module")
def ports_of(behind, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("proxies"))
    os.chmod(folder, 0o755)
    with Proxy("nginx", folder, [behind.port] * 2) as nginx, Proxy("haproxy", folder, [behind.port] * 2) as haproxy:
        yield {"edge": behind.port, "nginx": nginx.port, "haproxy": haproxy.port}


def filled(case, name):
    hidden = HIDDEN.replace("{host}", HOST).replace("{id}", name)
    found = case.replace(HIDDEN, "{hidden text}").replace("{host}", HOST).replace("{id}", name).replace("{{}}", "{}")
    return (found.replace("{all}", str(len(hidden) + 5)).replace("{hidden}", str(len(hidden)))
            .replace("{hidden text}", hidden).encode("latin-1"))


def answers_to(port, data):
    """How many final answers come before the connection has been silent for two seconds."""
    seen = b""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as wire:
        wire.sendall(data)
        try:
            while more := wire.recv(65536):
                seen += more
        except (TimeoutError, ConnectionError):
            pass
    return len(re.findall(rb"HTTP/1\.[01] [2-5]\d\d ", seen))  # a body ends without a line feed


def logged(edge, name):
    """The ids of the case's requests that the edge has read, once it has logged a later one."""
    last = f"{name}-last"
    lines = [f"X-Request-Id: {last}", "Connection: close"]
    exchange(edge.port, request("GET", "/api/products", headers=lines, host=HOST))

    def ids():
        with open(edge.log, encoding="utf-8") as file:
            return [line.get("request_id", "") for line in map(json.loads, file) if line.get("msg") == "request"]

    wait_until(lambda: last in ids(), 10, "the last line")
    return [found for found in ids() if found.startswith(name) and found != last]


@pytest.mark.parametrize("front", FRONTS)
def test_two_plain_requests_are_two_for_everybody(behind, ports_of, front):
    name = f"plain-{uuid.uuid4().hex[:8]}"
    data = "".join(f"GET /api/products HTTP/1.1\r\nHost: {HOST}\r\nX-Request-Id: {name}-{n}\r\n\r\n" for n in range(2))
    assert answers_to(ports_of[front], data.encode()) == 2
    assert sorted(logged(behind, name)) == [f"{name}-0", f"{name}-1"]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("case", CASES)
def test_E6_nobody_finds_a_hidden_request(behind, ports_of, case, front):
    """The edge alone reads at most one request of these bytes. Behind a proxy it reads at most as many as the client
    got answers to: another one's answer would go to the next client."""
    name = f"case-{uuid.uuid4().hex[:8]}"
    count = answers_to(ports_of[front], filled(CASES[case], name))
    time.sleep(0.05)
    found = logged(behind, name)
    assert len(found) <= count, (found, count)
    if front == "edge":
        assert f"{name}-hidden" not in found, found
