"""Requests over keep-alive connections, by one thread: at a constant arrival rate (open loop), or as fast as answers
come. Latencies count from the moment that a request was due: a server that stalls is not spared those who wait."""
import collections
import json
import selectors
import socket
import threading
import time
import uuid

FIRST_PRODUCTS = 50  # of the sample catalogue; the last of its hundred is out of stock
OUT_OF_STOCK = "SKU-00100"
DECLINED = "pm_card_visa_chargeDeclined"
GIVE_UP_SECONDS = 30  # for answers that are under way at the end
IDLE_SECONDS = 50  # a client closes its own connection before a server does, which may be a proxy (60 s and more)
HEAD_END = b"\r\n\r\n"

# One answer: when its request was due, how long it took from then, what it was, and its status (0: no answer).
Answer = collections.namedtuple("Answer", "due latency kind status client", defaults=(None,))
Request = collections.namedtuple("Request", "kind due data tries")


class Mix:
    """The request of a number: orders, some of them declined, out of stock or cancelled at once; and reads."""

    ACCEPTABLE = {"order": (200, 201, 202), "read": (200,), "cancel": (200, 202, 409)}

    def __init__(self, reads=True):
        self.run = str(uuid.uuid4())
        self.reads = reads
        self.accepted = []  # ids of the orders that got a 2xx

    def request(self, number):
        """→ (kind, the request's bytes)"""
        turn = number % 100
        if self.reads and self.accepted and turn % 5 == 4:
            return "read", encode("GET", f"/api/orders/{self.accepted[-1 - turn % min(20, len(self.accepted))]}")
        if self.accepted and turn == 50:
            return "cancel", encode("POST", f"/api/orders/{self.accepted[-1]}/cancel", {})
        return "order", encode("POST", "/api/orders", self.order(number))

    def order(self, number):
        turn = number % 100
        items = [{"product_id": f"SKU-{1 + (number + k) % FIRST_PRODUCTS:05}", "quantity": 1 + number % 3}
                 for k in range(2)]
        if turn in (10, 60):
            items[0]["product_id"] = OUT_OF_STOCK
        payment = {"payment": {"token": DECLINED}} if turn in (20, 45, 70) else {}
        return {"idempotency_key": f"{self.run}-{number}", "items": items} | payment

    def note(self, kind, status, body):
        if kind == "order" and status in self.ACCEPTABLE["order"]:
            self.accepted.append(json.loads(body)["order_id"])

    def is_acceptable(self, answer):
        return answer.status in self.ACCEPTABLE[answer.kind]


class Placed:
    """Orders of one item each, of these products in turn; host: the name of the server in each request."""

    def __init__(self, products, host="localhost", token=None):
        self.run = str(uuid.uuid4())
        self.products, self.host = products, host
        self.payment = {"payment": {"token": token}} if token else {}
        self.accepted = []  # ids of the orders that got a 2xx

    def request(self, number):
        items = [{"product_id": self.products[number % len(self.products)], "quantity": 1}]
        body = {"idempotency_key": f"{self.run}-{number}", "items": items} | self.payment
        return "order", encode("POST", "/api/orders", body, host=self.host)

    def note(self, kind, status, body):
        if status in Mix.ACCEPTABLE[kind]:
            self.accepted.append(json.loads(body)["order_id"])

    @staticmethod
    def is_acceptable(answer):
        return answer.status in Mix.ACCEPTABLE["order"]


class Reads:
    """One path over and over."""

    def __init__(self, path):
        self._data = encode("GET", path)

    def request(self, _number):
        return "read", self._data

    def note(self, kind, status, body):
        """Only the status counts."""

    @staticmethod
    def is_acceptable(answer):
        return answer.status in Mix.ACCEPTABLE["read"]


def encode(method, path, body=None, headers="", host="localhost"):
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return head.encode() + b"\r\n" + data


def parse(buffer):
    """→ (status, body) once the answer is there as a whole; else None. The edge always gives a Content-Length."""
    end = buffer.find(HEAD_END)
    if end < 0:
        return None
    lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    size = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
    body = end + len(HEAD_END)
    return (int(lines[0].split()[1]), bytes(buffer[body:body + size])) if len(buffer) >= body + size else None


class Connection:
    def __init__(self, client):
        self.client = client  # its number
        self.socket = None
        self.request = None
        self.used = 0.0
        self.buffer = bytearray()


