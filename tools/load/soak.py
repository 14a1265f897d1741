"""A constant rate of orders for a long time: memory, descriptors, latency and queues stay as they are, and the
invariants hold at the end. Starts a stack of its own, in the release build.

  ./dev load soak [--minutes 30] [--rate REQUESTS_PER_SECOND] [--connections 32] [--every 5] [--warm-up SECONDS]
                       [--max-slope 1.0] [--record]

Without --rate it is half of what the stack carries, measured first. One request in five is a read. --record writes
chaos-testing/results/soak.md and docs/soak.svg; else both are written to build/soak.
"""
import argparse
import os
import time

from chaos import invariants
from dev import paths
from load.plot import svg
from load.private_stack import edge_address, private_stack, wait_until_final
from load.soak_samples import PROGRAMS, Samples
from load.soak_verdict import checks, percentile, series
from load.traffic import Mix, Traffic

MEASURE_SECONDS = 15
REST_SECONDS = 120


def most(stack, connections):
    """Requests a second, from the first one until the last order is final."""
    traffic = Traffic(edge_address(stack), connections, Mix())
    began = time.monotonic()
    traffic.run(seconds=MEASURE_SECONDS)
    traffic.close()
    if not wait_until_final(stack, REST_SECONDS):
        raise SystemExit("orders are not final; no rate can be told")
    return len(traffic.answers) / (time.monotonic() - began)


def latencies(answers, every, part):
    slots = {}
    for answer in answers:
        slots.setdefault(int(answer.due // every), []).append(answer.latency * 1000)
    return [(slot * every, percentile(values, part)) for slot, values in sorted(slots.items())]


def charts(samples, answers, every):
    queues = [(sample["at"], sum(sample["queues"].values())) for sample in samples]
    outbox = [(sample["at"], sum(rows["outbox"] for rows in sample["rows"].values())) for sample in samples]
    memory = {name: [(at, kib / 1024) for at, kib in series(samples, name, "anon")] for name in PROGRAMS}
    return {"RssAnon, MiB": memory,
            "open descriptors": {name: series(samples, name, "fds") for name in PROGRAMS},
            "latency, ms": {"p50": latencies(answers, every, .5), "p99": latencies(answers, every, .99)},
            "waiting": {"messages in queues": queues, "outbox rows": outbox}}


def table(found):
    yield "| what | found | allowed | |"
    yield "|---|---|---|---|"
    for check in found:
        verdict = "" if check.ok is None else "ok" if check.ok else "FAILED"
        yield f"| {check.what} | {check.figure} | {check.bound} | {verdict} |"


def write(options, text, picture):
    own = os.path.join(paths.ROOT, "build", "soak")
    results = os.path.join(paths.ROOT, "chaos-testing", "results") if options.record else own
    docs = os.path.join(paths.ROOT, "docs") if options.record else own
    for folder, name, content in ((results, "soak.md", text), (docs, "soak.svg", picture)):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content)
        print(os.path.join(folder, name))


def report(options, rate, how, lines):
    return f"""# Soak

`./dev load soak {' '.join(options.words)}`, {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores shared by load,
programs, Postgres and the broker: {options.minutes:g} minutes at {rate:.0f} requests a second ({how}), release build.
The first {options.warm_up:.0f} s are warm-up and count for nothing.

""" + "\n".join(lines) + "\n\n![memory, descriptors, latency and what waits, over time](../../docs/soak.svg)\n"


def run(stack, options):
    rate, how = options.rate, "given"
    if not rate:
        full = most(stack, options.connections)
        rate, how = full / 2, f"half of the {full:.0f} that it carried at most"
    print(f"{rate:.0f} requests a second, {how}, for {options.minutes:g} minutes", flush=True)
    mix = Mix()
    sources = invariants.Sources.of_stack(stack, mix.accepted)
    traffic = Traffic(edge_address(stack), options.connections, mix, rate)
    samples = Samples(stack, sources, options.every)
    samples.start()
    traffic.run(seconds=options.minutes * 60)
    samples.stop()
    traffic.close()
    print("checking the invariants", flush=True)
    violations = invariants.check_at_rest(sources, REST_SECONDS).violations()
    found = list(checks(samples.taken, traffic.answers, traffic.refused(), violations, rate, options.warm_up,
                        options.max_slope))
    lines = list(table(found))
    print("\n".join([*lines, *violations, *map(str, traffic.refused()[:5])]))
    write(options, report(options, rate, how, lines),
          svg(charts(samples.taken, traffic.answers, options.every), options.minutes * 60))
    return 0 if all(check.ok is not False for check in found) else 1


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, help="requests a second")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    parser.add_argument("--warm-up", type=float, help="seconds; a sixth of the run, at most five minutes")
    parser.add_argument("--max-slope", type=float, default=1.0, help="MiB an hour")
    parser.add_argument("--preset", default="release")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args(words)
    options.words = words
    if options.warm_up is None:
        options.warm_up = min(300.0, options.minutes * 10)
    with private_stack(options.preset, "soak") as stack:
        return run(stack, options)
