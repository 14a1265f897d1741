"""Places orders over many connections, waits until every one is final, and says how long that took.

  ./dev load place-orders [--url http://127.0.0.1:8080] [--orders 2000] [--connections 32] [--within 30]
                               [--accepted FILE] [--state DIR]
"""
import argparse
import collections
import http.client
import json
import threading
import time
import urllib.parse
import uuid

from load.memory import Sampler

FINAL = ("CONFIRMED", "REJECTED", "CANCELLED")


class Client(threading.Thread):
    """One connection, one order after another; keeps every id that got a 2xx."""

    def __init__(self, address, numbers, run):
        super().__init__()
        self.address, self.numbers, self.run_name = address, numbers, run
        self.accepted, self.latencies, self.answers = [], [], collections.Counter()

    def run(self):
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        for number in self.numbers:
            items = [{"product_id": f"SKU-{1 + (number + k) % 50:05}", "quantity": 1 + number % 3} for k in range(2)]
            body = json.dumps({"idempotency_key": f"{self.run_name}-{number}", "items": items})
            began = time.monotonic()
            connection.request("POST", "/api/orders", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            self.latencies.append(time.monotonic() - began)
            self.answers[answer.status] += 1
            if answer.status < 300:
                self.accepted.append(json.loads(text)["order_id"])
        connection.close()


def status_counts(address, ids):
    connection = http.client.HTTPConnection(*address, timeout=30)
    counts = collections.Counter()
    left = []
    for order_id in ids:
        connection.request("GET", f"/api/orders/{order_id}")
        answer = connection.getresponse()
        found = json.loads(answer.read()).get("status", answer.status)
        counts[found] += 1
        if found not in FINAL:
            left.append(order_id)
    connection.close()
    return counts, left


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load place-orders", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--within", type=float, default=30, help="seconds until all must be CONFIRMED")
    parser.add_argument("--accepted", help="file for the ids of what got a 2xx, for ./dev invariants")
    parser.add_argument("--state", help="a local stack's state folder: its services' peak memory is printed, too")
    arguments = parser.parse_args(words)
    split = urllib.parse.urlsplit(arguments.url)
    address, run = (split.hostname, split.port), str(uuid.uuid4())
    clients = [Client(address, range(n, arguments.orders, arguments.connections), run)
               for n in range(arguments.connections)]
    sampler = Sampler(arguments.state) if arguments.state else None
    if sampler:
        sampler.start()
    began = time.monotonic()
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    accepted_after = time.monotonic() - began
    left = [order_id for one in clients for order_id in one.accepted]
    if arguments.accepted:
        with open(arguments.accepted, "w", encoding="ascii") as file:
            file.writelines(f"{order_id}\n" for order_id in left)
    final = collections.Counter()
    while left and time.monotonic() - began < arguments.within + 30:
        counts, left = status_counts(address, left)
        final.update({status: n for status, n in counts.items() if status in FINAL})
    took = time.monotonic() - began
    latencies = [value for one in clients for value in one.latencies]
    answers = sum((one.answers for one in clients), collections.Counter())
    print(f"answers            {dict(answers)}")
    print(f"accepted in        {accepted_after:.1f} s, {arguments.orders / accepted_after:.0f}/s")
    print(f"accept latency     p50 {percentile(latencies, .5) * 1000:.1f} ms, "
          f"p99 {percentile(latencies, .99) * 1000:.1f} ms")
    print(f"final states       {dict(final)}, not final {len(left)}")
    print(f"all final within   {took:.1f} s (asking one by one included)")
    if sampler:
        sampler.stop()
        for name, (anon, rss) in sampler.peaks.items():
            print(f"memory             {name:14} RssAnon {anon / 1024:5.1f} MiB, RSS {rss / 1024:5.1f} MiB")
    good = final["CONFIRMED"] == arguments.orders and took <= arguments.within
    print("ok" if good else f"FAILED: not all {arguments.orders} CONFIRMED within {arguments.within:.0f} s")
    return 0 if good else 1
