"""Every alert fires when it should and not otherwise, says what it is about, and uses metrics that exist."""
import os
import re

import pytest
import yaml

import cases
from conftest import ALERTS, PROMETHEUS, RULE_FILES, RULES, load, tool
from dev import manifests, paths, runner

# Series of programs that this repository does not build: rabbitmq_prometheus 3.10.8, prometheus-node-exporter 1.5.0,
# prometheus-postgres-exporter 0.11.1.
FOREIGN = {"rabbitmq_alarms_memory_used_watermark", "rabbitmq_alarms_free_disk_space_watermark",
           "rabbitmq_detailed_queue_messages", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes",
           "node_filesystem_avail_bytes", "node_filesystem_size_bytes", "pg_up", "pg_stat_database_numbackends",
           "pg_settings_max_connections"}
# Labels that Prometheus adds to all series of a target.
TARGET_LABELS = {"service", "instance", "job"}
WORDS = {"sum", "max", "by", "on", "or", "and", "unless", "offset", "rate", "increase", "changes", "absent", "vector",
         "histogram_quantile"}
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\b\s*(?:\{([^}]*)\})?(?!\s*\()")
BY = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
RUNBOOK = "docs/runbooks/alerts.md"


RULE_FILE_OF = {rule["alert"]: path for path in RULE_FILES for group in load(path)["groups"]
                for rule in group["rules"] if "alert" in rule}


def promtools_test(name, alert, series, at):
    """One that fails if the alert fires, and then prints what has fired."""
    return {"name": name, "interval": "15s",
            "input_series": [{"series": key, "values": values} for key, values in series.items()],
            "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}]}


def with_recorded(rules):
    """A file of rules, behind that of the recording rules if it reads their series."""
    with open(rules, encoding="utf-8") as file:
        text = file.read()
    recording = os.path.join(PROMETHEUS, "rules", "recording.yml")
    return [recording, rules] if any(rule["record"] in text for rule in RULES if "record" in rule) else [rules]


def fired(folder, rules, interval, tests):
    """{name of a test: labels and annotations, as text, of each alert that fires in it}"""
    path = os.path.join(folder, "test.yml")
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump({"rule_files": with_recorded(rules), "evaluation_interval": interval, "tests": tests}, file)
    status, output = tool("promtool", "test", "rules", path)
    found = {name: re.findall(r"Labels:\{(.*)\}\n\s*Annotations:\{(.*)\}", got) for name, got in
             re.findall(r"name: (\S+),\n\s*alertname: [^\n]*\n(.*?)(?=\n\s*name: |\Z)", output, re.S)}
    assert (status == 0) == (not found) == ("SUCCESS" in output), output
    return found


@pytest.fixture(scope="session")
def outcomes():
    """{"number-kind": what fires}; promtool runs once for each file of rules, and at longer steps for hours."""
    found, groups = {}, {}
    for number, case in enumerate(cases.ALL):
        interval = "1m" if "h" in case.at else load("prometheus.yml")["global"]["evaluation_interval"]
        tests = groups.setdefault((RULE_FILE_OF[case.alert], interval), [])
        tests.append(promtools_test(f"{number}-fires", case.alert, case.fires, case.at))
        if case.early:
            tests.append(promtools_test(f"{number}-early", case.alert, case.fires, case.early))
        if case.quiet is not None:
            tests.append(promtools_test(f"{number}-quiet", case.alert, case.quiet, case.at))
    with runner.temporary_folder("alerts") as folder:
        for (rules, interval), tests in groups.items():
            found |= fired(folder, rules, interval, tests)
    return found


@pytest.mark.parametrize("number, case", enumerate(cases.ALL), ids=[case.alert for case in cases.ALL])
def test_fires_and_is_quiet(number, case, outcomes):
    found = outcomes.get(f"{number}-fires")
    assert found, "it does not fire"
    for labels, texts in found:
        assert f'severity="{ALERTS[case.alert]["labels"]["severity"]}"' in labels
        assert [word for word in case.says if word not in texts] == []
        assert "<no value>" not in texts and "<error" not in texts
    assert f"{number}-early" not in outcomes, "it fires too early"
    assert f"{number}-quiet" not in outcomes, "it fires when it should not"


def test_every_alert_has_a_case():
    assert sorted({case.alert for case in cases.ALL}) == sorted(ALERTS)
    assert [case.alert for case in cases.ALL if case.quiet is None] == ["DeadMansSwitch"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_where_how_much_and_what_to_do(name):
    labels, texts = ALERTS[name]["labels"], ALERTS[name]["annotations"]
    assert labels["severity"] in ("critical", "warning", "none")
    assert set(texts) == {"summary", "description", "runbook"}
    assert "$value" in texts["description"]
    if ALERTS[name]["expr"] != "vector(1)":
        assert re.search(r"\$labels\.(instance|service)", texts["description"])
    assert texts["runbook"] == f"{RUNBOOK}#{name.lower()}"


def sections():
    """{alert: its section of the runbook}"""
    with open(os.path.join(paths.ROOT, RUNBOOK), encoding="utf-8") as file:
        return dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", file.read(), re.M | re.S))


def test_the_runbook_has_a_section_for_each_alert_and_no_other():
    assert sorted(sections()) == sorted(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_says_what_it_means_and_what_to_do(name):
    for part in ("**Means**", "**Look**", "**Do**", "**Do not**"):
        assert part in sections()[name], part


def selectors(expression):
    """[(name, {label: pattern of its values})] of the series that an expression reads, and the label names of its
    aggregations."""
    grouped = {label.strip() for group in BY.findall(expression) for label in group.split(",")}
    without = re.sub(r"\[\d\w+\]|\boffset \w+", "", BY.sub("", expression))
    found = [(name, dict(re.findall(r'(\w+)\s*[=!]~?\s*"([^"]*)"', labels)))
             for name, labels in SELECTOR.findall(without) if name not in WORDS]
    return found, grouped


def test_selectors_of_an_expression():
    found, grouped = selectors('sum by (a, le) (rate(x_total{b="c|d", e!~"f"}[5m])) > 0.1 or y:z:rate1m offset 10m')
    assert found == [("x_total", {"b": "c|d", "e": "f"}), ("y:z:rate1m", {})] and grouped == {"a", "le"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_its_series_exist(rule, exposed):
    known = exposed | {name: None for name in FOREIGN | {"up"} | {one["record"] for one in RULES if "record" in one}}
    found, grouped = selectors(rule["expr"])
    assert found or rule["expr"] == "vector(1)"
    for name, labels in found:
        assert name in known
        if known[name] is None:
            continue
        assert {*labels, *grouped} - TARGET_LABELS <= set(known[name]), name
        for label, values in labels.items():
            if not name.startswith("http_") and label not in TARGET_LABELS:
                assert set(values.split("|")) <= known[name][label], (name, label)


def test_the_absence_of_every_service_is_seen():
    named = re.findall(r'service="([\w-]+)"', ALERTS["TargetsMissing"]["expr"])
    assert sorted(named) == sorted(service.name for service in manifests.ON_BUS)


def test_a_failed_scrape_fires_within_five_seconds():
    assert load("prometheus.yml")["global"]["evaluation_interval"] == "5s"
    assert ALERTS["ServiceDown"]["for"] == "0s"


def test_the_targets_are_the_ports_for_metrics():
    targets = {entry["labels"]["service"]: entry["targets"] for entry in load("targets", "services.yml")}
    assert targets == {service.name: [f"127.0.0.1:{service.admin_port}"] for service in manifests.ON_BUS}


def test_promtool_accepts_the_configuration():
    status, output = tool("promtool", "check", "config", os.path.join(PROMETHEUS, "prometheus.yml"))
    assert status == 0 and "FAILED" not in output, output
    status, output = tool("promtool", "check", "rules", *RULE_FILES)
    assert status == 0 and output.count("SUCCESS") == len(RULE_FILES), output
