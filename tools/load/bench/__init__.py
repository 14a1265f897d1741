"""The bench of ./dev bench: what an order costs and how many a second there can be, beside the floor of the servers."""
import os

from dev import manifests, paths

FOLDER = os.path.join(paths.ROOT, "load-testing", "bench")  # scripts of wrk and pgbench, SQL


def scripts(kind):
    """→ {database: the SQL} of load-testing/bench/<kind>, in the order of the databases."""
    found = {}
    for name in manifests.DATABASES:
        path = os.path.join(FOLDER, kind, name + ".sql")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found[name] = file.read()
    return found
