"""Queries beside the orders: a product, a page of orders, payments, and the health that asks every service."""
import http.client
import threading
import urllib.parse
import uuid

PATHS = ("/api/products/CHAOS-1", "/api/orders?limit=3", f"/api/orders/{uuid.uuid4()}/payments", "/health")
EACH = 2
TICK_SECONDS = 0.1


class Readers:
    """Two clients a path, all of which ask at the same moment ten times a second: so several queries share a batch."""

    def __init__(self, url):
        self._where = urllib.parse.urlsplit(url).netloc
        self._ended = threading.Event()
        self._together = threading.Barrier(len(PATHS) * EACH, timeout=30)
        self._threads = [threading.Thread(target=self._run, args=(path,), daemon=True)
                         for path in PATHS for _ in range(EACH)]
        self.asked = 0

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._together.abort()
        for thread in self._threads:
            thread.join()

    def _run(self, path):
        try:
            while not self._ended.wait(TICK_SECONDS):
                self._together.wait()
                self._get(path)
        except threading.BrokenBarrierError:
            pass

    def _get(self, path):
        connection = http.client.HTTPConnection(self._where, timeout=5)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
            self.asked += 1
        except (OSError, http.client.HTTPException):
            pass  # the edge may be what is down
        finally:
            connection.close()
