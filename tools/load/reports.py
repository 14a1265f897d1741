"""Reads of reports over many orders, at a constant rate: latencies by kind, and before that each kind alone: its CPU
time. Fills the database of data-svc by SQL, in chunks. Starts a stack of its own.

  ./dev load reports [--orders 1000000] [--rate 200] [--seconds 60] [--preset release]
"""
import argparse
import concurrent.futures
import datetime
import http.client
import os
import random
import time

from dev import paths
from dev.postgres import psql
from load.bench import cpu
from load.private_stack import edge_address, private_stack
from load.traffic import Single, Traffic, encode

CHUNK = 250_000
FILLERS = 2
SECONDS = 3600
CLIENTS = 64
BOUND_MS = 500
ALONE = 60  # reads of each kind


class Reads(Single):
    """A mix of all reports: searches by time, status, customer, product and total, revenue and figures."""

    def __init__(self, now):
        self._now, self._random, self._cursor = now, random.Random(7), None

    def _span(self, days):
        to = self._now - datetime.timedelta(hours=self._random.randrange(24 * (360 - days)))
        begin = to - datetime.timedelta(days=days)
        return f"from={begin:%Y-%m-%dT%H:%M:%SZ}&to={to:%Y-%m-%dT%H:%M:%SZ}"

    def kinds(self):
        """→ {kind: a function that gives the path of a read}"""
        def customer():
            return f"customer_id=customer-{self._random.randrange(100_000)}"

        def product():
            return f"product_id=SKU-{self._random.randrange(1000)}"

        return {
            "revenue by hour": lambda: f"revenue?currency=EUR&by=hour&{self._span(7)}",
            "revenue by day": lambda: f"revenue?currency=EUR&by=day&{self._span(300)}",
            "figures of a day": lambda: f"kpis?{self._span(1)}",
            "figures of 300 days": lambda: f"kpis?{self._span(300)}",
            "newest": lambda: "orders?limit=50",
            "of a time": lambda: f"orders?limit=50&{self._span(2)}",
            "of a status": lambda: f"orders?limit=50&status=CANCELLED&{self._span(30)}",
            "of a customer": lambda: f"orders?limit=50&{customer()}",
            "of a product": lambda: f"orders?limit=50&{product()}",
            "of a product and status": lambda: f"orders?limit=50&status=REJECTED&{product()}",
            "of a total": lambda: f"orders?limit=50&min_total=50400&{self._span(90)}",
            "of no order": lambda: f"orders?limit=50&min_total=60000&{self._span(90)}",
        }

    def request(self, number):
        kinds = list(self.kinds().items())
        kind, path = kinds[number % len(kinds)]
        return kind, encode("GET", "/api/reports/" + path())

    def note(self, kind, status, body):
        pass

    def is_acceptable(self, answer):
        return answer.status == 200


def read(name):
    with open(os.path.join(paths.ROOT, "load-testing", name), encoding="utf-8") as file:
        return file.read()


def fill(url, orders):
    """→ seconds. With checkpoints at their usual distance each would have many pages written again."""
    began = time.monotonic()
    psql(url, "ALTER SYSTEM SET max_wal_size = '8GB'; ALTER SYSTEM SET checkpoint_timeout = '1h'; "
         "SELECT pg_reload_conf();")

    def fill_from(first):
        psql(url, read("reports.sql"),
             {"first": first, "last": min(first + CHUNK - 1, orders), "orders": orders}, SECONDS)

    with concurrent.futures.ThreadPoolExecutor(FILLERS) as pool:
        list(pool.map(fill_from, range(1, orders + 1, CHUNK)))
    psql(url, read("reports-sums.sql"), seconds=SECONDS)
    psql(url, "ALTER SYSTEM RESET max_wal_size; ALTER SYSTEM RESET checkpoint_timeout; SELECT pg_reload_conf(); "
         "CHECKPOINT;", seconds=SECONDS)
    return time.monotonic() - began


def alone(stack, reads):
    """→ {kind: CPU ms of a read}, by services, broker and database"""
    connection, groups, found = http.client.HTTPConnection(*edge_address(stack)), cpu.of_stack(stack), {}
    for kind, path in reads.kinds().items():
        before = groups.read()
        for _ in range(ALONE):
            connection.request("GET", "/api/reports/" + path())
            connection.getresponse().read()
        spent = cpu.difference(before, groups.read())
        found[kind] = sum(spent[name] for name in cpu.SYSTEM) / ALONE
    connection.close()
    return found


def percentiles(answers):
    found = sorted(1000 * one.latency for one in answers)
    return [found[int(share * (len(found) - 1))] for share in (0.5, 0.95, 0.99, 1)]


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load reports", description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--preset", default="release")
    options = parser.parse_args(words)
    with private_stack(options.preset, "reports") as stack:
        url = stack.database_url("reports")
        took = fill(url, options.orders)
        size = int(stack.sql("reports", "SELECT pg_database_size(current_database())")[0][0])
        reads = Reads(datetime.datetime.now(datetime.timezone.utc))
        costs = alone(stack, reads)
        with Traffic(edge_address(stack), CLIENTS, reads, options.rate) as traffic:
            time.sleep(options.seconds)
    print(f"{options.orders:,} orders filled in {took:.0f} s, {size / 2**30:.1f} GiB; {options.rate:.0f} reads/s for "
          f"{options.seconds:.0f} s")
    print("| read | answers | p50 ms | p95 ms | p99 ms | most ms | CPU ms alone |\n|---|---|---|---|---|---|---|")
    costs[None] = sum(costs.values()) / len(costs)
    good = not traffic.refused() and len(traffic.answers) > 0
    for kind in sorted({one.kind for one in traffic.answers}) + [None]:
        answers = [one for one in traffic.answers if kind in (None, one.kind)]
        figures = percentiles(answers)
        print(f"| {kind or 'all'} | {len(answers)} | " + " | ".join(f"{one:.0f}" for one in figures) +
              f" | {costs[kind]:.1f} |")
        good = good and figures[1] < BOUND_MS
    if traffic.refused():
        print(f"{len(traffic.refused())} refused, such as {traffic.refused()[0]}")
    return 0 if good else 1
