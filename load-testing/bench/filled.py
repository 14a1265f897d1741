"""Many orders in the databases, made by SQL, against few: what an order costs may not depend on how many there were."""
import concurrent.futures
import os

from bench import closed, figures
from bench.root import HERE
from dev.report import DevError, step

CHUNK = 500_000  # orders a statement
TABLES = {"orders": ("orders.orders", "orders.order_events", "bus.inbox"),
          "inventory": ("inventory.reservations", "bus.inbox"),
          "payments": ("payments.payments", "payments.ledger", "bus.inbox")}


def run(system, options):
    """The rate before, the orders, the rate after them."""
    few = closed.run(system, options)["confirmed orders/s"]
    with concurrent.futures.ThreadPoolExecutor(len(TABLES)) as pool:  # each has a connection of its own
        list(pool.map(lambda name: fill(system, name, options.fill), TABLES))
    every = [closed.run(system, options) for _ in range(max(1, options.runs))]
    many = figures.summary(every)["confirmed orders/s"]["median"]
    size = sum(system.row(name, "SELECT pg_database_size(current_database())")[0] for name in TABLES)
    there = system.row("orders", "SELECT count(*) FROM orders.orders")[0]
    return {"orders there": there, "databases GiB": size / (1 << 30),
            "few orders: confirmed orders/s": few, "many orders: confirmed orders/s": many,
            "of the rate with few %": 100 * many / few}


def fill(system, name, count):
    with open(os.path.join(HERE, "fill", name + ".sql"), encoding="utf-8") as file:
        statements = [one for one in file.read().split(";\n") if one.strip()]
    for first in range(1, count + 1, CHUNK):
        last = min(first + CHUNK - 1, count)
        for statement in statements:
            system.change(name, statement, {"first": first, "last": last, "all": count})
        step("filled", f"{name}: {last:,} of {count:,} orders")
    for table in TABLES[name]:
        system.change(name, f"VACUUM (ANALYZE) {table}")
    system.change(name, "CHECKPOINT")
    if system.row(name, f"SELECT count(*) FROM {TABLES[name][0]}")[0] < count:
        raise DevError(f"{TABLES[name][0]} has fewer than {count} rows")
