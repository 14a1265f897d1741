"""Prometheus on the live stack: what it scrapes, that every rule evaluates, and that others reach nothing of it."""
import glob
import os

import pytest
import requests
import yaml

from dev import account, manifests, paths, ports

RULES = [rule for path in sorted(glob.glob(os.path.join(paths.ROOT, "infrastructure/prometheus/rules/*.yml")))
         for group in yaml.safe_load(account.read_file(path))["groups"] for rule in group["rules"]]
OBSERVERS = ("prometheus", "alertmanager", "alert-relay", "node-exporter", "pg-exporter", "victorialogs", "zipkin",
             "otelcol")


def test_every_part_of_the_stack_is_scraped(stack, prometheus):
    expected = {("orderbus", one.admin) for one in manifests.ON_BUS} | {
        ("rabbitmq", "broker-metrics"), ("rabbitmq-queues", "broker-metrics"), ("postgres", "pg-exporter"),
        ("node", "node-exporter")}
    assert prometheus.targets() == {(job, f"127.0.0.1:{stack.ports[name]}"): "up" for job, name in expected}


def test_alerts_are_sent_to_alertmanager(stack, prometheus):
    found = prometheus.get("alertmanagers")["activeAlertmanagers"]
    assert [one["url"] for one in found] == [stack.observers.named("alertmanager").url() + "/api/v2/alerts"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_evaluates(rule, prometheus):
    prometheus.query(rule["expr"])


def test_no_rule_had_an_error(prometheus):
    found = {rule["name"]: (rule["health"], rule.get("lastError")) for rule in prometheus.rules()}
    assert sorted(found) == sorted(rule.get("alert") or rule["record"] for rule in RULES)
    assert {name: state for name, state in found.items() if state != ("ok", None)} == {}


@pytest.mark.parametrize("name", (*OBSERVERS, "broker-metrics"))
def test_it_listens_on_loopback_alone(stack, prometheus, name):
    port = stack.ports[name]
    assert ports.is_served(port) and listeners(port) == {"0100007F"}


def listeners(port):
    """Addresses, in the kernel's hexadecimal, at which anything listens on a port."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in account.read_file(table).splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(address.split(":")[1], 16) == port:
                found.add(address.split(":")[0])
    return found


@pytest.mark.parametrize("method, path", (("POST", "/api/v1/admin/tsdb/snapshot"),
                                          ("PUT", "/api/v1/admin/tsdb/delete_series?match[]=up"),
                                          ("POST", "/-/reload"), ("POST", "/-/quit")))
def test_prometheus_has_no_admin_interface(prometheus, method, path):
    answer = requests.request(method, prometheus.base + path, timeout=5)
    assert not answer.ok and ("disabled" in answer.text or "not enabled" in answer.text)
    assert prometheus.query("up")


def test_alertmanager_must_name_itself(stack, prometheus):
    url = stack.observers.named("alert-relay").url()
    assert requests.post(url + "/pager", data="{}", timeout=5).status_code == 401


def test_the_exporter_reads_statistics_and_no_rows(stack):
    rows = stack.sql("orders", "SELECT rolsuper, rolcreaterole, rolcreatedb, has_table_privilege(rolname, "
                               "'orders.orders', 'SELECT') FROM pg_roles WHERE rolname = 'orderbus_observer'")
    assert rows == [["f", "f", "f", "f"]]


def test_the_dead_mans_switch_is_delivered(prometheus, notices):
    assert notices.wait("DeadMansSwitch", "firing", 0, 90)["receiver"] == "dead-mans-switch"
