"""The end of a run: everything comes to rest, the invariants are checked, and what was lost or doubled is counted."""
import collections
import time

from chaos import invariants

REST_SECONDS = 120  # without a single order that becomes final: what is still open then is lost
# Least number of orders on each failure path, else the run proves little. A cancel must overtake its saga, which takes
# some milliseconds: on a fast machine few cancels do.
LEAST_SHARES = {"declined": 0.05, "out of stock": 0.05, "cancelled": 0.01}


class Verdict:
    """
    violations   texts; of the invariants and of what clients saw
    lost         orders that were accepted, and are not there or never became final
    doubled      orders captured twice, keys with two orders, products of which more was sold than was ordered
    invalid      why the run says nothing, if it does
    statuses     final orders of this run by status
    """

    def __init__(self):
        self.violations, self.lost, self.doubled, self.invalid = [], [], [], []
        self.statuses = collections.Counter()
        self.accepted = 0
        self.rest_seconds = None

    def good(self):
        return not (self.violations or self.lost or self.doubled or self.invalid)

    def word(self):
        return "ok" if self.good() else "INVALID" if not (self.violations or self.lost or self.doubled) else "FAILED"

    def lines(self):
        counts = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()))
        yield (f"accepted {self.accepted} ({counts}), lost {len(self.lost)}, doubled {len(self.doubled)}, "
               f"at rest after {self.rest_seconds:.1f} s: {self.word()}")
        for name in ("violations", "lost", "doubled", "invalid"):
            texts = getattr(self, name)
            yield from (f"  {name}: {text}" for text in texts[:10])
            if len(texts) > 10:
                yield f"  {name}: and {len(texts) - 10} more"


class Judge:
    """Judges one run after the other on the same stack; what it has said once it does not blame on a later run."""

    def __init__(self, system):
        self._system = system
        self._said = set()

    def judge(self, load, periods=(), rest_seconds=REST_SECONDS, least_shares=LEAST_SHARES, since=None):
        """
        load      a Traffic that was stopped
        since     a datetime: the logs of older orders, which were judged before, are not read again
        periods   (what, begin, end, least): so many orders must have been tried in the time, else the run is invalid
        """
        verdict = Verdict()
        sources = invariants.Sources.of_stack(self._system, load.accepted, load.undone)
        begin = time.monotonic()
        wait_rest(sources, rest_seconds)
        found = invariants.check_at_rest(sources, 0, since)
        verdict.rest_seconds = time.monotonic() - begin
        verdict.accepted = len(load.accepted)
        orders = {row["id"]: row for row in sources.rows(
            "orders", "SELECT order_id::text AS id, status, reason, final FROM orders.order_list")}
        self._fates(verdict, load, orders)
        self._doubles(verdict, load, sources)
        verdict.violations += self._new(found.violations(shown=None))
        verdict.violations += [f"status went back: {text}" for text in load.backwards]
        verdict.violations += [f"unexpected answer: {text}" for text in load.surprises]
        verdict.invalid += too_little(load, periods) + too_plain(verdict, load, orders, least_shares)
        return verdict

    def _new(self, texts):
        fresh = [text for text in texts if text not in self._said]
        self._said.update(fresh)
        return fresh

    def _fates(self, verdict, load, orders):
        for order_id in load.accepted:
            order = orders.get(order_id)
            if order is None:
                verdict.lost.append(f"{order_id} was accepted and is not there")
            elif not order["final"]:
                verdict.lost.append(f"{order_id} is still {order['status']}")
            else:
                verdict.statuses[order["status"]] += 1

    def _doubles(self, verdict, load, sources):
        captured = collections.Counter(line.get("order_id") for line in invariants.read_ledger(sources.ledger)
                                       if line["type"] == "captured")
        found = [f"{order_id} was captured {count} times" for order_id, count in captured.items() if count > 1]
        found += [f"{row['product_id']}: {row['sold']} sold, {row['ordered']} ordered" for row in oversold(sources)]
        verdict.doubled += self._new(found)
        verdict.doubled += [f"key {key} has the orders {sorted(ids)}" for key, ids in load.double_ids().items()]


def wait_rest(sources, seconds):
    """Until nothing is under way, or no order has become final for so long: a backlog takes the time that it takes."""
    ended, since = None, time.monotonic()
    while not invariants.is_at_rest(sources) and time.monotonic() < since + seconds:
        found = sources.rows("orders", "SELECT count(*) AS ended FROM orders.order_list WHERE final")[0]["ended"]
        if found != ended:
            ended, since = found, time.monotonic()
        time.sleep(0.2)


def oversold(sources):
    """Products of which more was sold to orders than is held by CONFIRMED ones."""
    products = [{"product_id": row["product_id"], "sold": row["sold"] - row["own_sold"]}
                for row in invariants.products_of(sources)]
    ordered = invariants.held_by_confirmed(sources)
    return [row | {"ordered": ordered[row["product_id"]]} for row in products
            if row["sold"] > ordered[row["product_id"]]]


def too_little(load, periods):
    """Names the kinds of which too few orders were tried for the run to prove anything."""
    found = []
    for what, begin, end, least in periods:
        tried = load.count(None, begin, end)
        if tried < least:
            found.append(f"{tried} orders tried {what}, at least {least} are wanted")
    return found


def too_plain(verdict, load, orders, least_shares):
    """Each failure path must have been taken by its share of this run's orders."""
    taken = collections.Counter()
    for order_id in load.accepted:
        reason = (orders.get(order_id) or {}).get("reason") or ""
        taken[path_of(reason)] += 1
    found = []
    for path, least in least_shares.items():
        share = taken[path] / max(1, verdict.accepted)
        if share < least:
            found.append(f"{share:.1%} of the orders were {path}, at least {least:.0%} are wanted")
    return found


def path_of(reason):
    """Which failure path an order's reason tells of."""
    if reason.startswith("payment_declined"):
        return "declined"
    if reason.startswith("out_of_stock"):
        return "out of stock"
    return "cancelled" if reason.startswith("customer") else "other"
