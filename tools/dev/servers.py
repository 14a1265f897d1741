"""The pair of private servers that a stack or a test run stands on: one Postgres and one RabbitMQ."""
import time

from dev import ports
from dev.parallel import at_once
from dev.postgres import Postgres, psql
from dev.proc import end, leftovers
from dev.rabbitmq import RabbitMQ
from dev.report import DevError, warn
from dev.state import State


class Servers:
    def __init__(self, state, chosen, vhost, metrics=False, certificates=None):
        """metrics: the broker serves its metrics, as RabbitMQ has it. certificates: both speak TLS alone."""
        self.state = state
        self.postgres = Postgres(state, chosen["postgres"], certificates)
        self.rabbitmq = RabbitMQ(state, chosen, vhost, metrics=metrics, certificates=certificates)

    def start(self):
        return at_once([self.postgres.start, self.rabbitmq.start])

    def stop(self):
        self.rabbitmq.stop()
        self.postgres.stop()
        end_leftovers(self.state)


def end_leftovers(state):
    """Ends what a crash left behind, and makes sure that nothing of this state runs any more."""
    deadline = time.monotonic() + 10
    grace = time.monotonic() + 3  # helpers of a server that has just ended go by themselves
    while True:
        pids = leftovers(state.path)
        if not pids:
            return
        if time.monotonic() > deadline:
            raise DevError(f"these processes of {state.path} do not end: {pids}")
        if time.monotonic() > grace:
            warn(f"ending what was left over: {pids}")
            for pid in pids:
                end(pid)
        time.sleep(0.1)


class TestServers:
    """A pair on free ports for tests: an empty database and an empty virtual host, both called "test"."""

    __test__ = False  # pytest must not take the name for a test case

    def __init__(self, folder):
        self.state = State(folder)

    def _pair(self):
        return Servers(self.state, self.state.free_ports(ports.SERVER_PORTS), "test")

    def up(self):
        with self.state.lock():
            pair = self._pair()
            pair.start()
            postgres = pair.postgres
            if not psql(postgres.url(), "SELECT 1 FROM pg_database WHERE datname = 'test';").strip():
                psql(postgres.url(), "CREATE DATABASE test;")
        return self.environment()

    def environment(self):
        pair = self._pair()
        admin, password = "admin", self.state.secret("amqp-admin")
        return {
            "TEST_DATABASE_URL": pair.postgres.url("test"),
            "TEST_AMQP_URL": pair.rabbitmq.url(),
            "TEST_MGMT_URL": f"http://{admin}:{password}@127.0.0.1:{pair.rabbitmq.ports['ui']}",
            "TEST_RABBITMQCTL": pair.rabbitmq.write_ctl(),
        }

    def down(self, wipe=False, discard=False):
        """discard: they will not be started again, and the broker, which would take seconds to end, is killed."""
        if not self.state.exists():
            return
        with self.state.lock():
            pair = self._pair()
            if discard:
                pair.rabbitmq.kill()
            pair.stop()
        if wipe:
            self.state.wipe()
