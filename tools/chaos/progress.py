"""How fast orders become final, and how soon after a fault they do so as fast as before."""
import threading
import time

import psycopg2

SAMPLE_SECONDS = 0.2
WINDOW = 1.0   # a rate is one over a whole second
ENOUGH = 0.9   # of the rate before counts as that rate


class Progress(threading.Thread):
    """Counts final orders, straight in the database; while that is away there is no sample."""

    def __init__(self, system):
        super().__init__(daemon=True)
        self._url = system.database_url("orders")
        self._ended = threading.Event()
        self.samples = []  # (time.monotonic(), final orders)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._ended.set()
        self.join()

    def run(self):
        connection = None
        while not self._ended.wait(SAMPLE_SECONDS):
            try:
                connection = connection or self._connect()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM orders.orders WHERE shelf > 0")
                    self.samples.append((time.monotonic(), cursor.fetchone()[0]))
            except psycopg2.Error:
                connection = None
        if connection:
            connection.close()

    def _connect(self):
        connection = psycopg2.connect(self._url, connect_timeout=2, options="-c statement_timeout=2000")
        connection.autocommit = True
        return connection

    def finished(self, begin, end):
        """How many became final in the window; None while the samples do not reach that far."""
        first, last = self._at(begin), self._at(end)
        return None if first is None or last is None else last - first

    def _at(self, when):
        """Interpolated between the samples around it."""
        return interpolated(list(self.samples), when)


def interpolated(samples, when):
    """The count at a time; None where no sample lies on both sides."""
    for (left, low), (right, high) in zip(samples, samples[1:]):
        if left <= when <= right:
            return low + (high - low) * (when - left) / (right - left)
    return None


class Rates:
    """Orders accepted and orders finished a second."""

    def __init__(self, accepted, finished):
        self.accepted = accepted
        self.finished = finished

    def reached(self, before):
        if self.finished is None or before.finished is None:
            return False
        return self.accepted >= ENOUGH * before.accepted and self.finished >= ENOUGH * before.finished


def rates(load, progress, begin, end):
    """finished is None where the database could not be asked."""
    finished = progress.finished(begin, end)
    span = end - begin
    return Rates(load.accepted_between(begin, end) / span, None if finished is None else finished / span)


def recovered(load, progress, since, before, patience):
    """Waits for the first whole second after `since` in which as many orders as before were accepted and as many became
    final; → how long after `since` it began, None if it did not come within `patience` seconds."""
    at = since
    while at < since + patience:
        time.sleep(max(0.0, at + WINDOW + 2 * SAMPLE_SECONDS - time.monotonic()))
        if rates(load, progress, at, at + WINDOW).reached(before):
            return at - since
        at += 0.1
    return None
