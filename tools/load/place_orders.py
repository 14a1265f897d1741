"""Places orders over many connections, waits until every one is final, and says how long that took.

  ./dev load place-orders [--url http://127.0.0.1:8080] [--orders 2000] [--connections 32] [--within 30]
                               [--accepted FILE] [--state DIR]

The edge of ./dev up asks for a token: TOKEN=$(./dev token --operator) ./dev load place-orders. A customer's token has a
limit of requests a second.
"""
import argparse
import collections
import http.client
import json
import os
import time
import urllib.parse

from load.memory import Sampler
from load.soak_verdict import percentile
from load.traffic import FIRST_PRODUCTS, Placed, Traffic

FINAL = ("CONFIRMED", "REJECTED", "CANCELLED")


def status_counts(address, ids, token):
    connection = http.client.HTTPConnection(*address, timeout=30)
    counts = collections.Counter()
    left = []
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for order_id in ids:
        connection.request("GET", f"/api/orders/{order_id}", headers=headers)
        answer = connection.getresponse()
        found = json.loads(answer.read()).get("status", answer.status)
        counts[found] += 1
        if found not in FINAL:
            left.append(order_id)
    connection.close()
    return counts, left


def until_final(address, ids, deadline, token=None):
    """→ (how many orders ended in each state, the ids of those that did not)"""
    final, left = collections.Counter(), ids
    while left and time.monotonic() < deadline:
        counts, left = status_counts(address, left, token)
        final.update({status: n for status, n in counts.items() if status in FINAL})
    return final, left


def report(answers, accepted_after, final, left, took):
    latencies = [answer.latency * 1000 for answer in answers]
    print(f"answers            {dict(collections.Counter(answer.status for answer in answers))}")
    print(f"accepted in        {accepted_after:.1f} s, {len(answers) / accepted_after:.0f}/s")
    print(f"accept latency     p50 {percentile(latencies, .5):.1f} ms, p99 {percentile(latencies, .99):.1f} ms")
    print(f"final states       {dict(final)}, not final {len(left)}")
    print(f"all final within   {took:.1f} s (asking one by one included)")


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
    token = os.environ.get("TOKEN")
    orders = Placed([f"SKU-{n:05}" for n in range(1, FIRST_PRODUCTS + 1)], bearer=token)
    sampler = Sampler(arguments.state) if arguments.state else None
    if sampler:
        sampler.start()
    began = time.monotonic()
    traffic = Traffic((split.hostname, split.port), arguments.connections, orders)
    accepted_after = traffic.run(count=arguments.orders)
    traffic.close()
    if arguments.accepted:
        with open(arguments.accepted, "w", encoding="ascii") as file:
            file.writelines(f"{order_id}\n" for order_id in orders.accepted)
    final, left = until_final((split.hostname, split.port), orders.accepted, began + arguments.within + 30, token)
    took = time.monotonic() - began
    report(traffic.answers, accepted_after, final, left, took)
    if sampler:
        sampler.stop()
        for name, (anon, rss) in sampler.peaks.items():
            print(f"memory             {name:14} RssAnon {anon / 1024:5.1f} MiB, RSS {rss / 1024:5.1f} MiB")
    good = final["CONFIRMED"] == arguments.orders and took <= arguments.within
    print("ok" if good else f"FAILED: not all {arguments.orders} CONFIRMED within {arguments.within:.0f} s")
    return 0 if good else 1
