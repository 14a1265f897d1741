"""Many old orders, and the archive that takes their events while clients order: how long it takes, what new orders feel
of it, and how small the log is afterwards. Starts a stack of its own.

  ./dev load growth [--orders 1000000] [--rate 50] [--older 1h] [--preset release]
"""
import argparse
import threading
import time

from dev.postgres import psql
from load.bench.filled import fill_all
from load.bench.system import System
from load.private_stack import edge_address, private_stack
from load.traffic import Placed, Traffic

QUIET_SECONDS = 20
SECONDS = 3600
ARCHIVE = ("SET SESSION AUTHORIZATION orders_migrator; SET ROLE orders_owner; "
           "CALL orders.archive('{older}');")
COUNTS = "SELECT (SELECT count(*) FROM orders.order_events), (SELECT count(*) FROM orders.archived_events)"
SIZES = "SELECT pg_total_relation_size('orders.order_events'), pg_total_relation_size('orders.archived_events')"


class Archive(threading.Thread):
    """The call of a timer; moved, seconds: once it has ended. error: why it failed."""

    def __init__(self, url, older):
        super().__init__(daemon=True)
        self._url, self._older = url, older
        self.moved = self.seconds = self.error = None

    def run(self):
        began = time.monotonic()
        try:
            self.moved = int(psql(self._url, ARCHIVE.format(older=self._older), seconds=SECONDS))
        except Exception as error:  # the run says so
            self.error = error
        self.seconds = time.monotonic() - began


def latencies(answers):
    """→ "p50 / p99 / most" in ms"""
    found = sorted(answer.latency for answer in answers)
    return " / ".join(f"{1000 * found[int(share * (len(found) - 1))]:.0f}" for share in (0.5, 0.99, 1))


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load growth", description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000_000, help="placed at 100 a second until now")
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--older", default="1h", help="of these orders; an interval of Postgres")
    parser.add_argument("--preset", default="release")
    options = parser.parse_args(words)
    with private_stack(options.preset, "growth") as stack:
        system = System(stack)
        system.fill_catalogue()
        fill_all(system, options.orders)
        before, sizes = system.row("orders", COUNTS), system.row("orders", SIZES)
        with Traffic(edge_address(stack), 64, Placed(["BENCH-00001", "BENCH-00002"]), options.rate) as traffic:
            time.sleep(QUIET_SECONDS)
            quiet = len(traffic.answers)
            archive = Archive(stack.database_url("orders"), options.older)
            archive.start()
            archive.join()
            during = len(traffic.answers)
        system.wait_for_rest()
        system.change("orders", "VACUUM (FULL) orders.order_events")
        after, left = system.row("orders", COUNTS), system.row("orders", SIZES)
        system.close()
    if archive.error:
        raise archive.error
    refused = len(traffic.refused())
    print(f"{archive.moved:,} of {before[0]:,} events moved in {archive.seconds:.0f} s "
          f"({archive.moved / archive.seconds:,.0f}/s); log {sizes[0] >> 20} MiB before, {left[0] >> 20} after VACUUM "
          f"FULL, archive {left[1] >> 20}; {len(traffic.answers)} orders at {options.rate:.0f}/s, {refused} refused; "
          f"p50/p99/most of the answer: {latencies(traffic.answers[:quiet])} ms before, "
          f"{latencies(traffic.answers[quiet:during])} ms during it")
    return 0 if refused == 0 and archive.moved > 0 and after[1] == before[1] + archive.moved else 1
