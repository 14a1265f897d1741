"""Postgres servers, one a service, whose clocks can be set while they run. Waiting times inside pass as ever: only the
time of day moves."""
import glob
import os
import time

from dev import account, manifests
from dev.postgres import USER, Postgres
from dev.report import DevError
from dev.servers import Servers
from dev.state import State

from chaos.stack import ChaosStack, chaos_stack

LIBRARY = "/usr/lib/*/faketime/libfaketime.so.1"
SETTLE_SECONDS = 1  # within that time every process of the server has seen a change


def library():
    found = glob.glob(LIBRARY)
    if not found:
        raise DevError(f"libfaketime is not installed (no {LIBRARY})")
    return found[0]


class ClockPostgres(Postgres):
    """set_clock(-600): ten minutes behind this machine."""

    def _clock_file(self):
        return os.path.join(self.home, "clock")

    def set_clock(self, seconds):
        account.write_file(self._clock_file(), f"{seconds:+d}\n", USER)

    def start(self):
        if not self.running():
            account.make_folder(self.home, USER)
            self.set_clock(0)
        return super().start()

    def stop(self):
        pid = self.process.pid()
        sent = super().stop()
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):  # a server that is killed leaves them behind
            if os.path.exists(f"/dev/shm/{name}"):
                os.unlink(f"/dev/shm/{name}")
        return sent

    def _wrapper(self):
        """Not by the environment that it is started with: the library would be set up by root, for root alone."""
        settings = {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": self._clock_file(), "NO_FAKE_STAT": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": str(SETTLE_SECONDS)}
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in settings.items())]


class _Servers(Servers):
    """The first database's is the usual one; the others have states of their own inside the stack's."""

    def __init__(self, state, chosen, vhost):
        super().__init__(state, chosen, vhost)
        first, *others = manifests.DATABASES
        self.clocks = {first: ClockPostgres(state, chosen["postgres"])}
        for name in others:
            own = State(os.path.join(state.folder("servers", 0o711), name)).create()
            self.clocks[name] = ClockPostgres(own, own.free_ports(("postgres",))["postgres"])
        self.postgres = self.clocks[first]

    def others(self):
        return [server for server in self.clocks.values() if server is not self.postgres]

    def stop(self):
        for server in self.others():
            server.stop()
        super().stop()


class ClockStack(ChaosStack):
    """There is no proxy between a service and its database but for the first one's."""

    def make_servers(self):
        return _Servers(self.state, self.ports, "orderbus")

    def _admin_urls(self):
        return {name: server.url(name) for name, server in self.servers.clocks.items()}

    def start_servers(self):
        started = [name for name, server in self.servers.clocks.items()
                   if server is not self.servers.postgres and server.start()]
        return started + super().start_servers()

    def set_clock(self, database, seconds):
        self.servers.clocks[database].set_clock(seconds)
        time.sleep(2 * SETTLE_SECONDS)


def clock_stack(preset="release"):
    return chaos_stack(preset, make=ClockStack)
