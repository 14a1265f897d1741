"""The traffic generator: clients over keep-alive connections, by one thread, at a constant arrival rate (open loop) or
as fast as answers come (closed loop). Latencies count from the moment that a request was due, so a stall of the server
counts for each request that was due meanwhile."""
import collections
import errno
import heapq
import itertools
import json
import selectors
import socket
import threading
import time
import traceback
import uuid

FIRST_PRODUCTS = 50  # of the sample catalogue; the last of its hundred is out of stock
OUT_OF_STOCK = "SKU-00100"
DECLINED = "pm_card_visa_chargeDeclined"
GIVE_UP_SECONDS = 30  # for an answer
IDLE_SECONDS = 50  # a client closes its own connection before a server does, which may be a proxy (60 s and more)
HEAD_END = b"\r\n\r\n"
# In the place of a status: no connection, one that broke, no answer in time.
REFUSED, CUT, TIMEOUT = "refused", "cut", "timeout"

# One answer: when its request was due, how long it took from then, what it was, and its status (0: no answer).
Answer = collections.namedtuple("Answer", "due latency kind status client", defaults=(None,))
# A session yields requests, and numbers of seconds to wait.
Ask = collections.namedtuple("Ask", "kind data")
# The answer to a request. began, ended: time.monotonic() when the request was sent and when the answer had come.
Reply = collections.namedtuple("Reply", "status body retry_after began ended")
# first: its session's first one, which is not sent any more after a stop.
Request = collections.namedtuple("Request", "kind due data session first tries")


class Single:
    """Sessions of one request each. A subclass has request(number) → (kind, the request's bytes), and for each answer
    note(kind, status, body)."""

    def session(self, number):
        kind, data = self.request(number)
        reply = yield Ask(kind, data)
        if reply.status not in (REFUSED, CUT, TIMEOUT):
            self.note(kind, reply.status, reply.body)


class Mix(Single):
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


class Placed(Single):
    """Orders of one item each, of these products in turn; host: the name of the server in each request; token: of the
    payment; bearer: an access token for the edge."""

    def __init__(self, products, host="localhost", token=None, bearer=None):
        self.run = str(uuid.uuid4())
        self.products, self.host = products, host
        self.headers = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
        self.payment = {"payment": {"token": token}} if token else {}
        self.accepted = []  # ids of the orders that got a 2xx

    def request(self, number):
        items = [{"product_id": self.products[number % len(self.products)], "quantity": 1}]
        body = {"idempotency_key": f"{self.run}-{number}", "items": items} | self.payment
        return "order", encode("POST", "/api/orders", body, self.headers, self.host)

    def note(self, kind, status, body):
        if status in Mix.ACCEPTABLE[kind]:
            self.accepted.append(json.loads(body)["order_id"])

    @staticmethod
    def is_acceptable(answer):
        return answer.status in Mix.ACCEPTABLE["order"]


class Reads(Single):
    """One path over and over; host: the name of the server in each request."""

    def __init__(self, path, host="localhost"):
        self._data = encode("GET", path, host=host)

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
    """→ (status, body, fields of the head by their names in lower case) once the answer is there as a whole; else None.
    The edge always gives a Content-Length."""
    end = buffer.find(HEAD_END)
    if end < 0:
        return None
    lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    begin, size = end + len(HEAD_END), int(fields["content-length"])
    if len(buffer) < begin + size:
        return None
    return int(lines[0].split()[1]), bytes(buffer[begin:begin + size]), fields


class Connection:
    def __init__(self, client):
        self.client = client  # its number
        self.socket = None
        self.request = None
        self.reused = False  # it was there before the request
        self.began = self.used = 0.0
        self.unsent = b""
        self.buffer = bytearray()


