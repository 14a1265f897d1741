"""The bench: its parts, each several times on one private stack, and the table of their medians."""
import contextlib
import json
import os

from bench import root  # first: it says whose tooling is used
from bench import backlog, closed, filled, floor, open_loop, reads, report, rest, scale, shapes
from bench import figures
from bench import system as systems
from dev.report import DevError, step

# In this order; what comes first finds the databases empty.
PARTS = {"disk": rest.disk, "closed": closed.run, "open": open_loop.run, "reads": reads.run, "shapes": shapes.run,
         "wide": scale.wide, "workers": scale.workers, "processes": scale.processes, "backlog": backlog.run,
         "start": rest.start, "idle": rest.idle, "floor": floor.run, "filled": filled.run}
ONCE = ("workers", "processes", "backlog", "filled")
ASKED_FOR = ("filled",)  # takes half an hour and some 25 GB with ten million orders


def chosen(only):
    """The parts of a run; the floor is computed from what the closed loop counts."""
    unknown = set(only) - set(PARTS)
    if unknown:
        raise DevError(f"there is no part {' or '.join(sorted(unknown))}: choose from {' '.join(PARTS)}", status=2)
    wanted = set(only or PARTS.keys() - ASKED_FOR) | ({"closed"} if "floor" in only else set())
    return [name for name in PARTS if name in wanted]


@contextlib.contextmanager
def measured_system(preset):
    with systems.private_system(preset) as stack:
        system = systems.System(stack)
        try:
            system.check_durable()
            system.fill_catalogue()
            yield system
        finally:
            system.close()


def measure(options):
    """→ {part: {figure: {"median", "least", "most", "runs"}}}"""
    parts, results = chosen(options.only or ()), {}
    if "floor" in parts:
        floor.build_loop(options.preset)
    with measured_system(options.preset) as system:
        for name in parts:
            runs = []
            for number in range(1 if name in ONCE else options.runs):
                runs.append(PARTS[name](system, options))
                step(name, f"run {number + 1}: " + ", ".join(f"{key} {figures.show(value)}"
                                                             for key, value in list(runs[-1].items())[:4]))
            results[name] = figures.summary(runs)
    if "floor" in results:
        of = {name: {figure: one["median"] for figure, one in results[name].items()} for name in ("closed", "floor")}
        results["floor"] |= figures.summary([floor.with_floor(of["closed"], of["floor"])])
    return results


def bench(options):
    results = measure(options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file)
    print(*report.lines(results), sep="\n", flush=True)
    if options.record:
        for path in report.write(os.path.join(root.OWN, "load-testing", "results"), results, options):
            step("written", os.path.relpath(path, root.OWN))
    return 0
