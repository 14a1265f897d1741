"""The primary dies under load, and its standby is promoted: no committed order is lost, and the same services go on,
whether they know both servers or a pooler that an operator points to the other one."""
import os
import threading
import time

import pytest

from chaos import invariants
from dev import demo, private
from dev.postgres import psql
from dev.report import DevError
from dev.stack import Stack
from load.traffic import Mix, Traffic
from testkit.client import wait_until
from testkit.pooler import Pooler, carries_statements
from testkit.standby import Standby

RATE, CLIENTS, BEFORE, AFTER = 30, 16, 250, 300
DETECT_SECONDS = 1  # the time that an operator's program takes to notice and to decide
OUTAGE_SECONDS = 60  # generous: sanitized programs on two busy cores
IDS = "SELECT order_id FROM orders.orders;"


class Committed(threading.Thread):
    """Ids of orders that the primary has shown, as long as it answers."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self._url = url
        self.ids = set()
        self.start()

    def run(self):
        try:
            while True:
                self.ids = set(psql(self._url, IDS).split())
        except DevError:
            return


class Hosts:
    """URLs of both servers."""

    def __init__(self, _stack, standby):
        standby.know_both()

    def switch(self, standby):
        pass

    def stop(self):
        pass


class Pooled:
    """URLs of PgBouncer, which knows one server."""

    def __init__(self, stack, mode):
        self._pooler = Pooler(stack, mode).start(stack.servers.postgres)
        self._pooler.serve()

    def switch(self, standby):
        self._pooler.point_to(standby)

    def stop(self):
        self._pooler.stop()


def in_transaction_mode(stack, _standby):
    if not carries_statements():
        pytest.skip("PgBouncer before 1.21 keeps no prepared statements in transaction mode")
    return Pooled(stack, "transaction")


WAYS = {"hosts": Hosts, "session": lambda stack, _standby: Pooled(stack, "session"), "transaction": in_transaction_mode}


@pytest.fixture(name="stack")
def fixture_stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    with private.stack("failover", lambda folder: Stack(folder, preset=preset)) as made:
        demo.seed(made)
        yield made


@pytest.fixture(name="standby")
def fixture_standby(stack):
    made = Standby(stack)
    yield made
    stack.stop_services()
    made.stop()


def ids_of(cluster):
    return set(psql(cluster.url("orders"), IDS).split())


@pytest.fixture(name="way", params=WAYS)
def fixture_way(stack, standby, request):
    made = WAYS[request.param](stack, standby)
    yield made
    stack.stop_services()
    made.stop()


def test_a_promoted_standby_has_every_committed_order_and_takes_more(stack, standby, way):
    mix = Mix(reads=False)
    pids = {name: stack.pid(name) for name in stack.services}
    with Traffic(("127.0.0.1", stack.ports["edge"]), CLIENTS, mix, RATE, repeats=False):
        wait_until(lambda: len(mix.accepted) >= BEFORE, 180, "orders before")
        committed = Committed(stack.database_url("orders"))
        time.sleep(1)
        stack.kill("postgres")
        killed = time.monotonic()
        committed.join(30)
        time.sleep(DETECT_SECONDS)
        standby.promote()
        way.switch(standby)
        had = ids_of(standby)
        wait_until(lambda: len(ids_of(standby)) > len(had), OUTAGE_SECONDS, "an order on the promoted standby")
        outage = time.monotonic() - killed
        wait_until(lambda: len(mix.accepted) >= BEFORE + AFTER, 180, "orders after")
    lost = committed.ids - had
    print(f"failover: {len(committed.ids)} orders committed before, {len(lost)} lost, {outage:.1f} s from SIGKILL to "
          f"the next committed order, of which {DETECT_SECONDS} s were waited before the promotion")
    assert len(committed.ids) >= BEFORE / 2 and not lost
    found = invariants.check_at_rest(invariants.Sources.of_stack(standby.as_given(), accepted=mix.accepted), 180)
    assert not found.violations(), "\n".join(found.lines())
    assert {name: stack.pid(name) for name in stack.services} == pids, "a service was restarted"