class Traffic:
    """Runs in the caller's thread (run), or in one of its own as long as a with block lasts.

    address      (host, port) of the edge
    mix          its session(number) is a generator that yields each Ask and gets its Reply, or yields seconds to wait
    rate         sessions a second; None: each connection asks as soon as it may
    burst        so many are due at once; the next burst is due burst/rate later
    repeats      a request on a kept connection that ends without a byte of an answer is made once more, as clients do
                 (RFC 9112, 9.3.1)
    patience     seconds until an answer is given up
    idle         seconds after which a kept connection is not used again
    """

    def __init__(self, address, connections, mix, rate=None, burst=1, repeats=True, patience=GIVE_UP_SECONDS,
                 idle=IDLE_SECONDS):
        self.address = address
        self.mix = mix
        self.rate = rate
        self.burst = burst
        self.repeats = repeats
        self.patience, self.idle = patience, idle
        self.answers = []
        self.failures = []  # what sessions raised, as text
        self.number = 0
        self._stopped = threading.Event()
        self._last_wish = GIVE_UP_SECONDS
        self._selector = selectors.DefaultSelector()
        self._idle = collections.deque(map(Connection, range(connections)))
        self._busy = {}  # connections with a request, the longest waiting first
        self._waiting = collections.deque()
        self._sleeping = []  # (when, number, session)
        self._sleeps = itertools.count()

    def run(self, seconds=None, count=None):
        """Until so much time has passed or so many sessions began, and all of them ended; → seconds it took."""
        self._began = began = time.monotonic()
        end = began + seconds if seconds else float("inf")
        last = self.number + count if count else float("inf")
        self._first = self.number
        while time.monotonic() < end and self.number < last and not self._stopped.is_set():
            self._make_due(last)
            self._step(self._pause(end))
        if self._stopped.is_set():
            self._waiting = collections.deque(request for request in self._waiting if not request.first)
        give_up = time.monotonic() + self._last_wish
        while (self._waiting or self._busy or self._sleeping) and time.monotonic() < give_up:
            self._step(0.1)
        self._count_unanswered()
        return time.monotonic() - began

    def start(self):
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()

    def stop(self, patience=GIVE_UP_SECONDS):
        """No new sessions; those that began have so many seconds until they end."""
        self._last_wish = patience
        self._stopped.set()
        self._thread.join()
        self.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def statuses(self):
        return collections.Counter(answer.status for answer in self.answers)

    def refused(self):
        return [answer for answer in self.answers if not self.mix.is_acceptable(answer)]

    def under_way(self):
        """→ [(kind, when it was sent)] of the requests that have no answer yet; from any thread."""
        return [(one.request.kind, one.began) for one in list(self._busy) if one.request]

    def close(self):
        for connection in [*self._idle, *self._busy]:
            self._disconnect(connection)
        self._selector.close()

    # Sessions

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
        session = self.mix.session(self.number)
        self.number += 1
        self._advance(session, None, due)

    def _advance(self, session, reply, due=None):
        """Up to the session's next request or pause."""
        try:
            wish = session.send(reply)
        except StopIteration:
            return
        except Exception:  # a session that fails must be seen, and the others go on
            self.failures.append(traceback.format_exc())
            return
        now = time.monotonic()
        if isinstance(wish, Ask):
            self._waiting.append(Request(wish.kind, due or now, wish.data, session, due is not None, 0))
        else:
            heapq.heappush(self._sleeping, (now + wish, next(self._sleeps), session))

    def _wake(self):
        while self._sleeping and self._sleeping[0][0] <= time.monotonic():
            self._advance(heapq.heappop(self._sleeping)[2], None)

    def _pause(self, end):
        if self.rate is None:
            return 0.1
        return max(0.0, min(end, self._due_at(self.number)) - time.monotonic())

    def _step(self, pause):
        self._wake()
        self._start_waiting()
        if self._sleeping:
            pause = min(pause, max(0.0, self._sleeping[0][0] - time.monotonic()))
        for key, _ in self._selector.select(pause):
            self._serve(key.data)
        self._give_up_late()

    # Connections, used in turn, so that none is idle for so long that the edge closes it

    def _start_waiting(self):
        while self._waiting and self._idle:
            self._send(self._idle.popleft(), self._waiting.popleft())

    def _send(self, connection, request):
        now = time.monotonic()
        if now - connection.used > self.idle:
            self._disconnect(connection)
        connection.reused = connection.socket is not None
        connection.request, connection.unsent = request, request.data
        connection.began = connection.used = now
        self._busy[connection] = None
        if connection.reused:
            self._serve(connection, sends=True)
        else:
            self._connect(connection)

    def _connect(self, connection):
        connection.socket = socket.socket()
        connection.socket.setblocking(False)
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = connection.socket.connect_ex(self.address)
        self._selector.register(connection.socket, selectors.EVENT_WRITE, connection)
        if error not in (0, errno.EINPROGRESS):
            self._fail(connection, REFUSED if error == errno.ECONNREFUSED else CUT)

    def _serve(self, connection, sends=False):
        try:
            if connection.unsent or sends:
                self._send_more(connection)
            else:
                self._read(connection)
        except ConnectionRefusedError:
            self._fail(connection, REFUSED)
        except (OSError, LookupError, ValueError):  # the last two: no answer of HTTP with a length
            self._fail(connection, CUT)

    def _send_more(self, connection):
        try:
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent):]
        except BlockingIOError:
            pass
        awaited = selectors.EVENT_WRITE if connection.unsent else selectors.EVENT_READ
        if self._selector.get_key(connection.socket).events != awaited:
            self._selector.modify(connection.socket, awaited, connection)

    def _read(self, connection):
        piece = connection.socket.recv(65536)
        connection.buffer += piece
        found = parse(connection.buffer) if piece else None
        if found:
            self._finish(connection, *found)
        elif not piece:
            self._fail(connection, CUT)

    def _finish(self, connection, status, body, fields):
        request = self._take_off(connection)
        if fields.get("connection", "").lower() == "close":
            self._disconnect(connection)
        self._end(connection, request, Reply(status, body, fields.get("retry-after"), connection.began,
                                             time.monotonic()))

    def _fail(self, connection, cause):
        """The edge closes idle connections, also while a request is on its way."""
        unheard = cause == CUT and connection.reused and not connection.buffer
        request = self._take_off(connection)
        self._disconnect(connection)
        if request is None:
            return
        if self.repeats and unheard and request.tries == 0:
            self._idle.append(connection)
            self._waiting.appendleft(request._replace(tries=1))
        else:
            self._end(connection, request, Reply(cause, b"", None, connection.began, time.monotonic()))

    def _give_up_late(self):
        now = time.monotonic()
        while self._busy and (first := next(iter(self._busy))).began + self.patience <= now:
            self._fail(first, TIMEOUT)

    def _take_off(self, connection):
        """→ the request that it had"""
        request, connection.request, connection.unsent = connection.request, None, b""
        self._busy.pop(connection, None)
        return request

    def _end(self, connection, request, reply):
        connection.buffer.clear()
        self._idle.append(connection)
        self._note(request, reply.status, connection.client)
        self._advance(request.session, reply)

    def _disconnect(self, connection):
        if connection.socket is not None:
            self._selector.unregister(connection.socket)
            connection.socket.close()
        connection.socket = None
        connection.buffer.clear()

    def _note(self, request, status, client=None):
        self.answers.append(Answer(request.due - self._began, time.monotonic() - request.due, request.kind,
                                   status if isinstance(status, int) else 0, client))

    def _count_unanswered(self):
        for request in [*self._waiting, *(one.request for one in self._busy)]:
            self._note(request, 0)
        self._waiting.clear()
        for connection in list(self._busy):
            self._take_off(connection)
            self._disconnect(connection)
            self._idle.append(connection)
