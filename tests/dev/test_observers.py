"""Observers of a stack: who is started for which servers, what Prometheus scrapes, and the receiver of alerts."""
import json
import os
import re
import subprocess
import sys
import time

import pytest
import requests

from dev import account, alert_relay, manifests, paths, ports, session
from dev.observers import COLLECTOR_FILES, Observers
from dev.stack import Stack

NOTICE = {"alerts": [{"status": "firing", "startsAt": "2026-01-01T00:00:00Z",
                      "labels": {"alertname": "A", "service": "s"},
                      "annotations": {"summary": "text\nwith a line feed"}}]}


def stack_in(folder, **options):
    return Stack(os.path.join(folder, "stack"), **options)


def names(stack):
    return [one.name for one in stack.observers.expected()]


def test_a_stack_is_not_watched_unless_it_is_said(folder):
    made = stack_in(folder)
    assert names(made) == [] and made.servers.rabbitmq._plugins() == ["rabbitmq_management"]


def test_a_watched_stack_has_all_of_them(folder):
    made = stack_in(folder, observed=True)
    assert names(made) == ["node-exporter", "pg-exporter", "alert-relay", "alertmanager", "victorialogs", "zipkin",
                           "otelcol", "prometheus"]
    assert "rabbitmq_prometheus" in made.servers.rabbitmq._plugins()
    assert f"prometheus.tcp.port = {made.ports['broker-metrics']}\n" in made.servers.rabbitmq._settings()
    assert "prometheus.tcp.ip = 127.0.0.1\n" in made.servers.rabbitmq._settings()


def test_given_servers_have_exporters_of_their_own(folder):
    given = {name: "postgresql://a:b@db/x" for name in manifests.DATABASES} | {
        "amqp": "amqp://a:b@broker/orderbus", "management": "http://a:b@broker:15672"}
    made = stack_in(folder, observed=True, given=given)
    assert "pg-exporter" not in names(made)
    assert made.observers.targets()["rabbitmq"] == made.observers.targets()["postgres"] == []


def test_services_send_spans_of_every_request_to_the_collector_of_a_watched_stack(folder):
    made, plain = stack_in(folder, observed=True), stack_in(folder)
    for service in made.services.values():
        assert service.variables()["OTEL_EXPORTER_OTLP_ENDPOINT"] == made.url("otelcol")
        assert ("TRACES_SAMPLE_PPM" in service.variables()) == service.manifest.serves_clients
    for service in plain.services.values():
        assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in service.variables()


def test_the_collector_has_the_addresses_of_this_stack(folder):
    made = stack_in(folder, observed=True)
    found = made.observers.named("otelcol").variables()
    assert found["ORDERBUS_OTLP"] == f"127.0.0.1:{made.ports['otelcol']}"
    assert found["ORDERBUS_VICTORIALOGS"] == made.url("victorialogs") and found["ORDERBUS_ZIPKIN"] == made.url("zipkin")
    files = [os.path.join(paths.ROOT, "infrastructure", name) for name in COLLECTOR_FILES.values()]
    used = "".join(account.read_file(path) for path in files)
    assert set(re.findall(r"\$\{env:(\w+)", used)) == set(found)


def test_targets_are_the_ports_of_this_stack(folder):
    made = stack_in(folder, observed=True)
    found = {group["labels"]["service"]: group["targets"] for group in made.observers.targets()["services"]}
    assert found == {one.name: [f"127.0.0.1:{made.ports[one.admin]}"] for one in manifests.ON_BUS}


def test_targets_are_written_as_the_product_names_their_files(folder):
    made = stack_in(folder, observed=True)
    made.observers.write_targets(node=[])
    place = os.path.join(made.state.path, "observe", "prometheus", "targets")
    product = os.path.join(os.path.dirname(os.path.dirname(alert_relay.__file__)), "..", "infrastructure", "prometheus")
    assert sorted(os.listdir(place)) == sorted(os.listdir(os.path.join(product, "targets")))
    assert json.loads(account.read_file(os.path.join(place, "node.yml"))) == []


def test_what_was_watched_is_known_later(monkeypatch, folder):
    monkeypatch.setenv("ORDERBUS_STATE", os.path.join(folder, "own"))
    session.new("asan", observed=True)
    assert session.known().observed
    session.new("asan")
    assert not session.known().observed


@pytest.mark.parametrize("lacking", ("prometheus", "zipkin"))
def test_a_stack_of_before_has_no_ports_for_observers(folder, lacking):
    made = stack_in(folder)
    made.ports = {name: port for name, port in made.ports.items() if name != lacking}
    assert Observers(made).expected() == [] and Observers(made).named("prometheus") is None


def test_a_notice_becomes_one_line_for_each_alert():
    found = list(alert_relay.lines("pager", json.dumps({"alerts": NOTICE["alerts"] * 2}), 5.0))
    assert len(found) == 2 and "\n" not in found[0]
    assert json.loads(found[0])["alert"] == "A" and json.loads(found[0])["receiver"] == "pager"


@pytest.fixture
def relay(folder):
    port, token = ports.pick_one(), os.path.join(folder, "token")
    account.write_file(token, "a-token")
    with subprocess.Popen([sys.executable, "-B", "-I", alert_relay.__file__, str(port), token], stdout=subprocess.PIPE,
                          text=True) as process:
        deadline = time.monotonic() + 20
        while not ports.is_served(port):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}", process
        process.kill()


def test_the_relay_prints_what_it_is_sent(relay):
    url, process = relay
    head = {"Authorization": "Bearer a-token"}
    assert requests.post(url + "/pager", data=json.dumps(NOTICE), headers=head, timeout=5).status_code == 200
    assert json.loads(process.stdout.readline())["labels"] == {"alertname": "A", "service": "s"}


@pytest.mark.parametrize("body, token, status", (("{}", "a-token", 400), ("[1]", "a-token", 400), ("x", "a-token", 400),
                                                 (json.dumps(NOTICE), "another", 401), (json.dumps(NOTICE), None, 401)))
def test_the_relay_refuses_what_is_no_notice_and_who_has_no_token(relay, body, token, status):
    head = {"Authorization": f"Bearer {token}"} if token else {}
    assert requests.post(relay[0] + "/pager", data=body, headers=head, timeout=5).status_code == status
