"""Clients that try an order at most four times within ten seconds, under one idempotency key."""
import array
import time

from chaos.answers import NO_ANSWER
from chaos.traffic import OWN_WAIT, Traffic

TRIES_AT = (0.0, 0.5, 3.0, 9.0)  # seconds since the order was due: a try begins then, or later if the last one lasts
JITTER = 0.4    # seconds more or less, so that clients do not come all at once
WITHIN = 10.0
LAST_AT = 9.5   # no try begins later
TRY_SECONDS = 4.0  # then a client gives a try up


class Orders:
    """One entry an order: when it was due, how many tries it took (0: given up), and how long until its 2xx."""

    def __init__(self):
        self.due, self.tries, self.took = array.array("d"), array.array("b"), array.array("d")

    def add(self, due, tries, took):
        self.due.append(due)
        self.tries.append(tries)
        self.took.append(took)

    def __len__(self):
        return len(self.due)


class PatientTraffic(Traffic):
    """orders: an Orders, of the first placing of each key."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._clients.patience = TRY_SECONDS
        self._clients.answers = _Nothing()  # of an hour they would need too much memory
        self.orders = Orders()
        self._again = set()  # keys that are placed a second time, which counts no more

    def _place(self, kind, key, body):
        """→ the order's id; None: the client gave up."""
        due, first = time.monotonic(), key not in self._again
        if kind == "twice":
            self._again.add(key)
        for number, _ in enumerate(TRIES_AT, 1):
            may_wait = kind == "wait" and time.monotonic() - due < WITHIN - TRY_SECONDS
            headers = f"Prefer: wait={OWN_WAIT}\r\n" if may_wait else ""
            attempt, answer = yield from self._post_order(kind, key, number, body, headers)
            took = attempt.ended - due
            if attempt.accepted and took <= WITHIN:
                self._count(first, due, number, took)
                return answer["order_id"]
            if not attempt.accepted and attempt.status not in (503, *NO_ANSWER):
                self.surprises.append(f"{kind} {key}: {attempt.status} {answer}")
                break
            pause = self._pause_before(number, due, attempt.retry_after)
            if pause is None:
                break
            yield pause
        self._count(first, due, 0, time.monotonic() - due)
        return None

    def _place_other(self, key, body):
        """Without an order under the key the other body would be the first one."""
        if key in self.ids:
            yield from super()._place_other(key, body)

    def _count(self, first, due, tries, took):
        if first:
            self.orders.add(due, tries, took)

    def _pause_before(self, tried, due, retry_after):
        """Seconds until the next try; None: there is none."""
        if tried == len(TRIES_AT):
            return None
        since = time.monotonic() - due
        wanted = max(TRIES_AT[tried] + self._random.uniform(-JITTER, JITTER), since + min(float(retry_after or 0), 2.0))
        return min(wanted, LAST_AT) - since if since < LAST_AT else None


class _Nothing:
    """A list that keeps nothing."""

    def append(self, _answer):
        pass
