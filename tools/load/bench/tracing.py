"""The closed loop without traces, with those of 1 % of the orders and with all, in turn: what a traced order costs."""
import argparse
import contextlib
import itertools
import os

from dev import backends, manifests, paths
from dev.observers import Observer
from load.bench import closed, cpu

CONFIG = os.path.join(paths.ROOT, "infrastructure", "otelcol", "bench.yaml")
MODES = {"off": None, "of 1 %": 10_000, "of all": 1_000_000}  # of a million
WARM_SECONDS = 2  # of load after a restart: connections, statements and caches
SHOWN = ("confirmed orders/s", "accept p99 ms", "CPU ms/order")
turn = itertools.count()


def run(system, options):
    """The modes change places from run to run, because the servers still work for one of them during the next."""
    found = {}
    with collector(system.stack), own_variables(system.stack) as own:
        for name in rotated(MODES, next(turn)):
            every = one(system, options, own, MODES[name])
            found |= {f"traces {name}: {what}": every[what] for what in SHOWN}
            found[f"traces {name}: CPU ms/order services"] = sum(every[f"CPU ms/order {service}"]
                                                                 for service in cpu.SERVICES)
    return found | costs(found)


def rotated(names, times):
    names = list(names)
    return names[times % len(names):] + names[:times % len(names)]


def costs(found):
    """Pure. In percent of what an order costs without traces: of all, and of our programs alone."""
    def more(name, what):
        return 100 * (found[f"traces {name}: {what}"] / found[f"traces off: {what}"] - 1)
    return {f"traces {name} cost % of {what}": more(name, what)
            for name in MODES if name != "off" for what in ("CPU ms/order", "CPU ms/order services")}


def one(system, options, own, rate):
    """own: the variables that services have besides; rate: None, or how many traces of a million."""
    for service in manifests.ALL:
        system.stack.overrides[service.name] = own.get(service.name, {}) | variables(system.stack, service, rate)
    system.stack.start_services()
    closed.run(system, argparse.Namespace(**vars(options) | {"seconds": WARM_SECONDS}))
    return closed.run(system, options)


def variables(stack, service, rate):
    """Those of the rate."""
    if rate is None:
        return {}
    found = {"OTEL_EXPORTER_OTLP_ENDPOINT": stack.url("otelcol")}
    return found | ({"TRACES_SAMPLE_PPM": str(rate)} if service.serves_clients else {})


@contextlib.contextmanager
def own_variables(stack):
    """Puts the services' variables back at the end."""
    before = {name: dict(of_it) for name, of_it in stack.overrides.items()}
    try:
        yield before
    finally:
        stack.overrides = before
        stack.start_services()


@contextlib.contextmanager
def collector(stack):
    """It takes spans and drops them; its CPU is in no figure."""
    made = Observer(stack, "otelcol", "/v1/traces", lambda _: [backends.OTELCOL.install(), f"--config=file:{CONFIG}"],
                    lambda: {"ORDERBUS_OTLP": f"127.0.0.1:{stack.ports['otelcol']}"})
    made.start()
    try:
        yield
    finally:
        made.stop()
