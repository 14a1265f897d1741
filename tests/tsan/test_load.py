"""A stack of thread-sanitized programs under orders, reads, cancels, probes and restarts; ./dev test tsan fails for
whatever one of them reports."""
import os
import signal
import threading

import pytest
import requests

from chaos import invariants
from dev import demo, manifests, private
from dev.stack import Stack
from load.traffic import Placed, Traffic
from testkit.client import Api, item, wait_until

RATE, CONNECTIONS = 40, 16
WITH_DATABASE = [one.name for one in manifests.WITH_DATABASE]
DECLINED = "pm_card_visa_chargeDeclined"


@pytest.fixture(scope="module")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "tsan"
    overrides = {name: {"WORKERS": "2", "QUERY_WORKERS": "2"} for name in WITH_DATABASE}
    with private.stack("tsan", lambda folder: Stack(folder, preset=preset, overrides=overrides)) as made:
        demo.seed(made)
        yield made


class Visitors:
    """Threads that do one kind of thing each, over and over, until they are told to stop."""

    def __init__(self, *visits):
        self._stop = threading.Event()
        self.counts = {visit.__name__: 0 for visit in visits}
        self.errors = []
        self._threads = [threading.Thread(target=self._run, args=(visit,), daemon=True) for visit in visits]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, visit):
        while not self._stop.is_set():
            try:
                visit()
                self.counts[visit.__name__] += 1
            except requests.RequestException as error:
                self.errors.append(repr(error))
            self._stop.wait(0.02)


def visits(stack, api):
    """Requests of clients and operators besides placing orders."""
    admin = [Api(stack.url(name)) for name in (one.admin for one in manifests.ON_BUS)]

    def cancel():
        answer = api.place(item("SKU-00001"), item("SKU-00002"))
        if answer.status_code == 202:
            api.cancel(answer.json()["order_id"], "changed my mind")

    def decline():
        api.place(item("SKU-00003"), token=DECLINED)

    def wait_for_the_end():
        api.place(item("SKU-00004"), headers={"Prefer": "wait=2"})

    def read():
        for order in api.get("/api/orders?limit=20").json().get("items", [])[:3]:
            api.get(f"/api/orders/{order['order_id']}")
            api.get(f"/api/orders/{order['order_id']}/events")
        api.get("/api/products/SKU-00001")

    def set_stock():
        api.set_stock("SKU-00099", 1000000)

    def look_after_it():
        for one in admin:
            for path in ("/health", "/health/ready", "/metrics"):
                one.get(path)

    return [cancel, decline, wait_for_the_end, read, read, set_stock, look_after_it, look_after_it]


def test_orders_reads_cancels_and_restarts(stack):
    api, orders = Api(stack.url("edge")), Placed([f"SKU-{n:05}" for n in range(1, 51)])
    traffic = Traffic(("127.0.0.1", stack.ports["edge"]), CONNECTIONS, orders, RATE)
    with Visitors(*visits(stack, api)) as visitors:
        with traffic:
            for name in WITH_DATABASE:
                before = len(orders.accepted)
                assert stack.stop_service(name) == signal.SIGTERM, f"{name} did not drain"
                assert len(orders.accepted) > before, f"no order was placed while {name} ended"
                stack.start_service(name)
        assert not traffic.refused(), traffic.refused()[:3]
        wait_until(lambda: min(visitors.counts.values()) >= 10, 60, "every visit made ten times")
        assert stack.stop_service("edge") == signal.SIGTERM, "the edge did not drain under load"
    stack.start_service("edge")
    ids = [*orders.accepted, *api.accepted]
    found = invariants.check_at_rest(invariants.Sources.of_stack(stack, ids), seconds=120)
    assert not found.violations(), "\n".join(found.violations())
    listed = ", ".join(f"'{order_id}'" for order_id in orders.accepted)
    assert stack.sql("orders", f"SELECT status, count(*) FROM orders.order_list WHERE order_id IN ({listed}) "
                               "GROUP BY status") == [["CONFIRMED", str(len(orders.accepted))]]
    print(visitors.counts, len(ids), "orders")


def test_every_program_ends_well(stack):
    for name in reversed(manifests.NAMES):
        stack.signal(name, signal.SIGTERM)
    for name in reversed(manifests.NAMES):
        stack.stop_service(name)
        statuses = stack.part(name).process.exit_statuses()
        assert statuses and set(statuses) == {0}, f"{name} ended with {statuses}"
