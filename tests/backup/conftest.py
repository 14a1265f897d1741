"""One stack that is backed up under load, and then lost: its Postgres and its broker with their disks."""
import collections
import glob
import os
import shutil
import threading
import time

import pytest

from dev import demo, private
from dev.postgres import psql
from dev.report import DevError
from dev.stack import Stack
from load.traffic import Mix, Traffic
from testkit.archive import Archive
from testkit.client import wait_until

RATE, CLIENTS, ORDERS = 40, 16, 600
MOMENTS = 4
NEWEST = "SELECT extract(epoch FROM now()), extract(epoch FROM max(created_at)), count(*) FROM orders.orders;"

# moments: times of the database, oldest first, some seconds apart. seen: what a client read last before the disaster.
Disaster = collections.namedtuple("Disaster", "archive moments accepted seen ledger")


class _Watch(threading.Thread):
    """Reads the newest order again and again, as long as the database answers."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self._url = url
        self.seen = None
        self.start()

    def run(self):
        try:
            while True:
                self.seen = [float(text) for text in psql(self._url, NEWEST).strip().split("|")]
        except DevError:
            return


def _moment(stack):
    return stack.sql("orders", "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"');")[0][0]


def _load(stack):
    """→ the moments and the ids of accepted orders"""
    mix, moments = Mix(reads=False), []
    with Traffic(("127.0.0.1", stack.ports["edge"]), CLIENTS, mix, RATE, repeats=False):
        for number in range(1, MOMENTS + 1):
            wait_until(lambda: len(mix.accepted) >= number * ORDERS // (MOMENTS + 1), 120, "orders under load")
            moments.append(_moment(stack))
        wait_until(lambda: len(mix.accepted) >= ORDERS, 120, "orders under load")
        watch = _Watch(stack.database_url("orders"))
        time.sleep(1)
        stack.kill("postgres")
    watch.join(30)
    return moments, mix.accepted, watch.seen


@pytest.fixture(scope="session")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    with private.stack("backup", lambda folder: Stack(folder, preset=preset)) as made:
        demo.seed(made)
        yield made


@pytest.fixture(scope="session")
def disaster(stack):
    archive = Archive(stack)
    archive.keep_wal()
    wait_until(lambda: glob.glob(os.path.join(archive.home, "wal", "*")), 30, "WAL in the archive")
    archive.run("base", archive.home)
    archive.run("broker-export", os.path.join(archive.home, "broker.json"))
    moments, accepted, seen = _load(stack)
    archive.stop()
    stack.stop_services()
    shutil.rmtree(stack.servers.postgres.home)
    ledger = os.path.join(archive.home, "provider")  # the provider is not restored: it is what it was at the disaster
    shutil.copy(stack.ledger(), ledger)
    return Disaster(archive, moments, accepted, seen, ledger)


def lose_broker(stack, archive):
    """A new broker in the place of the old one, with its definitions and none of its messages."""
    rabbitmq = stack.servers.rabbitmq
    rabbitmq.kill()
    shutil.rmtree(rabbitmq.home)
    rabbitmq.start()
    archive.run("broker-import", os.path.join(archive.home, "broker.json"))


class Recovered:
    """The stack on restored clusters: {database: moment}; a moment None is the last commit."""

    def __init__(self, stack, disaster, moments):
        self.archive = disaster.archive
        shutil.copy(disaster.ledger, stack.ledger())
        names = {moment: f"restored-{number}" for number, moment in enumerate(dict.fromkeys(moments.values()))}
        self.clusters = {moment: self.archive.restore(name, moment) for moment, name in names.items()}
        lose_broker(stack, self.archive)
        given = {database: self.clusters[moment].url(database) for database, moment in moments.items()}
        self.stack = Stack(stack.state.path, chosen=stack.ports, preset=stack.preset, given=given)

    def end(self):
        self.stack.stop_services()
        for cluster in self.clusters.values():
            cluster.wipe()


@pytest.fixture
def recover(stack, disaster):
    made = []

    def make(moments):
        made.append(Recovered(stack, disaster, moments))
        return made[-1]

    yield make
    for one in made:
        one.end()
