"""Each way to spoil a link, as both ends of a connection see it."""
import contextlib
import socket
import threading
import time

import pytest

from dev import manifests
from dev.gotool import TOXIPROXY
from dev.runner import temporary_folder
from dev.state import State
from chaos.links import TABLE, Link, Proxies

pytestmark = pytest.mark.skipif(not TOXIPROXY.installed(), reason=TOXIPROXY.missing())


class Echo:
    """A server that sends back what it gets."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)
        connection.close()


@pytest.fixture(scope="module")
def proxies():
    with temporary_folder("chaos-links") as folder:
        made = Proxies(State(folder + "/state").create(), {"order-pg": Echo().port})
        made.start()
        yield made
        made.stop()


@pytest.fixture
def link(proxies):
    made = Link(proxies, "order-pg")
    yield made
    made.clear()


@pytest.fixture
def connection(proxies, link):
    with connect(proxies) as made:
        assert said(made) == b"x"
        yield made


def connect(proxies):
    return socket.create_connection(("127.0.0.1", proxies.ports["order-pg"]), timeout=10)


def said(connection, data=b"x", seconds=10):
    """Bytes that come back: all of them, b"" at an end, None in silence, "reset"."""
    connection.settimeout(seconds)
    found = b""
    try:
        connection.sendall(data)
        while len(found) < len(data):
            got = connection.recv(65536)
            if not got:
                return b""
            found += got
    except TimeoutError:
        return None
    except ConnectionError:
        return "reset"
    return found


def timed(call):
    begin = time.monotonic()
    return call(), time.monotonic() - begin


def test_whole(connection):
    found, took = timed(lambda: said(connection, b"y" * 100000))
    assert found == b"y" * 100000 and took < 5


def test_cut_is_silent_and_then_ends(proxies, link, connection):
    link.cut(after_ms=500)
    found, took = timed(lambda: said(connection))
    assert found in (b"", "reset") and took > 0.3
    with connect(proxies) as another:
        assert said(another) in (b"", "reset")


@pytest.mark.parametrize("stream", ("upstream", "downstream"))
def test_half_open_is_silent_and_does_not_end(proxies, link, connection, stream):
    link.half_open(stream)
    assert said(connection, seconds=1.5) is None
    with connect(proxies) as another:
        assert said(another, seconds=0.5) is None


def test_reset(proxies, link, connection):
    link.reset()
    assert said(connection) in (b"", "reset")
    with connect(proxies) as another:
        assert said(another) == "reset"


def test_slow_close_ends_late(link, connection):
    link.slow_close(delay_ms=1500)
    found, took = timed(lambda: said(connection))
    assert found == b"" and took > 1


def test_down_ends_and_refuses(proxies, link, connection):
    link.down()
    assert said(connection) in (b"", "reset")
    with pytest.raises(ConnectionRefusedError):
        connect(proxies)


def test_slow(link, connection):
    link.slow(latency_ms=400)
    found, took = timed(lambda: said(connection))
    assert found == b"x" and took > 0.35


def test_narrow(link, connection):
    link.narrow(kib_per_s=20)
    found, took = timed(lambda: said(connection, b"y" * 20000))
    assert found == b"y" * 20000 and took > 0.7


def test_sliced(link, connection):
    link.sliced(size=10, delay_us=1000)
    found, took = timed(lambda: said(connection, b"y" * 2000))
    assert found == b"y" * 2000 and took > 0.15


@pytest.mark.parametrize("spoil", (Link.cut, Link.half_open, Link.reset, Link.slow_close, Link.down))
def test_clear_makes_it_whole(proxies, link, spoil):
    spoil(link)
    link.clear()
    with connect(proxies) as made:
        assert said(made) == b"x"


def test_heal_makes_it_whole(proxies, link):
    link.down()
    link_state = proxies.must("GET", "/proxies/order-pg")
    assert not link_state["enabled"]
    proxies.heal()
    with connect(proxies) as made:
        assert said(made) == b"x"


def test_every_link_names_what_a_service_is_given():
    assert all(variable.endswith("_URL") for _, variable, _ in TABLE.values())
    linked = {kind: {service for service, _, found in TABLE.values() if found == kind} for kind in ("amqp", "postgres")}
    assert linked == {"amqp": {one.name for one in manifests.ON_BUS},
                      "postgres": {one.name for one in manifests.WITH_DATABASE}}


def test_a_link_may_be_spoiled_again_at_once(proxies, link):
    """Connections that the last way left behind do not end the proxy."""
    ways = (link.slow_close, link.half_open, link.cut, link.reset)
    for turn in range(80):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(proxies)) for _ in range(6)]
            ways[turn % len(ways)]()
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(b"y" * 1000)
            link.clear()
    with connect(proxies) as client:
        assert said(client) == b"x"
