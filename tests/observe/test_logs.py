"""Logs in a real backend: a line is found by its order's id within seconds; none is lost while a part is away."""
import json
import time

import pytest
import requests

from chaos.stack import PLENTY
from testkit.client import item, wait_until

FOUND_SECONDS = 5
AWAY_SECONDS = 15  # of the collector or of VictoriaLogs, its start and a retry behind it


class Logs:
    """VictoriaLogs, by its query interface."""

    def __init__(self, stack):
        self._url = stack.url("victorialogs") + "/select/logsql/query"

    def find(self, **fields):
        """→ the lines that have these fields."""
        query = " ".join(f"{name}:={json.dumps(value)}" for name, value in fields.items())
        answer = requests.post(self._url, data={"query": query}, timeout=5)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def wait(self, seconds, **fields):
        return wait_until(lambda: self.find(**fields), seconds, f"a line with {fields}")


@pytest.fixture(scope="module")
def logs(stack):
    return Logs(stack)


def place(api):
    answer = api.place(item(PLENTY[0]))
    return answer.json()["order_id"], answer.headers["traceparent"].split("-")[1]


def test_a_line_is_found_by_its_order_within_five_seconds(logs, api, load, record_property):
    took = []
    for _ in range(5):
        order, trace = place(api)
        begin = time.monotonic()
        line = logs.wait(FOUND_SECONDS, order_id=order)[0]
        took.append(time.monotonic() - begin)
        assert (line["service"], line["_msg"], line["trace_id"]) == ("edge", "request", trace)
        assert line["level"] == "info" and line["route"] == "/api/orders" and line["status"] == "202"
    record_property("an order's line is found after at most", f"{max(took):.1f} s")


def test_lines_are_found_by_their_trace_too(logs, api, load):
    order, trace = place(api)
    assert logs.wait(FOUND_SECONDS, trace_id=trace)[0]["order_id"] == order


def test_ids_are_no_streams(stack, logs, api, load):
    """A stream for each file, however many orders there are."""
    logs.wait(FOUND_SECONDS, order_id=place(api)[0])
    answer = requests.post(stack.url("victorialogs") + "/select/logsql/streams", data={"query": "*"}, timeout=5)
    streams = {one["value"] for one in answer.json()["values"]}
    assert '{log.file.name="edge.log",service="edge"}' in streams and len(streams) < 30
    assert not [one for one in streams if "order_id" in one or "trace_id" in one]


@pytest.mark.parametrize("name", ("otelcol", "victorialogs"))
def test_what_is_written_while_a_part_is_away_is_found_later_and_once(name, stack, logs, api, load):
    stack.stop_service(name)
    orders = [place(api)[0] for _ in range(3)]
    stack.start_service(name)
    for order in orders:
        logs.wait(AWAY_SECONDS, order_id=order)
        assert len(logs.find(order_id=order, service="edge", _msg="request")) == 1
