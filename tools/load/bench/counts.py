"""Counters of the services and of Postgres: messages, publishes, transactions, calls of the PSP, WAL."""
import re
import time
import urllib.request

from dev import manifests

STATS_SECONDS = 1.5  # Postgres's processes report at most once a second
WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, wal_sync, wal_fpi FROM pg_stat_wal"
# A quorum queue's log is written and synced batch by batch.
BROKER_SYNCS = "maps:get(batches, maps:get(ra_log_wal, ra_counters:overview()))."
SERIES = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')
SERVICES = tuple(one.name for one in manifests.WITH_DATABASE)


def parse(text):
    """→ [(name, labels, value)] of Prometheus's text format."""
    found = [SERIES.match(line) for line in text.splitlines() if not line.startswith("#")]
    return [(one[1], dict(LABEL.findall(one[2] or "")), float(one[3])) for one in found if one]


def total(series, name, **labels):
    return sum(value for each, has, value in series
               if each == name and all(has.get(key) == wanted for key, wanted in labels.items()))


def by(series, name, label):
    found = {}
    for each, has, value in series:
        if each == name:
            found[has[label]] = found.get(has[label], 0) + value
    return found


def fetch(url):
    with urllib.request.urlopen(url + "/metrics", timeout=10) as answer:
        return parse(answer.read().decode())


def read(system):
    """→ {what: how often until now}"""
    found = {}
    time.sleep(STATS_SECONDS)
    for name in SERVICES:
        series = fetch(system.stack.url(name))
        for what, metric, label in (("message", "bus_messages_total", "type"),
                                    ("published", "bus_published_total", "exchange")):
            for value, count in by(series, metric, label).items():  # an event may be taken by several services
                found[f"{what} {value}"] = found.get(f"{what} {value}", 0) + count
        found[f"transactions {name}"] = total(series, "bus_batches_total", worker="command")
        found["psp calls"] = found.get("psp calls", 0) + total(series, "payment_psp_calls_total")
    position, syncs, images = system.row("orders", WAL)
    return found | {"wal bytes": float(position), "fsyncs": float(syncs), "full pages": float(images),
                    "broker fsyncs": float(system.stack.servers.rabbitmq.ctl("eval", BROKER_SYNCS))}
