"""Many orders through a stack of address-sanitized programs, which then end by SIGTERM: no leak, no error, exit status
0. Starts a stack of its own.

  ./dev load leaks [--orders 100000] [--connections 32] [--record]

--record writes chaos-testing/results/leaks.md.
"""
import argparse
import os
import re
import signal
import time

from chaos import invariants
from dev import manifests, paths, services
from load.memory import memory
from load.private_stack import edge_address, private_stack, wait_until_final
from load.traffic import Mix, Traffic

QUARANTINE = ":quarantine_size_mb=8"  # of 256: what was freed must not look like what is held
PROGRAMS = manifests.NAMES
WARM_UP = 1000  # orders before memory is looked at the first time
COMPLAINT = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error|Assertion .* failed|stack smashing")
RESULT = os.path.join(paths.ROOT, "chaos-testing", "results", "leaks.md")


def measure(stack):
    return {name: memory(stack.pid(name)) for name in PROGRAMS}


def end_all(stack):
    """→ {program: exit status}"""
    for name in PROGRAMS:
        stack.signal(name, signal.SIGTERM)
    for name in PROGRAMS:
        stack.stop_service(name)
    return {name: stack.part(name).process.exit_statuses()[-1] for name in PROGRAMS}


def complaints(stack):
    found = []
    for name in PROGRAMS:
        for log in (stack.log(name) + ".1", stack.log(name)):
            if os.path.exists(log):
                with open(log, encoding="utf-8", errors="replace") as file:
                    found += [f"{name}: {line.strip()}" for line in file if COMPLAINT.search(line)]
    return found


def table(before, after, statuses):
    yield "| program | RssAnon before | after | RSS before | after | exit status |"
    yield "|---|---|---|---|---|---|"
    for name in PROGRAMS:
        cells = [f"{value / 1024:.1f} MiB" for value in (before[name][0], after[name][0], before[name][1],
                                                         after[name][1])]
        yield f"| {name} | {' | '.join(cells)} | {statuses[name]} |"


def record(options, requests, orders, took, lines, verdict):
    os.makedirs(os.path.dirname(RESULT), exist_ok=True)
    with open(RESULT, "w", encoding="utf-8") as file:
        file.write(f"""# Leaks

`./dev load leaks --orders {options.orders} --record`, {time.strftime('%Y-%m-%d')}: {requests} requests,
{orders} of them orders that were accepted, through the address-sanitized programs in {took:.0f} s, then SIGTERM.
LeakSanitizer looks at every exit (`detect_leaks=1`); a leak or an error ends a program with status 99.

{verdict}.

""" + "\n".join(lines) + """

Before: after the first thousand orders. A sanitized program is several times larger than a released one;
psp-sandbox, a test double, keeps every charge that it has made.
""")


def run(stack, options):
    mix = Mix(reads=False)
    traffic = Traffic(edge_address(stack), options.connections, mix)
    traffic.run(count=min(WARM_UP, options.orders))
    before, began = measure(stack), time.monotonic()
    while len(mix.accepted) < options.orders and not traffic.refused():
        traffic.run(count=min(10000, max(100, options.orders - len(mix.accepted))))
        print(f"{traffic.number} requests, {traffic.number / (time.monotonic() - began):.0f}/s", flush=True)
    traffic.close()
    final = wait_until_final(stack, 120)
    took, after = time.monotonic() - began, measure(stack)
    print("checking the invariants", flush=True)
    violations = invariants.check_at_rest(invariants.Sources.of_stack(stack, mix.accepted), 60).violations()
    refused = traffic.refused()
    statuses = end_all(stack)
    wrong = violations + complaints(stack)
    wrong += [f"{name} ended with {status}" for name, status in statuses.items() if status != 0]
    wrong += [f"{len(refused)} requests were refused, such as {refused[0]}"] if refused else []
    wrong += [] if final else ["some orders are not final after 120 s"]
    lines = list(table(before, after, statuses))
    verdict = "FAILED" if wrong else "No leak was reported, and all invariants held"
    print("\n".join([*lines, *wrong, verdict]))
    if options.record:
        record(options, traffic.number, len(mix.accepted), took, lines, verdict)
    return 1 if wrong else 0


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load leaks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args(words)
    os.environ["ASAN_OPTIONS"] = services.SANITIZERS["ASAN_OPTIONS"] + QUARANTINE
    with private_stack("asan", "leaks") as stack:
        return run(stack, options)
