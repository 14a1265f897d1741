"""The bench of ./dev bench: what an order costs and how many a second there can be, beside the floor of the servers."""
import os

from dev import paths

FOLDER = os.path.join(paths.ROOT, "load-testing", "bench")  # scripts of wrk and pgbench, SQL
