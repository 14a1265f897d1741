"""Formats of logs and metrics: no secrets, each log line is JSON, metrics are well formed and true."""
import collections
import re
import uuid

import pytest
import requests

from testkit.client import item, wait_until
from conftest import SERVICES, log_lines
from dev import manifests


def secrets(stack):
    found = dict(stack.state.read("secrets.json"))
    assert len(found) >= 8
    return found


def wait_logged(stack, api):
    """Lines are written by a thread of their own: waits for one that comes after all that the edge has logged."""
    mark = uuid.uuid4().hex
    api.get("/nothing", headers={"X-Request-Id": mark})
    wait_until(lambda: any(isinstance(line, dict) and line.get("request_id") == mark
                           for line in log_lines(stack, "edge")), 10, "the edge's last line")


def test_L2_no_secret_in_any_log(stack, api):
    canary = "pm_card_canary_" + uuid.uuid4().hex
    order_id = api.place(item("A"), token=canary).json()["order_id"]
    api.wait_final(order_id)
    wait_logged(stack, api)
    for name in manifests.NAMES:
        with open(stack.log(name), encoding="utf-8", errors="replace") as file:
            text = file.read()
        for secret_name, secret in secrets(stack).items():
            assert secret not in text, f"{secret_name} stands in the log of {name}"
        assert canary not in text, f"a payment token stands in the log of {name}"


def test_S1_no_secret_in_arguments_or_environment(stack, api):
    for name in SERVICES:
        pid = stack.pid(name)
        for file_name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{file_name}", "rb") as file:
                text = file.read().decode(errors="replace")
            for secret_name, secret in secrets(stack).items():
                assert secret not in text, f"{secret_name} stands in {file_name} of {name}"


def test_L1_logs_are_json_lines(stack, api):
    """Whatever clients sent to get a line of their own into them."""
    forged = 'x"}\n{"level":"error","msg":"forged"}'
    requests.get(stack.url("edge") + "/api/orders", params={"customer_id": forged, forged: "1"}, timeout=5)
    api.post("/api/orders", {"idempotency_key": forged, "items": [], forged: 1})
    api.get("/nothing", headers={"traceparent": "\x1b[31mred", "User-Agent": "\x1b[2J", "X-Request-Id": forged[:3]})
    wait_logged(stack, api)
    for name in SERVICES:
        lines = log_lines(stack, name)
        assert lines
        for line in lines:
            assert isinstance(line, dict), f"{name}: {line!r}"
            assert {"time", "level", "service", "msg"} <= set(line), line
            assert line["service"] == name and line["level"] in ("debug", "info", "warn", "error")
            assert line["msg"] != "forged"
            assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", line["time"])


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? '
                    r'([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf|NaN))$')


