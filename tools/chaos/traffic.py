"""The sessions of clients that behave: orders of all kinds at a given rate, each repeated until it is answered."""
import itertools
import json
import random
import time
import urllib.parse
import uuid

from chaos.answers import FINAL, NO_ANSWER, Answers, Attempt, goes_back
from chaos.clientlog import ClientLog
from chaos.stack import PLENTY, SOLD_OUT, UNKNOWN
from load import traffic

TOKENS = {"declined": "pm_card_visa_chargeDeclined", "shaky": "pm_sandbox_error_once", "late": "pm_sandbox_timeout",
          "failing": "pm_sandbox_error", "hanging": "pm_sandbox_hang"}
# Twenty orders in a row hold so many of each kind, shuffled: shares do not depend on luck.
# Cards that an order is paid with later, one after the other.
CARDS = ("pm_card_visa_chargeDeclined", "pm_card_visa")
DECK = {"happy": 4, "wait": 2, "declined": 2, "sold_out": 2, "unknown": 1, "cancel": 7, "twice": 1, "other_body": 1}
ORDER = "order"
CLIENT_SECONDS = 10  # then a client gives the connection up
IDLE_SECONDS = 0.25  # then a client uses a new connection
PATIENCE = 60        # seconds that clients go on repeating after the last new order
FOLLOWED = 4         # one order in so many is read back until it is final
OWN_WAIT = 3         # seconds that a client of kind "wait" is willing to wait
TOO_SOON = 12        # tries of a request that the order, or its payment, is not ready for


