"""Report of the crash matrix: a line a row while it runs, and a table of all rows."""
import collections


def line(result):
    row = result.row
    return (f"{'ok' if result.good() else 'FAILED':<7}{row.name:<58}hits {result.hits:<3}orders {result.orders:<5}"
            f"lost {result.lost()} doubled {result.doubled()} recovery {_seconds(result.recovery):>6} "
            f"rest {_seconds(result.rest):>6} in {result.took:.1f} s")


def _seconds(value):
    return "none" if value is None else f"{value:.1f} s"


def total(results):
    bad = [result for result in results if not result.good()]
    recoveries = sorted(result.recovery for result in results if result.recovery is not None)
    worst = recoveries[-1] if recoveries else 0.0
    return (f"{len(results)} rows, {len(bad)} red, {sum(result.orders for result in results)} orders, "
            f"lost {sum(result.lost() for result in results)}, doubled {sum(result.doubled() for result in results)}, "
            f"recovery median {_at(recoveries, 0.5):.1f} s, p99 {_at(recoveries, 0.99):.1f} s, worst {worst:.1f} s")


def _at(values, part):
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def markdown(results, command, day, unreachable):
    """The file that is kept."""
    yield "# Crash matrix"
    yield ""
    yield (f"Written by `{command}` on {day}. Every row is a fault at one step of one service under "
           "a stream of orders of all kinds; \"hits\" is how often the program recorded the fault before it acted, "
           "\"recovery\" the time until an order that was placed after it was final. Lost and doubled are counted over "
           "the databases and the payment provider's ledger, with invariants 1 to 5 checked after every row.")
    yield ""
    yield f"**{total(results)}**"
    yield ""
    yield "| service | point | fault | hits | orders | lost | doubled | recovery | result |"
    yield "|---|---|---|--:|--:|--:|--:|--:|---|"
    for result in results:
        service, point, fault = result.row.name.split("/")
        yield (f"| {service} | {point} | {fault} | {result.hits} | {result.orders} | {result.lost()} | "
               f"{result.doubled()} | {_seconds(result.recovery)} | {'ok' if result.good() else 'FAILED'} |")
    yield ""
    yield "Points that nothing can reach where they are listed:"
    yield ""
    for point, places in unreachable.items():
        reasons = collections.defaultdict(list)
        for service, why in places.items():
            reasons[why].append(service)
        for why, services in reasons.items():
            yield f"- {point} in {', '.join(services)}: {why}"
