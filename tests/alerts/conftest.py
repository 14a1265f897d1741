"""Fixtures: the rules, promtool on them, and the metrics of each program, which runs without a broker or a database."""
import glob
import os
import re
import subprocess

import pytest
import requests
import yaml

from dev import build, manifests, paths, ports, runner, user_keys
from dev.certificates import Certificates
from dev.state import State
from testkit.client import wait_until

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
PROMETHEUS = os.path.join(paths.ROOT, "infrastructure", "prometheus")
NOWHERE = "127.0.0.1:1"


def load(*parts):
    with open(os.path.join(PROMETHEUS, *parts), encoding="utf-8") as file:
        return yaml.safe_load(file)


RULE_FILES = sorted(glob.glob(os.path.join(PROMETHEUS, "rules", "*.yml")))
RULES = [rule for path in RULE_FILES for group in load(path)["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}


def tool(*words):
    """→ exit status and output"""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    return done.returncode, done.stdout


def _started(service, folder, state, certificates):
    """The program at a port of its own, with TLS; all that it talks to is away."""
    port, other = ports.pick_one(), ports.pick_one()
    listeners = {"PORT": str(port)}
    if service.serves_clients:
        listeners = {"ADMIN_PORT": str(port), "PORT": str(other), "AUTH": "off"}
    keys = user_keys.variables(state, service)
    keys |= {"RESET_FOLDER": state.folder("user-resets")} if service.short == "user" else {}
    links = {f"{manifests.named(name).short.upper()}_URL": f"http://{NOWHERE}" for name in service.links}
    variables = {"RABBITMQ_URL": f"amqp://{service.broker_user}:b@{NOWHERE}/orderbus",
                 "DATABASE_URL": f"postgresql://a:b@{NOWHERE}/x",
                 "PSP_KEY": "sk_test_alerts", **certificates.listener_variables(service.name),
                 **certificates.broker_variables(service.name)}
    with open(os.path.join(folder, service.name + ".log"), "wb") as log:
        process = subprocess.Popen([os.path.join(build.programs(PRESET), service.name)], stdin=subprocess.DEVNULL,
                                   stderr=log, env=variables | links | keys | listeners)
    return process, f"https://127.0.0.1:{port}/metrics"


def _scrape(url, authority, accept="text/plain"):
    try:
        return requests.get(url, timeout=5, headers={"Accept": accept}, verify=authority)
    except requests.ConnectionError:
        return None


# The header of Prometheus 2.42.
PREFERS_OPENMETRICS = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


def _answers_of(service, folder, state, certificates):
    process, url = _started(service, folder, state, certificates)
    authority = certificates.ca
    try:
        # A request is counted after its answer: both answers must have the series of the first one.
        wait_until(lambda: "http_requests_total{" in getattr(_scrape(url, authority), "text", ""), 20,
                   f"the metrics of {service.name}")
        return _scrape(url, authority), _scrape(url, authority, PREFERS_OPENMETRICS)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def answers():
    """{service: the answers to a scrape of the text format, and of OpenMetrics}"""
    with runner.temporary_folder("alerts-metrics") as folder:
        state = State(os.path.join(folder, "state")).create()
        certificates = Certificates(state)
        certificates.make()
        return {service.name: _answers_of(service, folder, state, certificates) for service in manifests.ON_BUS}


@pytest.fixture(scope="session")
def texts(answers):
    """{service: what a scrape of it gets}"""
    return {name: text.text for name, (text, _) in answers.items()}


@pytest.fixture(scope="session")
def exposed(texts):
    """{name of a series: {label name: its values}}, None for a metric that has no series yet; a histogram has three
    names."""
    found = {}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", "".join(texts.values()), re.M):
        found |= {name + suffix: None for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", "".join(texts.values()), re.M):
        found[name] = found[name] or {}
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            found[name].setdefault(label, set()).add(value)
    return found
