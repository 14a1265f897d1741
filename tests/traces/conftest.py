"""A whole stack whose programs export to a collector of the test."""
import os
import secrets
import time

import pytest

from collector import HEADER, Collector
from dev import build, manifests, ports, private
from dev.stack import Stack
from testkit.client import Api, item, wait_until

PRODUCTS = ("A", "B")
GATHERED_S = 1.5  # programs send spans at most a second after they ended


def _overrides(port):
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
           "OTEL_EXPORTER_OTLP_HEADERS": "authorization=" + HEADER.replace(" ", "%20")}
    rate = {"edge": {"TRACES_SAMPLE_PPM": "0"}}  # a test's own traceparent says what is sampled
    return {one.name: one.variables("system") | own | rate.get(one.name, {}) for one in manifests.ALL}


@pytest.fixture(scope="session")
def collector():
    made = Collector(ports.pick_one()).start()
    yield made
    made.stop()
    assert not made.faults


@pytest.fixture(scope="session")
def stack(collector):
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    with private.stack("traces", lambda folder: Stack(folder, preset=preset,
                                                      overrides=_overrides(collector.port))) as made:
        made.broker.publish(build.programs(preset), "inventory.put-product.v1",
                            [{"product_id": name, "name": name, "price": 999, "currency": "EUR", "on_hand": 1000000}
                             for name in PRODUCTS])
        yield made


@pytest.fixture(scope="session")
def api(stack):
    made = Api(stack.url("edge"))
    wait_until(lambda: made.get(f"/api/products/{PRODUCTS[-1]}").status_code == 200, 30, "the catalogue")
    return made


class Traced:
    """Requests under traces of their own."""

    def __init__(self, api, collector):
        self.api, self.collector = api, collector

    @staticmethod
    def new(sampled=True):
        """→ trace id, header"""
        trace = secrets.token_hex(16)
        return trace, {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-0{int(sampled)}"}

    def order(self, *items, sampled=True, **options):
        """→ trace id, the order in its final state"""
        trace, headers = self.new(sampled)
        return trace, self.api.complete(*(items or (item("A"),)), headers=headers, **options)

    def spans(self, trace, *names):
        """Once those of these names are there, and each program has sent what it gathered: → all spans of the trace."""
        wait_until(lambda: set(names) <= {one.name for one in self.collector.spans(trace)}, 30,
                   f"the spans {', '.join(names)}")
        wait_until(lambda: time.monotonic() > self.collector.came_at + GATHERED_S, 30, "the last spans")
        return self.collector.spans(trace)


@pytest.fixture(scope="session")
def traced(api, collector):
    return Traced(api, collector)
