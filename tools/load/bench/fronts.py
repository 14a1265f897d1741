"""The same orders at the same rate over REST and over gRPC to one edge, and over REST to an edge without gRPC: what the
edge spends. Each front has a generator of its own: their latencies say less than the edge's costs."""
import itertools
import json
import os
import subprocess
import tempfile

from chaos.pair import Instance
from dev import ports
from dev.grpc_tools import GHZ, SERVICE
from dev.report import DevError
from load.bench import cpu, open_loop
from load.bench.system import PRODUCTS
from load.memory import memory

CONNECTIONS, CONCURRENCY = 8, 64
PERCENTILES = (50, 99)
turn = itertools.count()


def run(system, options):
    GHZ.install()
    without = one_edge(system, options, "without a listener", None)
    return without | one_edge(system, options, "with one", ports.pick_one())


def one_edge(system, options, name, grpc_port):
    """The fronts change places from run to run: the servers still work for one of them during the other."""
    edge = Instance(system.stack, "edge", "edge-" + name.split(maxsplit=1)[0], {"GRPC_PORT": str(grpc_port or 0)})
    edge.start()
    if grpc_port:
        system.wait(lambda: ports.is_served(grpc_port), 5, "the edge listens for no gRPC")
    found = {f"{name}: RssAnon MiB idle": anonymous_mib(edge)}
    try:
        for front in sorted(FRONTS if grpc_port else ("REST",), reverse=bool(next(turn) % 2)):
            groups = cpu.Groups({"edge": lambda: [edge.pid()]})
            before = groups.read()
            latencies, orders = FRONTS[front](options, grpc_port if front == "gRPC" else edge.port)
            system.wait_for_rest()
            found |= {f"{name}: {front} {what}": value for what, value in latencies.items()}
            found[f"{name}: {front} CPU ms/order edge"] = cpu.difference(before, groups.read())["edge"] / orders
            found[f"{name}: {front} RssAnon MiB"] = anonymous_mib(edge)
    finally:
        edge.stop()
    return found


def anonymous_mib(edge):
    return memory(edge.pid())[0] / 1024


def rest(options, port):
    """→ ({latency}, orders)"""
    traffic = open_loop.send(port, options.rates[0], open_loop.Orders(), options.seconds)
    found = open_loop.latencies(traffic.answers, open_loop.ACCEPT)
    return {f"p{percent} ms": found[f"accept p{percent} ms"] for percent in PERCENTILES}, len(traffic.answers)


def grpc(options, port):
    count = options.rates[0] * options.seconds
    product = f'BENCH-{{{{printf `%05d` (add 1 (mod .RequestNumber {PRODUCTS}))}}}}'
    data = json.dumps({"idempotency_key": "{{newUUID}}", "items": [{"product_id": "PRODUCT", "quantity": 1}]})
    with tempfile.TemporaryDirectory(prefix="orderbus-ghz-") as folder:
        said = os.path.join(folder, "said")
        subprocess.run([GHZ.program(), "--insecure", "--call", SERVICE + ".PlaceOrder", "--data",
                        data.replace("PRODUCT", product), "--total", str(count), "--rps", str(options.rates[0]),
                        "--concurrency", str(CONCURRENCY), "--connections", str(CONNECTIONS), "--format", "json",
                        "--output", said, f"127.0.0.1:{port}"], check=True, timeout=60 + 4 * options.seconds)
        with open(said, encoding="utf-8") as file:
            found = json.load(file)
    if found["statusCodeDistribution"] != {"OK": count}:
        raise DevError(f"of {count} calls {found['statusCodeDistribution']} ended so: {found.get('errorDistribution')}")
    by_percent = {row["percentage"]: row["latency"] / 1e6 for row in found["latencyDistribution"]}
    return {f"p{percent} ms": by_percent[percent] for percent in PERCENTILES}, count


FRONTS = {"REST": rest, "gRPC": grpc}
