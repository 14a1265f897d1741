"""Crowds that hold connections, send byte by byte or ask without end: an honest client is served meanwhile."""
import contextlib
import multiprocessing
import os
import socket
import time

import pytest

from chaos.pair import HOST
from chaos.proxies import Proxy
from dev import build
from testkit.wire import Wire, exchange, request

ATTACKERS, ADDRESSES, HONEST = 500, 8, 200
HEAD = b"POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = (b"POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{\"idempotency_key\":\"")
ASK = request("GET", "/api/products/A", headers=["Connection: close"], host=HOST)


class Crowd:
    """Slow clients from several addresses of the loopback network, each back as soon as its connection ends. They are a
    process of their own, so that an honest client of the test does not wait for them inside Python."""

    def __init__(self, port, text, seconds_per_byte=0.5):
        self._port, self._text, self._pause = port, text, seconds_per_byte
        context = multiprocessing.get_context("fork")
        self._ended, self._cut = context.Event(), context.Value("q", 0)
        self._process = context.Process(target=self._run, daemon=True)
        self._open = [None] * ATTACKERS

    @property
    def cut(self):
        """How many connections the other side has ended."""
        return self._cut.value

    def _connect(self, number):
        wire = socket.socket()
        wire.setblocking(False)
        wire.bind((f"127.0.0.{2 + number % ADDRESSES}", 0))
        wire.connect_ex(("127.0.0.1", self._port))
        return wire

    def _turn(self, number):
        """One byte of one client, or a new connection."""
        wire = self._open[number]
        try:
            if wire is None:
                self._open[number] = self._connect(number)
                return
            try:
                if wire.recv(4096) == b"":
                    raise ConnectionResetError
            except BlockingIOError:
                pass
            wire.send(b"x")
        except BlockingIOError:
            pass
        except OSError:
            self._cut.value += 1
            wire.close()
            self._open[number] = None

    def _begin(self, number):
        with contextlib.suppress(OSError):
            self._open[number].send(self._text)

    def _run(self):
        while not self._ended.is_set():
            began = time.monotonic()
            for number in range(ATTACKERS):
                fresh = self._open[number] is None
                self._turn(number)
                if fresh and self._open[number] is not None:
                    self._begin(number)
            self._ended.wait(max(0.0, self._pause / 5 - (time.monotonic() - began)))

    def __enter__(self):
        self._process.start()
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._process.join()


def p99(port):
    times = []
    for _ in range(HONEST):
        begin = time.monotonic()
        answer, _ = exchange(port, ASK, timeout=15)
        assert answer is not None and answer.status == 200
        times.append(time.monotonic() - begin)
        time.sleep(0.01)
    return sorted(times)[HONEST * 99 // 100 - 1]


@pytest.fixture(scope="module")
def behind(start_edge):
    """Its answers are timed, so it is built without a sanitizer."""
    build.build("release", ["bin/edge"])
    return start_edge("release", ALLOWED_HOSTS=f"{HOST},127.0.0.1,localhost", TRUSTED_PROXIES="127.0.0.1")


@pytest.mark.parametrize("text", [HEAD, BODY], ids=["heads", "bodies"])
def test_E2_slow_clients_leave_room(behind, text):
    with Crowd(behind.port, text) as crowd:
        longest = p99(behind.port)
    print(f"p99 {longest * 1000:.0f} ms, {crowd.cut} cut")
    assert longest < 0.5 and crowd.cut > ATTACKERS


@pytest.mark.parametrize("text", [HEAD, BODY], ids=["heads", "bodies"])
def test_E2_slow_clients_do_not_reach_an_edge_behind_nginx(behind, tmp_path_factory, text):
    folder = str(tmp_path_factory.mktemp("proxy"))
    os.chmod(folder, 0o755)
    with Proxy("nginx", folder, [behind.port] * 2) as nginx, Crowd(nginx.port, text):
        longest = p99(nginx.port)
    print(f"p99 {longest * 1000:.0f} ms")
    assert longest < 0.1


def test_R1_a_flood_without_tokens_is_limited_by_address(start_edge, issuer):
    """The flood has its 429, another address and a customer with a token have their answers."""
    edge = start_edge(ADDRESS_RATE_LIMIT="20", ADDRESS_RATE_LIMIT_BURST="40", TRUSTED_PROXIES="127.0.0.1")
    statuses = [edge.call("GET", "/api/products", headers={"X-Forwarded-For": "203.0.113.1"}).status_code
                for _ in range(200)]
    assert statuses[:40] == [200] * 40 and statuses.count(429) > 50
    logins = [edge.call("POST", "/api/auth/login", json={"email": "a@example.org", "password": "x"},
                        headers={"X-Forwarded-For": "203.0.113.1"}).status_code for _ in range(20)]
    assert logins.count(429) >= 10
    assert edge.call("GET", "/api/products", headers={"X-Forwarded-For": "203.0.113.2"}).status_code == 200
    assert edge.call("GET", "/api/orders", issuer.token("someone"),
                     headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 200


def test_E14_idle_and_pipelining_connections_leave_room(behind):
    """Connections that are kept idle after a request, and some that send a hundred at once and read nothing."""
    wires = [Wire(behind.port) for _ in range(300)]
    try:
        for number, wire in enumerate(wires):
            wire.send(request("GET", "/health/live") * (100 if number % 10 == 0 else 1))
        longest = p99(behind.port)
        assert longest < 0.5
    finally:
        for wire in wires:
            wire.__exit__()
