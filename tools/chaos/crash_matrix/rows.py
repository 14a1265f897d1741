"""One row: the fault falls under load, whoever died is started again, all comes to rest, and is judged."""
import datetime
import signal
import time

import psycopg2

from dev.report import DevError, tail

from chaos.traffic import DECK, Traffic

from chaos.crash_matrix.readers import Readers

RATE = 40
# Beside the kinds of chaos.traffic: a payment whose first call fails, and one whose answer comes too late; orders that
# are paid later, refunded in part, and that a reservation without an order comes beside.
ALL_KINDS = {**DECK, "shaky": 1, "late": 1, "later": 2, "refunded": 1, "reserving": 1}
HIT_SECONDS = 45       # so long a point is waited for: some need two rare things at once
END_SECONDS = 12       # a drain takes 10 s at most
RECOVERY_SECONDS = 20  # so long a recovery is waited for
AFTER_SECONDS = 0.6    # load goes on for so long after it
AROUND_SECONDS = 2.0
LEAST_ORDERS = 20      # tried within that time before and after the hit
REST_SECONDS = 60


class Result:
    """Result of a row. problems: reasons to fail it beside the verdict."""

    def __init__(self, row):
        self.row = row
        self.hits = 0
        self.orders = 0        # accepted under this row
        self.around = 0        # tried around the hit
        self.recovery = None   # seconds from the hit until an order that was placed after it was final
        self.rest = None
        self.took = 0.0
        self.problems = []
        self.verdict = None

    def lost(self):
        return len(self.verdict.lost) if self.verdict else 0

    def doubled(self):
        return len(self.verdict.doubled) if self.verdict else 0

    def good(self):
        return not self.problems and self.verdict is not None and self.verdict.good()

    def texts(self):
        yield from self.problems
        if self.verdict:
            yield from (*self.verdict.lost, *self.verdict.doubled, *self.verdict.violations, *self.verdict.invalid)


def run(system, judge, row):
    """A row that cannot be carried through is red, and the next one begins with everything running."""
    result, began = Result(row), time.monotonic()
    try:
        _run(system, judge, row, result)
    except (DevError, OSError, psycopg2.Error) as error:
        result.problems.append(f"the row broke off: {error}")
        system.restart_with(row.service, {})
        system.start_services()
    result.took = time.monotonic() - began
    return result


def _run(system, judge, row, result):
    system.forget_faults()
    began = datetime.datetime.now(datetime.timezone.utc)
    pids = {name: system.pid(name) for name in system.services if name != row.service}
    system.switch_on(row.service, row.first or row.switches(), row.variables)
    with Traffic(system.url("edge"), rate=RATE, deck=ALL_KINDS, burst=row.burst) as load, Readers(system.url("edge")):
        hit_at = _let_it_fall(system, row, load, result)
        if hit_at is not None:
            result.recovery = _recovery(system, hit_at)
            load.run_for(AFTER_SECONDS)
    _look(system, row, load, hit_at, pids, result)
    result.verdict = judge.judge(load, rest_seconds=REST_SECONDS, least_shares={}, since=began)
    result.orders, result.rest = result.verdict.accepted, result.verdict.rest_seconds


def _let_it_fall(system, row, load, result):
    """→ when the fault fell, by time.time(), or None if it did not. A process that it ended runs again afterwards."""
    if row.first:
        _wait_end(system, row, result)
        system.switch_on(row.service, row.switches(), row.variables, wait=False)  # it may die before it is ready
    if row.drains:
        load.run_for(1.0)
        system.signal(row.service, signal.SIGTERM)
    hit_at = _wait_hit(system, row)
    if hit_at is None:
        result.problems.append(f"the point was not reached within {HIT_SECONDS} s")
    elif row.ends:
        _wait_end(system, row, result)
    if row.ends or system.pid(row.service) is None:
        if not row.ends:
            result.problems.append(_died(system, row.service))
        system.restart_with(row.service, row.variables)
    return hit_at


def _wait_hit(system, row):
    deadline = time.monotonic() + HIT_SECONDS
    while time.monotonic() < deadline:
        if _hits(system, row):
            return time.time()
        time.sleep(0.02)
    return None


def _hits(system, row):
    return sum((point, fault) == (row.point, row.fault) for point, fault, _ in system.faults())


def _wait_end(system, row, result):
    if not system.part(row.service).process.wait_end(END_SECONDS):
        result.problems.append(f"{row.service} did not end within {END_SECONDS} s")


def _recovery(system, hit_at):
    """Seconds from the hit until the first order that came after it was final; None: it did not come."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    connection = psycopg2.connect(system.database_url("orders"), connect_timeout=5)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute("SELECT EXISTS (SELECT FROM orders.order_list WHERE final AND created_at > "
                               "to_timestamp(%s))", (hit_at,))
                if cursor.fetchone()[0]:
                    return time.time() - hit_at
                time.sleep(0.05)
    finally:
        connection.close()
    return None


def _look(system, row, load, hit_at, pids, result):
    """Conditions of a valid run: the fault fell, under orders of all kinds, and no other process died."""
    result.hits = _hits(system, row)
    if hit_at is None:
        return
    if result.recovery is None:
        result.problems.append(f"no order became final within {RECOVERY_SECONDS} s after the fault")
    hit = hit_at - time.time() + time.monotonic()
    result.around = load.count(None, hit - AROUND_SECONDS, hit + AROUND_SECONDS)
    if result.around < LEAST_ORDERS:
        result.problems.append(f"{result.around} orders were tried around the fault, {LEAST_ORDERS} are wanted")
    missing = set(ALL_KINDS) - {attempt.kind for attempt in load.attempts}
    if missing:
        result.problems.append(f"no order was of kind {' or '.join(sorted(missing))}")
    for name, pid in pids.items():
        if system.pid(name) != pid:
            result.problems.append(_died(system, name))
            system.restart_with(name, {})


def _died(system, name):
    return f"{name} ended by itself: {tail(system.log(name), 5)}"
