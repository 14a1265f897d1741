"""Figures from clients' attempts: counts and percentiles. Pure."""
from load.traffic import CUT, REFUSED, TIMEOUT

NO_ANSWER = (REFUSED, CUT, TIMEOUT)


class Attempt:
    """One POST of an order: when it began and ended, and the status or one of NO_ANSWER."""

    def __init__(self, kind, key, number, began, ended, status, order_id=None, retry_after=None):
        self.kind = kind
        self.key = key
        self.number = number  # 1, and more for each repetition under the same key
        self.began = began
        self.ended = ended
        self.status = status
        self.order_id = order_id
        self.retry_after = retry_after

    @property
    def took(self):
        return self.ended - self.began

    @property
    def accepted(self):
        return self.status in (200, 201, 202)

    @property
    def promised_to_wait(self):
        """It asked to be kept waiting for the order's end, so its latency says nothing."""
        return self.kind == "wait"


class Answers:
    """The attempts of a window."""

    def __init__(self, attempts):
        self.attempts = list(attempts)

    def __len__(self):
        return len(self.attempts)

    def statuses(self):
        found = {}
        for attempt in self.attempts:
            found[attempt.status] = found.get(attempt.status, 0) + 1
        return dict(sorted(found.items(), key=str))

    def share_accepted(self):
        return sum(attempt.accepted for attempt in self.attempts) / len(self.attempts) if self.attempts else 0.0

    def latencies(self):
        return [attempt.took for attempt in self.attempts if not attempt.promised_to_wait]

    def percentile(self, part):
        return percentile(self.latencies(), part)

    def slowest(self):
        return max(self.latencies(), default=0.0)


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def slices(attempts, begin, end, width=1.0):
    """→ [(seconds since begin, attempts, accepted, median, p99, slowest)] of each slice of time."""
    found = []
    count = max(1, int((end - begin) / width))
    for number in range(count):
        at = begin + number * width
        within = Answers(attempt for attempt in attempts if at <= attempt.began < at + width)
        found.append((number * width, len(within), sum(attempt.accepted for attempt in within.attempts),
                      within.percentile(0.5), within.percentile(0.99), within.slowest()))
    return found


# The saga goes one way: a later state is never followed by an earlier one, and a final one by none.
RANK = {"ACCEPTED": 0, "PENDING": 1, "RESERVED": 2, "AWAITING_PAYMENT": 2, "COMPENSATING": 3,
        "CONFIRMED": 4, "REJECTED": 4, "CANCELLED": 4}
FINAL = ("CONFIRMED", "REJECTED", "CANCELLED")


def goes_back(before, after):
    """True if a client that saw the one status may not see the other."""
    if before in FINAL:
        return after != before
    return RANK[after] < RANK[before]
