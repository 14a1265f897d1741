"""Alertmanager's configuration: it is valid, holds no secret, and each alert goes to the receiver of its severity."""
import os
import re

import pytest
import yaml

from conftest import ALERTS, tool
from dev import paths

CONFIG = os.path.join(paths.ROOT, "infrastructure", "alertmanager", "alertmanager.yml")
RECEIVERS = {"critical": "pager", "warning": "tickets", "none": "dead-mans-switch"}


def config():
    with open(CONFIG, encoding="utf-8") as file:
        return yaml.safe_load(file)


def test_amtool_accepts_the_configuration():
    status, output = tool("amtool", "check-config", CONFIG)
    assert status == 0 and "SUCCESS" in output, output


@pytest.mark.parametrize("alert, severity", (("ServiceDown", "critical"), *(("another", one) for one in RECEIVERS)))
def test_an_alert_goes_to_the_receiver_of_its_severity(alert, severity):
    status, output = tool("amtool", "config", "routes", "test", "--config.file", CONFIG, f"alertname={alert}",
                          f"severity={severity}", "service=edge", f"--verify.receivers={RECEIVERS[severity]}")
    assert status == 0, output


def test_every_severity_has_a_receiver():
    assert {rule["labels"]["severity"] for rule in ALERTS.values()} == set(RECEIVERS)


def test_a_service_that_is_down_is_reported_at_once():
    first = next(route for route in config()["route"]["routes"] if 'alertname = "ServiceDown"' in route["matchers"])
    assert first["group_wait"] == "0s" and {"service", "instance"} <= set(first["group_by"])


def test_every_alert_that_it_names_exists():
    with open(CONFIG, encoding="utf-8") as file:
        assert set(re.findall(r'alertname !?= "(\w+)"', file.read())) <= set(ALERTS)


def test_secrets_are_read_from_files():
    with open(CONFIG, encoding="utf-8") as file:
        text = file.read()
    assert re.findall(r"^\s*(?:-\s*)?(\w*(?:password|secret|token|key|credentials))\s*:", text, re.M) == []
    assert "credentials_file: secrets/webhook-token" in text and "@" not in text