class Traffic:
    """
    url           of the edge
    rate          new orders a second
    connections   clients at once; one that is not answered holds its connection
    log           file of the clients' record, appended to
    deck          how many orders of each kind come in a row; those in TOKENS are of the payment provider's making
    burst         so many orders begin at the same moment
    host          that the requests name, if it is another than the URL's
    """

    def __init__(self, url, rate=50, connections=128, log=None, seed=None, deck=None, burst=1, host=None):
        address = urllib.parse.urlsplit(url)
        self._host = host or address.netloc
        self._clients = traffic.Traffic((address.hostname, address.port), connections, self, rate, burst=burst,
                                        patience=CLIENT_SECONDS, idle=IDLE_SECONDS)
        self.rate = rate
        self._log = ClientLog(log)
        self._random = random.Random(seed)
        self._deck = deck or DECK
        self._coming = []          # kinds of the next orders
        self._run = uuid.uuid4().hex[:12]
        self.attempts = []         # answers.Attempt of every POST of an order
        self.accepted = {}         # order id: time.monotonic() of its first 2xx; read a copy() while clients run
        self.kinds = {}            # order id: kind
        self.cancelled = set()     # ids of orders whose cancel was taken
        self.undone = set()        # of these, the ones that order-svc itself said it undoes, or has undone
        self.ids = {}              # idempotency key: the ids that were answered under it
        self.backwards = []        # what a reader saw go back
        self.surprises = self._clients.failures  # and answers that no client may get
        self.began = self.ended = None

    # Beginning and ending

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.began = time.monotonic()
        self._clients.start()
        return self

    def stop(self, patience=PATIENCE):
        """No new orders; those that were begun are repeated until they are answered, at most so many seconds."""
        if self.ended is not None:
            return
        self.ended = time.monotonic()
        self._clients.stop(patience)
        self._log.close()

    @staticmethod
    def run_for(seconds):
        time.sleep(seconds)

    def wait_answered(self, began_before):
        """Until every attempt that began before has ended, be it that its client gave up."""
        deadline = time.monotonic() + CLIENT_SECONDS + OWN_WAIT + 5
        while time.monotonic() < deadline and any(began < began_before for began in self._asking()):
            time.sleep(0.05)

    def _asking(self):
        """→ when the attempts began that have no answer yet"""
        return [began for kind, began in self._clients.under_way() if kind == ORDER]

    # Figures

    def between(self, begin, end):
        """Attempts that began in the window, and have ended."""
        return [attempt for attempt in list(self.attempts) if begin <= attempt.began < end]

    def answers(self, begin, end):
        return Answers(self.between(begin, end))

    def count(self, kind, begin, end):
        """Attempts of a kind in the window; kind None: of all."""
        return sum(kind in (None, attempt.kind) for attempt in self.between(begin, end))

    def begun(self, begin, end):
        """Attempts that began in the window, answered or not."""
        return self.count(None, begin, end) + sum(begin <= began < end for began in self._asking())

    def accepted_between(self, begin, end):
        return sum(begin <= at < end for at in self.accepted.copy().values())

    def double_ids(self):
        """Keys under which two orders were answered."""
        return {key: ids for key, ids in self.ids.items() if len(ids) > 1}

    # Sessions

    def session(self, number):
        if not self._coming:
            self._coming = [kind for kind, count in self._deck.items() for _ in range(count)]
            self._random.shuffle(self._coming)
        return self._session(number, self._coming.pop())

    def _session(self, number, kind):
        key = f"{self._run}-{number}"
        body = {"idempotency_key": key, "items": self._items(kind)}
        if kind in TOKENS:
            body["payment"] = {"token": TOKENS[kind]}
        if kind == "later":
            body["payment"] = {"when": "later"}
        order_id = yield from self._place(kind, key, body)
        if kind == "cancel":
            yield self._random.uniform(0, 0.15)
            yield from self._cancel(order_id)
        if kind == "twice":
            yield self._random.uniform(0, 1)
            yield from self._place(kind, key, body)
        if kind == "other_body":
            yield self._random.uniform(0, 1)
            yield from self._place_other(key, body)
        if kind == "later":
            for card, token in enumerate(CARDS):
                yield from self._ask_until("/api/payments", {"idempotency_key": f"{key}-{card}", "order_id": order_id,
                                                             "payment": {"token": token}})
        if kind == "refunded":
            yield from self._ask_until("/api/payments/refund",
                                       {"idempotency_key": f"{key}-back", "order_id": order_id, "amount": 1})
        if kind == "reserving":
            yield from self._reserve(key)
        if number % FOLLOWED == 0:
            yield from self._follow(order_id)

    def _items(self, kind):
        if kind == "unknown":
            return [{"product_id": UNKNOWN, "quantity": 1}]
        names = self._random.sample(PLENTY, self._random.randint(1, 3))
        if kind == "sold_out":
            names[-1] = SOLD_OUT
        return [{"product_id": name, "quantity": self._random.randint(1, 3)} for name in names]

    def _place(self, kind, key, body):
        """Repeats until there is a 2xx; → the order's id."""
        headers = f"Prefer: wait={OWN_WAIT}\r\n" if kind == "wait" else ""
        for number in itertools.count(1):
            attempt, answer = yield from self._post_order(kind, key, number, body, headers)
            if attempt.accepted:
                return answer["order_id"]
            if attempt.status not in (503, *NO_ANSWER):
                self.surprises.append(f"{kind} {key}: {attempt.status} {answer}")
                return None
            yield self._pause(attempt.retry_after)
        raise AssertionError("unreachable")

    def _call(self, kind, method, path, body=None, headers=""):
        """→ (the reply, its decoded body or None)"""
        reply = yield traffic.Ask(kind, traffic.encode(method, path, body, headers, self._host))
        return reply, json.loads(reply.body) if reply.body[:1] == b"{" else None

    def _post_order(self, kind, key, number, body, headers=""):
        reply, answer = yield from self._call(ORDER, "POST", "/api/orders", body, headers)
        order_id = (answer or {}).get("order_id") if reply.status in (200, 201, 202) else None
        attempt = Attempt(kind, key, number, reply.began, reply.ended, reply.status, order_id, reply.retry_after)
        self._log.write({"at": time.time(), "kind": kind, "key": key, "attempt": number, "took": round(attempt.took, 4),
                         "answer": reply.status, "order_id": order_id})
        self.attempts.append(attempt)
        if order_id:
            self.accepted.setdefault(order_id, attempt.ended)
            self.kinds.setdefault(order_id, kind)
            self.ids.setdefault(key, set()).add(order_id)
        return attempt, answer

    def _place_other(self, key, body):
        """Another order under a used key: 422, or, where nobody can look, the first one on a confirm alone."""
        other = body | {"items": [{"product_id": PLENTY[0], "quantity": 77}]}
        for number in itertools.count(1):
            attempt, answer = yield from self._post_order("other_body", key, number, other)
            if attempt.status == 422 or attempt.accepted:
                if attempt.accepted and answer["status"] != "ACCEPTED":
                    self.surprises.append(f"another body under {key} was answered {attempt.status} {answer}")
                return
            yield self._pause(attempt.retry_after)

    def _cancel(self, order_id):
        if order_id is None:
            return
        while True:
            reply, answer = yield from self._call("cancel", "POST", f"/api/orders/{order_id}/cancel", {})
            status = reply.status
            if status in (200, 202):
                self.cancelled.add(order_id)
            if status in (200, 202) and answer["status"] in ("COMPENSATING", "CANCELLED"):
                self.undone.add(order_id)
            if status in (200, 202, 409):
                return
            if status not in (404, 503, *NO_ANSWER):
                self.surprises.append(f"cancel of {order_id}: {status} {answer}")
                return
            yield self._pause(reply.retry_after)

    def _ask_until(self, path, body=None, method="POST"):
        """Repeats until the answer is definite, 404 and 409 only for a while: it may be too soon. → the last body"""
        refused = 0
        while True:
            reply, answer = yield from self._call(path, method, path, body)
            refused += reply.status in (404, 409)
            if reply.status in (200, 201, 202) or refused == TOO_SOON:
                return answer
            if reply.status not in (404, 409, 503, *NO_ANSWER):
                self.surprises.append(f"{method} {path} {body}: {reply.status} {answer}")
                return None
            yield self._pause(reply.retry_after)

    def _reserve(self, key):
        """A reservation without an order, which is then sold, given back or left to expire."""
        made = yield from self._ask_until("/api/inventory/reserve", {
            "idempotency_key": f"{key}-own", "items": [{"product_id": PLENTY[0], "quantity": 1}], "expires_in": 60})
        word = self._random.choice(("confirm", "release", None))
        if made and word:
            yield from self._ask_until(f"/api/inventory/reservations/{made['reservation_id']}/{word}", {})

    def _follow(self, order_id):
        """Reads it until it is final: what it says may not go back."""
        if order_id is None:
            return
        seen, pause = "ACCEPTED", 0.03
        while seen not in FINAL and self.ended is None:
            yield pause
            pause = min(pause * 2, 2)
            reply, answer = yield from self._call("read", "GET", f"/api/orders/{order_id}")
            status = reply.status
            if status == 404 and seen != "ACCEPTED":
                self.backwards.append(f"{order_id} was {seen}, and then not there")
            if status == 200:
                if goes_back(seen, answer["status"]):
                    self.backwards.append(f"{order_id} was {seen}, and then {answer['status']}")
                seen = answer["status"]

    def _pause(self, retry_after):
        """The server's Retry-After, at least half a second, with jitter so that clients do not come all at once."""
        return max(0.5, min(float(retry_after or 0), 2.0)) * self._random.uniform(1.0, 1.3)
