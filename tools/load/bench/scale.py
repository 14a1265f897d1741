"""Measures scaling: more worker threads, more processes of a service, more connections."""
import argparse

from load.bench import closed
from load.bench.system import SCALED
from dev import ports, sharding
from dev.proc import Process
from dev.services import Service

WORKERS = (1, 2, 4)
PROCESSES = (1, 2)
SHARDS = (1, 4)
CONNECTIONS = 256  # as many as the edge has threads


def workers(system, options):
    """Each service with so many threads that carry commands."""
    stack, before, found = system.stack, dict(system.stack.overrides), {}
    try:
        for count in WORKERS:
            stack.overrides = before | {name: before.get(name, {}) | {"WORKERS": str(count)} for name in SCALED}
            stack.start_services()
            every = closed.run(system, options)
            found |= {f"{count} workers: {what}": every[what] for what in ("confirmed orders/s", "CPU ms/order")}
    finally:
        stack.overrides = before
        stack.start_services()
    return found


class Twin(Service):
    """A further process of a service: the same configuration but for its port."""

    def __init__(self, stack, name, number):
        super().__init__(stack, name)
        self.port = ports.pick_one()
        self.process = Process(stack.state, f"{name}-{number}")
        self.env_file = self.env_file.replace(f"{name}.env", f"{name}-{number}.env")

    def own_ports(self):
        return []

    def variables(self):
        return super().variables() | {"PORT": str(self.port)}

    def ready(self):
        return self._get(self.port, "/health/ready")[0] == 200


def processes(system, options):
    """Each service as so many processes. CPU of the further ones is not told apart, so it is not shown."""
    found = {}
    for count in PROCESSES:
        twins = [Twin(system.stack, name, number) for number in range(2, count + 1) for name in SCALED]
        try:
            for twin in twins:
                twin.start()
            for twin in twins:
                twin.wait_ready()
            found[f"{count} processes: confirmed orders/s"] = closed.run(system, options)["confirmed orders/s"]
        finally:
            for twin in twins:
                twin.stop()
    return found


def shards(system, options):
    """Each work queue in so many shards."""
    found = {}
    try:
        for count in SHARDS:
            sharding.change(system.stack, count)
            every = closed.run(system, options)
            found |= {f"{count} shards: {what}": every[what] for what in (
                "confirmed orders/s", "accept p99 ms", *(name for name in every if name.startswith("CPU ms/order")))}
    finally:
        sharding.change(system.stack, 1)
    return found


def wide(system, options):
    """As many connections as the edge has threads, all of them busy."""
    every = closed.run(system, argparse.Namespace(**vars(options) | {"connections": CONNECTIONS}))
    shown = [name for name in every if name.startswith("RssAnon")]
    return {name: every[name] for name in ("confirmed orders/s", "accept p50 ms", "accept p99 ms", *shown)}
