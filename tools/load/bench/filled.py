"""Many orders in the databases, made by SQL, against few: what an order costs may not depend on how many there were."""
import concurrent.futures
import contextlib
import re

from load.bench import closed, figures, scripts
from dev.report import DevError, step

CHUNK = 500_000  # orders a statement
SCRIPTS = scripts("fill")
# The tables of each database that its script fills, in its order; the first has a row for each order.
TABLES = {name: tuple(dict.fromkeys(re.findall(r"INSERT INTO (\S+)", text))) for name, text in SCRIPTS.items()}
SHOWN = ("confirmed orders/s", "CPU ms/order", "CPU ms/order postgres", "wal bytes/order", "full pages/order",
         "processors stolen %")
INDEXES = """SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid),
                    quote_ident(c.relname), quote_ident(k.conname)
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype = 'p'
             WHERE i.indrelid = ANY (%s::regclass[]) ORDER BY 2"""
FOREIGN_KEYS = """SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
                  WHERE contype = 'f' AND confrelid = ANY (%s::regclass[]) ORDER BY 2"""


def run(system, options):
    """The rate before, the orders, the rate after them."""
    few = measured(system, options)
    fill_all(system, options.fill)
    many = measured(system, options)
    size = sum(system.row(name, "SELECT pg_database_size(current_database())")[0] for name in TABLES)
    there = system.row("orders", "SELECT count(*) FROM orders.orders")[0]
    return {"orders there": there, "databases GiB": size / (1 << 30)} | {
        f"{which} orders: {name}": found[name] for which, found in (("few", few), ("many", many)) for name in SHOWN} | {
        "of the rate with few %": 100 * many["confirmed orders/s"] / few["confirmed orders/s"]}


def measured(system, options):
    """→ {figure: median}"""
    found = figures.summary([closed.run(system, options) for _ in range(options.runs)])
    return {name: found[name]["median"] for name in SHOWN}


def fill_all(system, count):
    """While the services are away: without indexes what they look for would be looked for in all rows."""
    system.stack.stop_services()
    with concurrent.futures.ThreadPoolExecutor(len(TABLES)) as pool:  # each has a connection of its own
        try:
            list(pool.map(lambda name: fill(system, name, count), TABLES))
        except BaseException:  # also a signal: nobody waits for the rest
            system.cancel()
            raise
    system.stack.start_services()


def statements(name):
    """The SQL that makes orders first to last of all, in one of the databases."""
    return [one for one in SCRIPTS[name].split(";\n") if one.strip()]


def fill(system, name, count):
    with without_indexes(system, name):
        for first in range(1, count + 1, CHUNK):
            last = min(first + CHUNK - 1, count)
            for statement in statements(name):
                system.change(name, statement, {"first": first, "last": last, "all": count})
            step("filled", f"{name}: {last:,} of {count:,} orders")
    step("filled", f"{name}: indexes")
    for table in TABLES[name]:
        system.change(name, f"VACUUM (ANALYZE) {table}")
    system.change(name, "CHECKPOINT")
    if system.row(name, f"SELECT count(*) FROM {TABLES[name][0]}")[0] < count:
        raise DevError(f"{TABLES[name][0]} has fewer than {count} rows")


@contextlib.contextmanager
def without_indexes(system, name):
    """They are built when all is there, which takes a tenth of the time, and so are the foreign keys that need them."""
    before = system.rows(name, INDEXES, list(TABLES[name]))
    referring = system.rows(name, FOREIGN_KEYS, list(TABLES[name]))
    for table, key, _ in referring:
        system.change(name, f"ALTER TABLE {table} DROP CONSTRAINT {key}")
    for table, index, _, _, key in before:
        system.change(name, f"ALTER TABLE {table} DROP CONSTRAINT {key}" if key else f"DROP INDEX {index}")
    yield
    system.change(name, "SET maintenance_work_mem = '1GB'")
    for table, _, definition, index, key in before:
        system.change(name, definition)
        if key:
            system.change(name, f"ALTER TABLE {table} ADD CONSTRAINT {key} PRIMARY KEY USING INDEX {index}")
    for table, key, definition in referring:
        system.change(name, f"ALTER TABLE {table} ADD CONSTRAINT {key} {definition}")
    if system.rows(name, INDEXES, list(TABLES[name])) != before:
        raise DevError(f"the indexes of {name} are not what they were")
