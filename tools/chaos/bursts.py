"""Clients of a proxy that place orders at a rate, all at once or evenly, and count every answer that is no 2xx."""
import collections
import http.client
import json
import threading
import time
import uuid

from chaos.pair import HOST

TIMEOUT = 40
IDLE_SECONDS = 50  # a client closes its own connection before the proxy (60 s and more) does


class Client:
    """One connection, kept as long as the proxy keeps it."""

    def __init__(self, port, product):
        self._port = port
        self._product = product
        self._connection = None
        self._used = 0.0

    def place(self):
        """→ the status, or the name of what happened instead of an answer."""
        if self._connection is not None and time.monotonic() - self._used > IDLE_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
        body = json.dumps({"idempotency_key": str(uuid.uuid4()),
                           "items": [{"product_id": self._product, "quantity": 1}]})
        try:
            self._connection.request("POST", "/api/orders", body, {"Content-Type": "application/json", "Host": HOST})
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return type(error).__name__
        self._used = time.monotonic()
        if answer.will_close:
            self.close()
        return answer.status

    def close(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Load:
    """
    rate     requests a second
    burst    so many begin at once, each from a client of its own; the next burst comes burst/rate later
    """

    def __init__(self, port, product, rate, burst=1, clients=32):
        self.statuses = collections.Counter()
        self.slowest = 0.0
        self._rate, self._burst = rate, burst
        self._clients = [Client(port, product) for _ in range(max(clients, burst))]
        self._lock = threading.Condition()
        self._ended = False
        self._open = self._begun = 0
        self._threads = [threading.Thread(target=self._serve, args=(client,), daemon=True) for client in self._clients]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.wait()
        with self._lock:
            self._ended = True
            self._lock.notify_all()
        for thread in self._threads:
            thread.join()
        for client in self._clients:
            client.close()

    def _serve(self, client):
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._open > 0 or self._ended)
                if self._open == 0:
                    return
                self._open -= 1
            begin = time.monotonic()
            status = client.place()
            with self._lock:
                self.statuses[status] += 1
                self.slowest = max(self.slowest, time.monotonic() - begin)
                self._lock.notify_all()

    def begin(self, count):
        with self._lock:
            self._open += count
            self._begun += count
            self._lock.notify_all()

    def run(self, seconds=None, requests=None):
        """Until so much time has passed, or so many requests have begun."""
        start, begun = time.monotonic(), 0
        while (requests is None or begun < requests) and (seconds is None or time.monotonic() < start + seconds):
            self.begin(self._burst)
            begun += self._burst
            time.sleep(max(0.0, start + begun / self._rate - time.monotonic()))

    def wait(self):
        """Until every request that has begun was answered."""
        with self._lock:
            self._lock.wait_for(lambda: sum(self.statuses.values()) == self._begun, TIMEOUT + 5)

    def errors(self):
        return {status: count for status, count in self.statuses.items() if status not in (200, 201, 202)}
