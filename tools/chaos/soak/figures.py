"""Figures of a chaos soak: availability with and without retries, recovery after each fault, checks. Pure."""
import bisect
import collections

from chaos.progress import ENOUGH, WINDOW
from chaos.soak import memory
from load.memory import SERVICES
from load.soak_verdict import NOISE_KIB, Check

RECOVERY_SECONDS = 60.0
STEP = 0.1
JUDGED_SECONDS = 600.0  # a shorter series of memory says too little


def availability(orders):
    """→ (share with a 2xx within the limits, share with one at the first try)"""
    count = max(1, len(orders))
    return sum(tries > 0 for tries in orders.tries) / count, sum(tries == 1 for tries in orders.tries) / count


def by_tries(orders):
    return dict(sorted(collections.Counter(orders.tries).items()))


def failed_between(orders, begin, end):
    """→ (orders that were due then, of these without a 2xx at the first try, given up)"""
    found = [tries for due, tries in zip(orders.due, orders.tries) if begin <= due < end]
    return len(found), sum(tries != 1 for tries in found), sum(tries == 0 for tries in found)


class Rate:
    """How often something happened in a window; times may come in any order."""

    def __init__(self, times):
        self._times = sorted(times)

    def within(self, begin, end):
        return bisect.bisect_left(self._times, end) - bisect.bisect_left(self._times, begin)


def recovery(accepted, final, since, until, rate):
    """Seconds from `since` to the first whole second in which nearly as many orders as `rate` were accepted, and as
    many became final; None: there is none before `until`. accepted, final: Rates."""
    step = 0
    while (at := since + step * STEP) + WINDOW <= until:
        if min(accepted.within(at, at + WINDOW), final.within(at, at + WINDOW)) >= ENOUGH * rate * WINDOW:
            return at - since
        step += 1
    return None


def per_slot(times, every, begin, end):
    """→ [(seconds since begin, how many a second)]"""
    counts = collections.Counter(int((at - begin) // every) for at in times if begin <= at < end)
    return [(slot * every, counts[slot] / every) for slot in range(int((end - begin) / every))]


def memory_check(name, lives, settle, bound):
    """settle: seconds of each process that do not count."""
    grown = memory.Growth(lives, settle, JUDGED_SECONDS)
    text = f"at most {grown.highest:.1f} MiB in {len(lives)} processes; "
    if grown.per_hour is None:
        return Check(f"{name}: RssAnon", text + "none lived long enough for a slope", "", None)
    text += f"{grown.per_hour:+.2f} MiB/h in {grown.judged} of them, over {grown.longest:.0f} s"
    if name not in SERVICES:
        return Check(f"{name}: RssAnon", text, "", None)
    return Check(f"{name}: RssAnon", text, f"{bound:g} MiB/h",
                 grown.per_hour <= bound or grown.per_hour * grown.longest / 3600 * 1024 <= NOISE_KIB)


def checks(orders, plan, faults, verdict, lives, bound):
    """plan: of chaos.soak.run; faults: rows with `name` and `recovery_s`; verdict: of chaos.verdict; lives:
    {name: [Life, …]}; bound: MiB an hour"""
    with_retries, without = availability(orders)
    found = len(orders) / plan.seconds
    yield Check("orders", f"{len(orders)}, {found:.1f}/s", f"{plan.rate:g}/s ± 1 %",
                abs(found - plan.rate) <= plan.rate * .01)
    yield Check("availability, 4 tries in 10 s", f"{with_retries:.4%}", f"{plan.target:.1%}",
                with_retries >= plan.target)
    yield Check("availability without retries", f"{without:.4%}", "", None)
    yield Check("lost", str(len(verdict.lost)), "0", not verdict.lost)
    yield Check("doubled", str(len(verdict.doubled)), "0", not verdict.doubled)
    yield Check("violations of invariants, unexpected answers", str(len(verdict.violations)), "0",
                not verdict.violations)
    known = [row["recovery_s"] for row in faults if row["recovery_s"] is not None]
    yield Check("faults", f"{len(faults)}, recovery at most {max(known, default=0.0):.1f} s",
                f"{RECOVERY_SECONDS:g} s", len(known) == len(faults))
    for name in lives:
        yield memory_check(name, lives[name], plan.settle, bound)
