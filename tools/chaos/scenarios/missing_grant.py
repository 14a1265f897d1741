"""A GRANT of order-svc's role is missing: every order and every event about one is refused by a database that is up."""
import re
import time

import requests

from chaos.expect import Expectation, takes
from chaos.scenario import Episode, Scenario

RIGHTS = "INSERT ON orders.order_events"  # each change of an order writes one
PATIENCE_SECONDS = 60


def _dead_lettered(system):
    text = requests.get(system.url("order-svc") + "/metrics", timeout=5).text
    return sum(map(int, re.findall(r'^bus_messages_total\{.*outcome="parked".*\} (\d+)$', text, re.M)))


class _Grant:
    def __init__(self):
        self.dead_lettered = 0
        self.undone = 0

    def revoke(self, system):
        self.dead_lettered = _dead_lettered(system)
        self.undone = self._undone(system)
        system.sql("orders", f"REVOKE {RIGHTS} FROM order_svc")

    def give_back(self, system):
        system.sql("orders", f"GRANT {RIGHTS} TO order_svc")

    def dead_letters_nothing(self):
        def check(during):
            more = _dead_lettered(during.system) - self.dead_lettered
            return more == 0, f"{more} messages"
        return Expectation("order-svc dead-letters no message", check, live=True)

    def undoes_nothing(self):
        def check(during):
            until = time.monotonic() + PATIENCE_SECONDS
            while self._open(during.system) and time.monotonic() < until:
                time.sleep(0.5)
            more = self._undone(during.system) - self.undone
            return more == 0, f"{more} orders"
        return Expectation("no order is undone by a deadline that passed meanwhile", check)

    @staticmethod
    def _open(system):
        return int(system.sql("orders", "SELECT count(*) FROM orders.orders WHERE deadline < now()")[0][0])

    @staticmethod
    def _undone(system):
        return int(system.sql("orders", "SELECT count(*) FROM orders.orders WHERE reason = 'timeout'")[0][0])


def episodes(short):
    grant = _Grant()
    return [Episode("REVOKE", grant.revoke, 8 if short else 90,
                    [takes(p99=1), grant.dead_letters_nothing(), grant.undoes_nothing()], grant.give_back, recovery=40)]


SCENARIO = Scenario(
    "missing-grant",
    "The role of order-svc may no longer write the events of orders, for longer than an order's deadline, and then "
    "may again. No message is dead-lettered for it, and no order is undone.",
    episodes, in_suite=False)
