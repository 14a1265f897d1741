"""Ports: defaults, variables, and who is told what when one is taken."""
import socket

import pytest

from dev import ports
from dev.report import DevError


@pytest.fixture
def listener():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for _, variable, _ in ports.TABLE.values():
        monkeypatch.delenv(variable, raising=False)


def test_defaults_are_those_of_the_documentation():
    found = ports.configured()
    own = ("edge", "order-svc", "inventory-svc", "payment-svc", "edge-admin", "psp-sandbox")
    assert [found[name] for name in own] == [8080, 8081, 8082, 8083, 8084, 8090]
    assert [found[name] for name in ports.SERVER_PORTS] == [15432, 5673, 25673, 4370, 15672]


@pytest.mark.parametrize("name", ports.TABLE)
def test_each_port_has_its_variable(monkeypatch, name):
    monkeypatch.setenv(ports.TABLE[name][1], "12345")
    assert ports.configured()[name] == 12345


@pytest.mark.parametrize("text", ("0", "65536", "-1", "8080x", "²"))
def test_a_malformed_port_names_its_variable(monkeypatch, text):
    monkeypatch.setenv("ORDERBUS_UI_PORT", text)
    with pytest.raises(DevError, match="ORDERBUS_UI_PORT"):
        ports.configured()


def test_one_port_for_two_is_refused(monkeypatch):
    monkeypatch.setenv("ORDERBUS_PG_PORT", "8080")
    with pytest.raises(DevError, match="port 8080.*ORDERBUS_PG_PORT"):
        ports.configured()


def test_a_taken_port_is_named_with_its_variable(listener):
    port = listener.getsockname()[1]
    with pytest.raises(DevError, match=f"port {port}.*edge.*ORDERBUS_EDGE_PORT"):
        ports.require_free({"edge": port}, ["edge"])


def test_a_wildcard_listener_takes_the_port_too():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        assert not ports.is_free(taken.getsockname()[1])


def test_the_port_of_a_server_that_has_just_ended_is_free(listener):
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        served, _ = listener.accept()
        served.close()  # the server's side closes first and stays in TIME_WAIT
        listener.close()
        assert ports.is_free(port)


def test_free_ports_are_distinct_and_below_the_ephemeral_range(monkeypatch):
    monkeypatch.setenv("ORDERBUS_PG_PORT", "15432")
    found = ports.pick_free()
    assert set(found) == set(ports.TABLE) and len(set(found.values())) == len(found)
    assert found.pop("postgres") == 15432
    assert all(port < 32768 for port in found.values())
