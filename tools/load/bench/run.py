"""The bench: its parts in turn, several times on one private stack, and the table of their medians."""
import contextlib
import json
import os

from load.bench import backlog, closed, figures, filled, floor, fronts, open_loop, reads, report, rest, scale, shapes
from load.bench import tokens, tracing
from load.bench import system as systems
from dev import paths
from dev.report import DevError, step

# In this order; the floor beside what it is compared with.
PARTS = {"disk": rest.disk, "closed": closed.run, "floor": floor.run, "open": open_loop.run, "reads": reads.run,
         "wide": scale.wide, "shapes": shapes.run, "tokens": tokens.run, "tracing": tracing.run,
         "fronts": fronts.run, "workers": scale.workers, "processes": scale.processes, "shards": scale.shards,
         "backlog": backlog.run, "start": rest.start, "idle": rest.idle, "filled": filled.run}
ONCE = ("workers", "processes", "backlog", "filled")
# Ten million orders take twenty minutes and 31 GiB; a collector or a client of gRPC must be built first; for shards all
# programs restart.
ASKED_FOR = ("filled", "tracing", "fronts", "shards")


def chosen(only):
    """The parts of a run; the floor is computed from what the closed loop counts."""
    unknown = set(only) - set(PARTS)
    if unknown:
        raise DevError(f"there is no part {' or '.join(sorted(unknown))}: choose from {' '.join(PARTS)}", status=2)
    wanted = set(only or PARTS.keys() - ASKED_FOR) | ({"closed"} if "floor" in only else set())
    return [name for name in PARTS if name in wanted]


@contextlib.contextmanager
def measured_system(preset, variables):
    systems.check_known(preset, variables)
    with systems.private_system(preset, variables) as stack:
        system = systems.System(stack)
        try:
            system.check_durable()
            system.fill_catalogue()
            yield system
        finally:
            system.close()


def in_turn(parts, runs):
    """All parts one after the other, `runs` times: two figures of a run are measured close to each other, whatever the
    machine does meanwhile. Parts that run once come in the last turn, because they leave much data behind. → (run
    from 0, part)"""
    return [(number, name) for number in range(runs) for name in parts if name not in ONCE or number == runs - 1]


def measure(options):
    """→ {part: {figure: {"median", "least", "most", "runs"}}}"""
    parts = chosen(options.only or ())
    runs = {name: [] for name in parts}
    if "floor" in parts:
        floor.build_loop(options.preset)
    with measured_system(options.preset, options.set) as system:
        for number, name in in_turn(parts, options.runs):
            found = PARTS[name](system, options)
            if name == "floor":
                found |= floor.with_floor(runs["closed"][-1], found)
            runs[name].append(found)
            step(name, f"run {number + 1}: " + ", ".join(f"{key} {figures.show(value)}"
                                                         for key, value in list(found.items())[:4]))
    return {name: figures.summary(runs[name]) for name in parts}


def bench(options):
    results = measure(options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file)
    print(*report.lines(results), sep="\n", flush=True)
    if options.record:
        for path in report.write(os.path.join(paths.ROOT, "load-testing", "results"), results, options):
            step("written", os.path.relpath(path, paths.ROOT))
    return 0
