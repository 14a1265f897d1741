"""Ports: defaults, variables, and who is told what when one is taken."""
import os
import socket
import subprocess
import sys

import pytest

from dev import ports
from dev.report import DevError

TOOLS = os.path.dirname(os.path.dirname(ports.__file__))


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
    assert {8080, 8081, 8082, 8083, 8084, 8090} <= set(found.values())
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


def test_a_private_stack_takes_no_port_of_the_users_stack(monkeypatch):
    """With the user's stack up on ports of its own choice, chaos and bench runs find others."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("ORDERBUS_PG_PORT", str(port))
        found = ports.pick_free()
        assert found["postgres"] != port
        ports.require_free(found, found)


def test_free_ports_are_distinct_and_below_the_ephemeral_range():
    found = ports.pick_free()
    assert set(found) == set(ports.TABLE) and len(set(found.values())) == len(found)
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        low, high = map(int, file.read().split())
    assert not [port for port in found.values() if low <= port <= high]


def test_two_that_choose_at_the_same_time_choose_different_ports(monkeypatch):
    monkeypatch.setattr(ports, "_free_range", lambda: (20000, 20160))
    program = "from dev import ports; ports._free_range = lambda: (20000, 20160); print(*ports.pick_free().values())"
    with subprocess.Popen([sys.executable, "-c", f"{program}; import sys; sys.stdout.flush(); sys.stdin.read()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=TOOLS) as other:
        theirs = set(map(int, other.stdout.readline().split()))
        ours = [port for _ in range(4) for port in ports.pick_free().values()]
        other.stdin.close()
    assert len(theirs) == len(ports.TABLE) and not theirs & set(ours)
    assert len(set(ours)) == len(ours)


def test_a_port_taken_on_another_address_is_not_chosen(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert ports.is_free(port) and not ports.is_free(port, "")
