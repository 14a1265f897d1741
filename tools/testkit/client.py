"""A client of the edge: requests over HTTP, and a log of every order that was answered with a 2xx."""
import threading
import time
import urllib.parse
import uuid

import requests

from load.traffic import Mix, Placed, Traffic

FINAL = ("CONFIRMED", "REJECTED", "CANCELLED")


def item(product_id, quantity=1):
    return {"product_id": product_id, "quantity": quantity}


class Api:
    """Thread-safe: each thread has connections of its own."""

    def __init__(self, base, ca=None):
        """ca: the file that an https:// base is verified with; None: the system's certificates"""
        self.base = base
        self._ca = ca
        self.accepted = {}  # order id: the status code of its first 2xx
        self._lock = threading.Lock()
        self._local = threading.local()

    def _session(self):
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
            self._local.session.verify = self._ca or True
        return self._local.session

    def call(self, method, path, body=None, headers=None, timeout=35):
        """A connection that the server closed while it was idle is tried once more: nothing of it was carried out."""
        for attempt in range(2):
            try:
                return self._session().request(method, self.base + path, json=body, headers=headers, timeout=timeout,
                                               allow_redirects=False)
            except requests.ConnectionError:
                if attempt or method == "POST":
                    raise
        raise AssertionError("unreachable")

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body, **options):
        return self.call("POST", path, {} if body is None else body, **options)

    # Orders

    def place(self, *items, key=None, customer=None, token=None, expected_total=None, headers=None, timeout=35):
        body = {"idempotency_key": key or str(uuid.uuid4()), "items": list(items)}
        if customer:
            body["customer_id"] = customer
        if token:
            body["payment"] = {"token": token}
        if expected_total is not None:
            body["expected_total"] = expected_total
        return self.place_body(body, headers, timeout)

    def place_body(self, body, headers=None, timeout=35):
        answer = self.post("/api/orders", body, headers=headers, timeout=timeout)
        if answer.status_code in (200, 201, 202):
            self.note_accepted(answer.json()["order_id"], answer.status_code)
        return answer

    def note_accepted(self, order_id, status):
        with self._lock:
            self.accepted.setdefault(order_id, status)

    def order(self, order_id):
        """The order; None while the edge does not know it or cannot ask."""
        answer = self.get(f"/api/orders/{order_id}")
        assert answer.status_code in (200, 404, 503), answer.text
        return answer.json() if answer.status_code == 200 else None

    def wait_status(self, order_id, wanted, seconds=30):
        """Until the order is in one of these states; → the order."""
        wanted = (wanted,) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + seconds
        seen = None
        while time.monotonic() < deadline:
            seen = self.order(order_id) or seen
            if seen and seen["status"] in wanted:
                return seen
            time.sleep(0.05)
        raise AssertionError(f"not {' or '.join(wanted)} within {seconds} s: {order_id} {seen}")

    def wait_final(self, order_id, seconds=30):
        return self.wait_status(order_id, FINAL, seconds)

    def complete(self, *items, seconds=30, **options):
        """Places an order and follows it to its end; → the order."""
        answer = self.place(*items, **options)
        assert answer.status_code == 202, answer.text
        return self.wait_final(answer.json()["order_id"], seconds)

    def cancel(self, order_id, reason=None):
        return self.post(f"/api/orders/{order_id}/cancel", {"reason": reason} if reason else {})

    def events(self, order_id, query=""):
        answer = self.get(f"/api/orders/{order_id}/events{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def event_types(self, order_id):
        return [event["type"] for event in self.events(order_id, "?limit=100")["items"]]

    # Products

    def product(self, product_id):
        answer = self.get(f"/api/products/{product_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def set_stock(self, product_id, on_hand, key=None):
        return self.post("/api/inventory/update",
                         {"idempotency_key": key or str(uuid.uuid4()), "product_id": product_id, "on_hand": on_hand})


def wait_until(condition, seconds, what):
    """Until condition() is true; → what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Load(Placed):
    """Orders at a rate, in a thread of its own, as long as a with block lasts."""

    RATE, CONNECTIONS = 50, 16

    def __init__(self, api, products):
        super().__init__(products)
        self._api = api
        address = urllib.parse.urlsplit(api.base)
        self._traffic = Traffic((address.hostname, address.port), self.CONNECTIONS, self, self.RATE, repeats=False)

    def note(self, kind, status, body):
        super().note(kind, status, body)
        if status in Mix.ACCEPTABLE[kind]:
            self._api.note_accepted(self.accepted[-1], status)

    def __enter__(self):
        self._traffic.__enter__()
        return self

    def __exit__(self, *causes):
        self._traffic.__exit__(*causes)

    def statuses(self):
        """Counts of answers by status; 0 stands for a connection that was refused or cut."""
        return self._traffic.statuses()

    def wait_orders(self, more, seconds=30):
        """Until so many more orders are accepted."""
        wanted = len(self.accepted) + more
        wait_until(lambda: len(self.accepted) >= wanted, seconds, f"{wanted} orders accepted")