def parse_metrics(text):
    """The text format, strictly; → ({name: type}, {(name, labels): value})."""
    types, values, helped = {}, {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped, f"{name} is described twice"
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types and kind in ("counter", "gauge", "histogram"), line
            types[name] = kind
        else:
            match = SAMPLE.match(line)
            assert match, line
            key = (match.group(1), match.group(2) or "")
            assert key not in values, f"{key} stands twice"
            values[key] = float(match.group(3))
            base = re.sub(r"_(bucket|sum|count)$", "", key[0])
            kind = types.get(key[0]) or types.get(base)
            assert kind, f"{key[0]} has no type"
            assert kind != "counter" or key[0].endswith("_total"), f"the counter {key[0]} does not end in _total"
    return types, values


def check_histograms(types, values):
    for name in [name for name, kind in types.items() if kind == "histogram"]:
        series = {}
        for (sample, labels), value in values.items():
            if sample == name + "_bucket":
                bound = re.search(r'le="([^"]+)"', labels).group(1)
                rest = re.sub(r',?le="[^"]+"', "", labels)
                series.setdefault(rest, []).append((float(bound.replace("+Inf", "inf")), value))
        for rest, buckets in series.items():
            counts = [value for _, value in sorted(buckets)]
            assert counts == sorted(counts), (name, rest)
            assert sorted(buckets)[-1][0] == float("inf"), (name, rest)


def check_bounded(series):
    """An answer of a route has its count, sum and buckets; a route has few statuses; what has no route is little."""
    label = re.compile(r'(?:listener|method|route|status)="[^"]*"')
    answers = collections.Counter(tuple(label.findall(labels)) for labels in series)
    routes = collections.Counter(answer[:-1] for answer in answers if len(answer) == 4)
    others = sum(count for answer, count in answers.items() if len(answer) != 4)
    assert others < 600, others
    assert max(count for answer, count in answers.items() if len(answer) == 4) <= 17, answers.most_common(5)
    assert max(routes.values()) <= 16, routes.most_common(5)


@pytest.mark.parametrize("name", [one.admin for one in manifests.ON_BUS])
def test_C5_metrics_are_well_formed_and_bounded(stack, api, name):
    api.complete(item("A"), customer="c-canary-in-labels")
    answer = requests.get(stack.url(name) + "/metrics", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    types, values = parse_metrics(answer.text)
    check_histograms(types, values)
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total"} <= set(types)
    assert "canary" not in answer.text
    assert not re.search(r'="[0-9a-f]{8}-[0-9a-f]{4}-', answer.text), "an id is a label"
    check_bounded(labels for _, labels in values)


def test_a_bucket_names_the_trace_of_a_request_and_of_an_order(stack, api):
    """In OpenMetrics, for a client that asks for it. The last sampled request of a bucket is its exemplar."""
    traces = set()
    for _ in range(3):
        trace = uuid.uuid4().hex
        traces.add(trace)
        api.complete(item("A"), headers={"traceparent": f"00-{trace}-{uuid.uuid4().hex[:16]}-01"})

    def found(name, selector):
        headers = {"Accept": "application/openmetrics-text"}
        answer = requests.get(stack.url(name) + "/metrics", timeout=5, headers=headers)
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        return set(re.findall(rf'^{selector}.*}} \d+ # {{trace_id="([0-9a-f]{{32}})"}} [0-9.e-]+ [0-9.]+$', answer.text,
                              re.M))
    assert found("edge-admin", 'http_request_duration_seconds_bucket{.*route="/api/orders"') & traces
    assert found("order-svc", 'orders_saga_seconds_bucket{status="CONFIRMED"') & traces
    assert found("payment-svc", 'payment_psp_call_duration_seconds_bucket{call=') & traces
    assert not found("edge-admin", 'http_request_duration_seconds_bucket{.*route="/metrics"')


def test_metrics_count_what_happened(stack, api):
    def edge(name, labels=""):
        _, values = parse_metrics(requests.get(stack.url("edge-admin") + "/metrics", timeout=5).text)
        return sum(value for (sample, found), value in values.items() if sample == name and labels in found)

    before = edge("edge_orders_accepted_total"), edge("http_requests_total", 'route="/api/orders",status="202"')
    for _ in range(5):
        api.complete(item("A"))
    after = edge("edge_orders_accepted_total"), edge("http_requests_total", 'route="/api/orders",status="202"')
    assert (after[0] - before[0], after[1] - before[1]) == (5, 5)


def test_metrics_of_orders_by_final_status(stack, api):
    def final():
        _, values = parse_metrics(requests.get(stack.url("order-svc") + "/metrics", timeout=5).text)
        return {labels: value for (name, labels), value in values.items() if name.startswith("orders_")}

    before = final()
    api.complete(item("A"))
    api.complete(item("NO-SUCH"))
    after = final()
    grown = {labels for labels, value in after.items() if value > before.get(labels, 0)}
    assert any("onfirmed" in labels.lower() for labels in grown), (before, after)
    assert any("rejected" in labels.lower() for labels in grown), (before, after)
