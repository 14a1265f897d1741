"""Verdict on a soak run, from samples and answers: slopes, constants, latency at its beginning and end. Pure."""
import collections
import statistics

from load.memory import SERVICES

# ok is None for what is only shown.
Check = collections.namedtuple("Check", "what figure bound ok")

NOISE_KIB = 256        # a page here and there; in a long run it is far below the bound on the slope
FDS_MORE = 2           # a connection that is being renewed
P99_TIMES, P99_MORE_MS = 1.2, 2.0


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def slope(points):
    """Least squares over (x, y)."""
    mean_x = statistics.fmean(x for x, _ in points)
    mean_y = statistics.fmean(y for _, y in points)
    square = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / square


def quarters(items):
    """The first and the last quarter."""
    size = max(1, len(items) // 4)
    return items[:size], items[-size:]


def series(samples, name, what):
    return [(sample["at"], sample["programs"][name][what]) for sample in samples]


def memory_check(samples, name, max_mib_per_hour):
    """By the fitted line: a single peak neither condemns nor saves."""
    points = series(samples, name, "anon")
    per_second, hours = slope(points), (points[-1][0] - points[0][0]) / 3600
    grown = per_second * (points[-1][0] - points[0][0])
    ok = grown <= max(max_mib_per_hour * 1024 * hours, NOISE_KIB)
    return Check(f"{name}: RssAnon", f"{per_second * 3600 / 1024:+.2f} MiB/h, from {points[0][1] / 1024:.1f} to "
                 f"{points[-1][1] / 1024:.1f} MiB", f"{max_mib_per_hour:g} MiB/h", ok)


def flat_check(samples, name, what, more):
    """On average: how many connections payment-svc needs at once is a matter of chance."""
    points = series(samples, name, what)
    first, last = (statistics.fmean(value for _, value in part) for part in quarters(points))
    most = max(value for _, value in points)
    return Check(f"{name}: {what}", f"on average {first:.1f} in the first quarter, {last:.1f} in the last, most {most}",
                 f"{more} more", last <= first + more)


def latency_check(answers):
    first, last = (percentile([answer.latency * 1000 for answer in part], .99) for part in quarters(answers))
    bound = max(first * P99_TIMES, first + P99_MORE_MS)
    return Check("latency p99", f"first quarter {first:.1f} ms, last {last:.1f} ms", f"{bound:.1f} ms", last <= bound)


def rate_check(answers, rate):
    """The load was really there: an open loop that cannot keep up is a measurement of itself."""
    found = (len(answers) - 1) / (answers[-1].due - answers[0].due)
    return Check("requests", f"{len(answers)}, {found:.1f}/s", f"{rate:.0f}/s ± 1 %", abs(found - rate) <= rate * .01)


def backlog_checks(samples):
    """Backlogs do not grow: the maximum of the last quarter is about that of the first."""
    waiting = [sum(count for name, count in sample["queues"].items() if not name.endswith(".dead"))
               for sample in samples]
    outbox = [sum(rows["outbox"] for rows in sample["rows"].values()) for sample in samples]
    for what, values in (("messages in queues", waiting), ("outbox rows", outbox)):
        first, last = (statistics.fmean(part) for part in quarters(values))
        yield Check(what, f"on average {first:.0f} in the first quarter, {last:.0f} in the last, at most {max(values)}",
                    "twice as many, or 100", last <= max(100, 2 * first))
    suspects = max(rows["suspects"] for sample in samples for rows in sample["rows"].values())
    yield Check("suspects", str(suspects), "0", suspects == 0)
    yield Check("orders that the edge remembers, accepted on a confirm alone",
                f"at most {max(sample['remembered'] for sample in samples)}", "", None)
    inbox = [sum(rows["inbox"] for rows in sample["rows"].values()) for sample in (samples[0], samples[-1])]
    yield Check("inbox rows, kept for seven days", f"from {inbox[0]} to {inbox[1]}", "", None)


def checks(samples, answers, refused, violations, rate, warm_up, max_mib_per_hour):
    """samples and answers of the whole run; what is before warm_up counts for nothing but the refused."""
    settled = [sample for sample in samples if sample["at"] >= warm_up]
    later = sorted(answer for answer in answers if answer.due >= warm_up)
    yield rate_check(later, rate)
    yield Check("refused or failed", str(len(refused)), "0", not refused)
    yield latency_check(later)
    for name in SERVICES:
        yield memory_check(settled, name, max_mib_per_hour)
    for name in SERVICES:
        yield flat_check(settled, name, "fds", FDS_MORE)
        yield flat_check(settled, name, "sockets", FDS_MORE)
        yield flat_check(settled, name, "threads", 0)
    psp = series(settled, "psp-sandbox", "anon")
    yield Check("psp-sandbox: RssAnon", f"from {psp[0][1] / 1024:.1f} to {psp[-1][1] / 1024:.1f} MiB: it keeps every "
                "charge", "", None)
    yield from backlog_checks(settled)
    yield Check("invariants violated", str(len(violations)), "0", not violations)
