"""How fast one worker thread of inventory-svc carries reservations from a full queue, and how many round trips to
Postgres a batch takes. Starts private servers of its own under a temporary folder.

  ./dev load reservation-rate [--messages 110000] [--batch-max 100] [--preset release] [--min-rate 5000]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
import uuid

from dev import build
from dev.stack import Stack
from load.counting_proxy import CountingProxy
from load.memory import memory

PRODUCTS = 100


def metric(url, name):
    """Sums every series of a metric."""
    with urllib.request.urlopen(url + "/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(name + r"[{ ]", line))


def send(stack, user, kind, bodies):
    command = [os.path.join(build.programs(stack.preset), "bus-send"), "--url", stack.amqp_url(user), kind]
    subprocess.run(command, input="\n".join(json.dumps(one) for one in bodies), text=True, check=True,
                   stdout=subprocess.DEVNULL)


def reservations(count):
    for n in range(count):
        items = [{"product_id": f"P-{(n * 7 + k) % PRODUCTS:03}", "quantity": 1} for k in range(2)]
        yield {"order_id": str(uuid.uuid4()), "items": items}


def fill(stack, count):
    send(stack, "operator", "inventory.put-product.v1",
         [{"product_id": f"P-{n:03}", "name": f"Product {n}", "price": 100 + n, "currency": "EUR",
           "on_hand": 100_000_000} for n in range(PRODUCTS)])
    stack.start_service("inventory-svc")
    while len(stack.sql("inventory", "SELECT 1 FROM inventory.products")) < PRODUCTS:
        time.sleep(0.1)
    stack.stop_service("inventory-svc")
    send(stack, "order-svc", "inventory.reserve.v1", reservations(count))


def watch(url, wanted):
    """(seconds since the first look, messages done) until all are done."""
    samples, began = [], time.monotonic()
    while not samples or samples[-1][1] < wanted:
        samples.append((time.monotonic() - began, metric(url, "bus_messages_total")))
        if time.monotonic() - began > 300:
            raise SystemExit(f"only {samples[-1][1]:.0f} of {wanted} after 300 s")
        time.sleep(0.2)
    return samples


def rate(samples):
    """Over the middle: from the first sample with progress to the last before the end."""
    moving = [one for one in samples if 0 < one[1] < samples[-1][1]]
    (t0, n0), (t1, n1) = moving[0], moving[-1]
    return (n1 - n0) / (t1 - t0)


def round_trips(trips):
    """(batches, transactions without a message, Syncs), from the first batch's first trip to the last one's COMMIT.
    When nothing arrives for a while, a worker runs a transaction for what is due anyway."""
    firsts = [i for i, trip in enumerate(trips) if any("bus.inbox" in sql for sql in trip)]
    last = max(i for i, trip in enumerate(trips) if "COMMIT" in trip and i > firsts[-1])
    began = sum(1 for trip in trips[firsts[0]:last] if any(sql.startswith("BEGIN") for sql in trip))
    return len(firsts), began - len(firsts), last - firsts[0] + 1


def measure(stack, proxy, arguments):
    url = stack.url("inventory-svc")
    stack.start_service("inventory-svc", wait=False)
    stack.services["inventory-svc"].wait_ready(60)
    samples = watch(url, arguments.messages)
    worker = max(proxy.connections, key=len)  # the others answer queries and check the schema
    batches, idle, syncs = round_trips(worker)
    anon, rss = memory(stack.pid("inventory-svc"))
    return {
        "reservations_per_second": round(rate(samples)),
        "batches": batches,
        "mean_batch_size": round(arguments.messages / batches, 1),
        "transactions_without_message": idle,
        "syncs": syncs,
        "syncs_per_transaction": syncs / (batches + idle),
        "rss_anon_kib": anon,
        "rss_kib": rss,
    }


def verdicts(result, arguments):
    yield result["reservations_per_second"] >= arguments.min_rate, f"at least {arguments.min_rate} reservations/s"
    yield result["batches"] >= 1000, "at least 1,000 batches"
    yield result["mean_batch_size"] >= 50, "a mean batch of at least 50"
    yield result["syncs_per_transaction"] == 2, "exactly two Syncs a batch"
    yield result["rss_anon_kib"] < 8192, "RssAnon below 8 MiB"


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load reservation-rate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=110_000)
    parser.add_argument("--batch-max", type=int, default=100)
    parser.add_argument("--preset", default="release")
    parser.add_argument("--min-rate", type=int, default=5000)
    arguments = parser.parse_args(words)
    folder = tempfile.mkdtemp(prefix="orderbus-rate-", dir="/var/tmp")
    os.chmod(folder, 0o711)
    stack = Stack(os.path.join(folder, "stack"), preset=arguments.preset)
    try:
        stack.start_servers()
        stack.prepare()
        fill(stack, arguments.messages)
        proxy = CountingProxy("127.0.0.1", stack.ports["postgres"])
        through = stack.database_url("inventory", "inventory_svc").replace(
            f":{stack.ports['postgres']}/", f":{proxy.port}/")
        stack.overrides["inventory-svc"] = {"DATABASE_URL": through, "WORKERS": "1",
                                            "BATCH_MAX": str(arguments.batch_max)}
        result = measure(stack, proxy, arguments)
    finally:
        stack.stop()
        shutil.rmtree(folder)
    for name, value in result.items():
        print(f"{name:32} {value}")
    failed = [text for good, text in verdicts(result, arguments) if not good]
    for text in failed:
        print(f"FAILED: {text}")
    return 1 if failed else 0