class Traffic:
    """Runs in the caller's thread (run), or in one of its own as long as a with block lasts.

    address      (host, port) of the edge
    rate         requests a second; None: each connection asks as soon as it may
    burst        so many are due at once; the next burst is due burst/rate later
    repeats      a request whose connection ends without an answer is made once more
    """

    def __init__(self, address, connections, mix, rate=None, burst=1, repeats=True):
        self.address = address
        self.mix = mix
        self.rate = rate
        self.burst = burst
        self.repeats = repeats
        self.answers = []
        self._stopped = threading.Event()
        self.number = 0
        self._selector = selectors.DefaultSelector()
        self._idle = collections.deque(map(Connection, range(connections)))
        self._connections = connections
        self._waiting = collections.deque()

    def run(self, seconds=None, count=None):
        """Until so much time has passed or so many requests were made, and their answers came; → seconds it took."""
        self._began = began = time.monotonic()
        end = began + seconds if seconds else float("inf")
        last = self.number + count if count else float("inf")
        self._first = self.number
        while time.monotonic() < end and self.number < last and not self._stopped.is_set():
            self._make_due(last)
            self._start_waiting()
            self._take_answers(self._pause(end))
        if self._stopped.is_set():
            self._waiting.clear()
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while (self._waiting or len(self._idle) < self._connections) and time.monotonic() < give_up:
            self._start_waiting()
            self._take_answers(0.1)
        self._count_unanswered()
        return time.monotonic() - began

    def __enter__(self):
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()
        self.close()

    def statuses(self):
        return collections.Counter(answer.status for answer in self.answers)

    def refused(self):
        return [answer for answer in self.answers if not self.mix.is_acceptable(answer)]

    def close(self):
        for connection in self._idle:
            self._disconnect(connection)
        self._selector.close()

    # Due requests

    def _due_at(self, number):
        since = number - self._first
        return self._began + (since - since % self.burst) / self.rate

    def _make_due(self, last):
        now = time.monotonic()
        if self.rate is None:
            while len(self._waiting) < len(self._idle) and self.number < last:
                self._add(now)
        else:
            while self._due_at(self.number) <= now and self.number < last:
                self._add(self._due_at(self.number))

    def _add(self, due):
        kind, data = self.mix.request(self.number)
        self.number += 1
        self._waiting.append(Request(kind, due, data, 0))

    def _pause(self, end):
        if self.rate is None:
            return 0.1
        return max(0.0, min(end, self._due_at(self.number)) - time.monotonic())

    # Connections, used in turn, so that none is idle for so long that the edge closes it

    def _start_waiting(self):
        while self._waiting and self._idle:
            self._send(self._idle.popleft(), self._waiting.popleft())

    def _send(self, connection, request):
        if time.monotonic() - connection.used > IDLE_SECONDS:
            self._disconnect(connection)
        connection.request = request
        connection.used = time.monotonic()
        try:
            if connection.socket is None:
                connection.socket = socket.create_connection(self.address, timeout=GIVE_UP_SECONDS)
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.socket.sendall(request.data)
        except OSError:
            self._fail(connection)

    def _take_answers(self, timeout):
        for key, _ in self._selector.select(timeout):
            self._read(key.data)

    def _read(self, connection):
        try:
            piece = connection.socket.recv(65536)
        except OSError:
            piece = b""
        connection.buffer += piece
        found = parse(connection.buffer) if piece else None
        if found:
            self._finish(connection, *found)
        elif not piece:
            self._fail(connection)

    def _finish(self, connection, status, body):
        request = connection.request
        closing = b"connection: close" in bytes(connection.buffer[:connection.buffer.find(HEAD_END)]).lower()
        self._note(request, status, connection.client)
        self.mix.note(request.kind, status, body)
        connection.request = None
        connection.buffer.clear()
        if closing:
            self._disconnect(connection)
        self._idle.append(connection)

    def _fail(self, connection):
        """The edge closes idle connections, also while a request is on its way; every request may be repeated."""
        request, was_idle = connection.request, connection.request is None
        self._disconnect(connection)
        if was_idle:
            return
        self._idle.append(connection)
        if self.repeats and request.tries == 0:
            self._waiting.appendleft(request._replace(tries=1))
        else:
            self._note(request, 0, connection.client)

    def _disconnect(self, connection):
        if connection.socket is not None:
            self._selector.unregister(connection.socket)
            connection.socket.close()
        connection.socket = connection.request = None
        connection.buffer.clear()

    def _note(self, request, status, client=None):
        self.answers.append(Answer(request.due - self._began, time.monotonic() - request.due, request.kind, status,
                                   client))

    def _count_unanswered(self):
        unanswered = [key.data.request for key in self._selector.get_map().values() if key.data.request]
        for request in [*self._waiting, *unanswered]:
            self._note(request, 0)
        self._waiting.clear()
