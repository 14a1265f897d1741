"""Namespaces, disks and clocks that scenarios are made of; and that nothing of them outlives a run that was killed."""
import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from dev import paths
from dev.postgres import psql
from dev.proc import Process, start_time
from dev.report import DevError
from dev.runner import temporary_folder
from dev.state import State
from chaos import root
from chaos.clock import SETTLE_SECONDS, ClockPostgres
from chaos.disk import Disk
from chaos.namespaces import Network


@pytest.fixture(name="state")
def fixture_state():
    with temporary_folder("machines") as folder:
        yield State(os.path.join(folder, "state")).create()


@pytest.fixture(name="needs_root")
def fixture_needs_root():
    root.require()


def reaches(network, source, target):
    """TCP: a refusal is an answer, too."""
    code = ("import socket, sys\n"
            "try: socket.create_connection((sys.argv[1], 9), timeout=0.5)\n"
            "except ConnectionRefusedError: sys.exit(0)\n"
            "except OSError: sys.exit(1)\n")
    words = [*network.prefix(source), sys.executable, "-c", code, network.address(target)]
    return subprocess.run(words, check=False, timeout=10).returncode == 0


@pytest.mark.usefixtures("needs_root")
def test_a_way_on_which_answers_are_dropped_is_named(state):
    network = Network(state, 2)
    network.up()
    try:
        subprocess.run([*network.prefix(2), "/usr/sbin/ip", "route", "add", "blackhole", f"{network.address(1)}/32"],
                       check=True, timeout=10)
        with pytest.raises(DevError, match=f"cannot reach {network.namespace(2)} over the bridge {network.bridge}"):
            network.expect_way(1, 2)
    finally:
        network.down()


@pytest.mark.usefixtures("needs_root")
def test_a_host_is_cut_off_and_joined_again(state):
    network = Network(state, 3)
    network.up()
    try:
        assert reaches(network, 1, 2) and reaches(network, 2, 3)
        network.part(2)
        assert not reaches(network, 1, 2) and not reaches(network, 2, 3)
        assert reaches(network, 1, 3)
        network.join(2)
        assert reaches(network, 1, 2) and reaches(network, 3, 2)
        network.part(1)
        network.heal()
        assert reaches(network, 1, 2)
    finally:
        network.down()
    assert not left_of(network)


def left_of(network):
    """Names of the network's that the machine still knows."""
    known = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    known += subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    return [name for name in (network.bridge, *map(network.namespace, range(1, 4))) if name in known]


@pytest.mark.usefixtures("needs_root")
def test_a_disk_is_full_until_it_is_freed(state):
    disk = Disk(state.folder("disk"), 8)
    disk.mount()
    try:
        kept = os.path.join(disk.folder, "kept")
        with open(kept, "wb") as file:
            file.write(bytes(1 << 20))
        disk.fill()
        deadline = time.monotonic() + 5
        while disk.left() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.unlink(kept)  # what is given back is taken
        time.sleep(0.2)
        with pytest.raises(OSError) as refused:
            with open(kept, "wb", buffering=0) as file:
                file.write(bytes(1 << 16))
        assert refused.value.errno == errno.ENOSPC
        disk.free()
        assert disk.left() > 7 << 20
    finally:
        disk.unmount()
    assert not os.path.ismount(disk.folder)


def test_a_servers_clock_moves_and_its_waits_do_not(state):
    server = ClockPostgres(state, state.free_ports(("postgres",))["postgres"])
    server.start()
    try:
        def behind():
            return time.time() - float(psql(server.url(), "SELECT extract(epoch FROM now());"))
        assert abs(behind()) < 5
        server.set_clock(-600)
        time.sleep(2 * SETTLE_SECONDS)
        assert abs(behind() - 600) < 5
        began = time.monotonic()
        psql(server.url(), "SET statement_timeout = 5000; SELECT pg_sleep(0.3);")
        assert time.monotonic() - began < 3
        server.set_clock(0)
        time.sleep(2 * SETTLE_SECONDS)
        assert abs(behind()) < 5
    finally:
        pid = server.process.pid()
        server.stop()
    assert not [name for name in os.listdir("/dev/shm") if name.endswith(f"_{pid}") and "faketime" in name]


KILLED = """
import os, signal, sys
from dev.proc import Process
from dev.state import State
from chaos.disk import Disk
from chaos.keeper import Keeper
from chaos.namespaces import Network
state = State(sys.argv[1]).create()
Keeper(state, "--network", "3", "--mount", state.folder("disk"))
Network(state, 3).up()
Disk(state.folder("disk"), 8).mount()
Process(state, "sleeper").start(["/usr/bin/sleep", "1000"], {}, state.folder("work"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.usefixtures("needs_root")
def test_nothing_outlives_a_run_that_is_killed(state):
    network = Network(state, 3)
    done = subprocess.run([sys.executable, "-B", "-c", KILLED, state.path], check=False, timeout=60,
                          env=os.environ | {"PYTHONPATH": paths.TOOLS})
    assert done.returncode == -signal.SIGKILL
    pid = (Process(state, "sleeper").record() or {}).get("pid")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (left_of(network) or os.path.exists(state.path)):
        time.sleep(0.1)
    assert not left_of(network)
    assert not os.path.exists(state.path)
    assert pid is None or start_time(pid) is None
