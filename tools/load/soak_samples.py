"""Samples of a soak run, every few seconds: memory, threads and descriptors of the programs, queues, and tables."""
import os
import threading
import time

import psycopg2

from chaos import invariants
from dev import manifests
from load.memory import memory
from load.reservation_rate import metric

PROGRAMS = manifests.NAMES
# An inbox holds seven days: it is too large to be counted every time, and Postgres knows about how large it is.
ROWS = """SELECT (SELECT count(*) FROM bus.outbox), (SELECT count(*) FROM bus.suspects),
                 (SELECT n_live_tup FROM pg_stat_user_tables WHERE schemaname = 'bus' AND relname = 'inbox')"""


def process(pid):
    """→ {"anon": KiB, "rss": KiB, "threads": n, "fds": n, "sockets": n}"""
    anon, rss = memory(pid)
    kinds = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            kinds.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        except FileNotFoundError:  # closed meanwhile
            pass
    return {"anon": anon, "rss": rss, "threads": len(os.listdir(f"/proc/{pid}/task")), "fds": len(kinds),
            "sockets": sum(kind.startswith("socket:") for kind in kinds)}


class Samples(threading.Thread):
    """`taken`: a list of {"at": seconds, "programs": {name: …}, "queues": {name: messages}, "remembered": orders
    that the edge keeps in mind, having accepted them on a confirm alone, "rows": {database: …}}."""

    def __init__(self, stack, sources, every):
        super().__init__(daemon=True)
        self.stack, self.sources, self.every = stack, sources, every
        self.taken = []
        self.error = None
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._pids = {name: stack.pid(name) for name in PROGRAMS}
        self._databases = {name: psycopg2.connect(url) for name, url in sources.urls.items()}
        for connection in self._databases.values():
            connection.autocommit = True

    def run(self):
        while not self._ended.wait(max(0.0, self._began + self.every * len(self.taken) - time.monotonic())):
            try:
                self.taken.append(self.take())
            except Exception as error:  # a program that died, a server that is away: the run is over, and says why
                self.error = error
                return

    def take(self):
        return {"at": time.monotonic() - self._began,
                "programs": {name: process(pid) for name, pid in self._pids.items()},
                "queues": {queue["name"]: queue.get("messages", 0) for queue in self.sources.queues()
                           if not invariants.is_of_process(queue["name"])},
                "remembered": int(metric(self.stack.url("edge-admin"), "edge_accepted_orders")),
                "rows": {name: self._rows(connection) for name, connection in self._databases.items()}}

    @staticmethod
    def _rows(connection):
        with connection.cursor() as cursor:
            cursor.execute(ROWS)
            return dict(zip(("outbox", "suspects", "inbox"), cursor.fetchone()))

    def stop(self):
        self._ended.set()
        self.join()
        for connection in self._databases.values():
            connection.close()
        if self.error:
            raise self.error
