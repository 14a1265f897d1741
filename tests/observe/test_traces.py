"""Traces in a real backend: an order is one trace in Zipkin, by way of the collector, and is found by its id."""
import secrets
import time

import pytest
import requests

from chaos.stack import PLENTY
from testkit.client import item, wait_until
from testkit.story import SERVICES, SPANS, TOLD, TRANSACTIONS

SEEN_SECONDS = 30
ORDERS = 4  # a batch's transaction is in the trace of its first message alone


class Zipkin:
    def __init__(self, stack):
        self._url = stack.url("zipkin") + "/api/v2"

    def get(self, path, **query):
        answer = requests.get(f"{self._url}/{path}", params=query, timeout=10)
        return answer.json() if answer.status_code == 200 else None

    def spans(self, trace):
        """{(service, kind, name): span} of one trace; Zipkin writes names in lower case."""
        return {place(one): one for one in self.get(f"trace/{trace}") or ()}

    def whole(self, trace):
        """Once each step of a confirmed order is there: → its spans."""
        wanted = {(service, kind, name.lower()) for service, kind, name in SPANS}
        wait_until(lambda: wanted <= set(self.spans(trace)), SEEN_SECONDS, f"the spans of trace {trace}")
        return self.spans(trace)


def place(span):
    return span["localEndpoint"]["serviceName"], span.get("kind"), span["name"]


@pytest.fixture(scope="module")
def zipkin(stack):
    return Zipkin(stack)


def confirmed(api):
    """→ the trace of an order that was confirmed, and the order's id"""
    trace = secrets.token_hex(16)
    order = api.complete(item(PLENTY[0]), headers={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"})
    assert order["status"] == "CONFIRMED"
    return trace, order["order_id"]


def test_an_order_is_one_trace_of_all_programs_postgres_and_the_provider(zipkin, api, load):
    transactions = set()
    for trace, _ in [confirmed(api) for _ in range(ORDERS)]:
        spans = zipkin.whole(trace)
        assert SERVICES <= {service for service, _, _ in spans} <= SERVICES | TOLD
        ids = {one["id"]: key for key, one in spans.items()}
        for (service, kind, name), parent in SPANS.items():
            span = spans[service, kind, name.lower()]
            if parent:
                above = ids[span["parentId"]]
                assert (above[0], above[2]) == (parent[0], parent[1].lower()), span
        transactions |= {(service, name) for service, kind, name in spans
                         if name.startswith("transaction ") and service not in TOLD}
    assert transactions == set(TRANSACTIONS.items())


def test_a_trace_is_found_by_its_orders_id(zipkin, api, load):
    trace, order = confirmed(api)
    zipkin.whole(trace)
    found = zipkin.get("traces", annotationQuery=f"order_id={order}", lookback=600_000)
    # Each read of the order is a trace of its own.
    assert trace in {one["traceId"] for spans in found for one in spans}


def test_all_programs_are_services_of_zipkin(zipkin, api, load):
    zipkin.whole(confirmed(api)[0])
    assert SERVICES <= set(zipkin.get("services"))


def test_every_request_is_sampled(stack, zipkin, api, load):
    """Also one whose client sends no traceparent."""
    answer = api.place(item(PLENTY[0]))
    trace = answer.headers["traceparent"].split("-")[1]
    assert trace and answer.headers["traceparent"].endswith("-01")
    zipkin.whole(trace)


def test_a_bucket_leads_to_a_trace(zipkin, prometheus, api, load):
    """The exemplars that Prometheus has scraped are traces of Zipkin."""
    def exemplars():
        found = prometheus.get("query_exemplars", query='http_request_duration_seconds_bucket{route="/api/orders"}',
                               start=time.time() - 300, end=time.time())
        return {one["labels"]["trace_id"] for series in found for one in series["exemplars"]}
    found = wait_until(exemplars, 60, "an exemplar")
    assert [trace for trace in found if zipkin.get(f"trace/{trace}")]
