"""The private stack that is measured: its catalogue, its databases, and whether it is as durable as it must be."""
import os
import subprocess
import time

import psycopg2

from dev import build, manifests
from dev.report import DevError
from load.private_stack import private_stack

PRODUCTS = 1000
PLENTY = 1_000_000_000
SCALED = tuple(one.name for one in manifests.WITH_DATABASE)
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
REST_SECONDS = 300
# By the partial index of what is open, so that asking costs nothing while orders are under way.
OPEN = "SELECT count(*) FROM orders.orders WHERE due_at IS NOT NULL"
OUTBOX = "SELECT count(*) FROM (SELECT FROM bus.outbox LIMIT 1) AS one"
SINCE = """SELECT count(*), count(*) FILTER (WHERE status = 'CONFIRMED'), extract(epoch FROM max(updated_at))
           FROM orders.order_list WHERE created_at >= to_timestamp(%s)"""


class System:
    def __init__(self, stack):
        self.stack = stack
        self._connections = {name: psycopg2.connect(stack.database_url(name)) for name in manifests.DATABASES}
        for connection in self._connections.values():
            connection.autocommit = True

    def close(self):
        for connection in self._connections.values():
            connection.close()

    def rows(self, database, text, *arguments):
        with self._connections[database].cursor() as cursor:
            cursor.execute(text, arguments or None)
            return cursor.fetchall()

    def change(self, database, text, arguments=None):
        with self._connections[database].cursor() as cursor:
            cursor.execute(text, arguments)

    def cancel(self):
        """Cancels the statements of other threads, which fail there."""
        for connection in self._connections.values():
            connection.cancel()

    def row(self, database, text):
        return self.rows(database, text)[0]

    def check_durable(self):
        for name, wanted in DURABLE.items():
            found = self.row("orders", f"SHOW {name}")[0]
            if found != wanted:
                raise DevError(f"Postgres has {name} = {found}; durable is {wanted}")
        queues = {one["name"]: one for one in self.stack.servers.rabbitmq.management().must(
            "GET", "queues", self.stack.broker.admin.path)}
        for name in (name for name in queues if name + ".dead" in queues):
            if queues[name]["type"] != "quorum":
                raise DevError(f"the queue {name} is a {queues[name]['type']} queue; durable is quorum")

    def fill_catalogue(self):
        self.stack.broker.publish(build.programs(self.stack.preset), "inventory.put-product.v1", [
            {"product_id": f"BENCH-{n:05}", "name": f"Bench product {n}", "price": 100 + n, "currency": "EUR",
             "on_hand": PLENTY} for n in range(1, PRODUCTS + 1)])
        self.wait(lambda: self.row("inventory", "SELECT count(*) FROM inventory.products "
                                   "WHERE product_id LIKE 'BENCH-%'")[0] == PRODUCTS, 30, "the catalogue is not there")

    def wait_for_rest(self):
        """Every order final, and nothing left to publish."""
        self.wait(lambda: self.row("orders", OPEN)[0] == 0, REST_SECONDS, "orders are not final")
        for name in manifests.DATABASES:
            self.wait(lambda name=name: self.row(name, OUTBOX)[0] == 0, 30, f"the outbox of {name} is not empty")

    def since(self, began):
        """→ (orders made since, CONFIRMED ones of them, when the last of them changed, as a Unix time)"""
        count, confirmed, last = self.rows("orders", SINCE, began)[0]
        return count, confirmed, float(last or 0)

    @staticmethod
    def wait(reached, seconds, complaint):
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                raise DevError(f"{complaint} after {seconds} s")
            time.sleep(0.1)


def private_system(preset="release", variables=()):
    """variables: NAME=VALUE, of each of SCALED."""
    of_each = dict(text.split("=", 1) for text in variables)
    return private_stack(preset, "bench", {name: of_each for name in SCALED})


def check_known(preset, variables):
    """A service does not mind what it does not know, and the figures would be those of its defaults. Said before any
    server is started."""
    if not variables:
        return
    build.build_programs(preset)
    for service in SCALED:
        program = os.path.join(build.programs(preset), service)
        known = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout.split()
        for name in (text.split("=", 1)[0] for text in variables):
            if name not in known:
                raise DevError(f"{service} has no variable {name}: see {service} --help", status=2)
