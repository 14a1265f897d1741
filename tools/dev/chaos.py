"""./dev chaos: faults on the real stack, one scenario or all of them, and the tool that they need."""
import contextlib
import itertools
import os
import signal
import sys
import time

from dev import build, packages, paths
from dev.gotool import TOXIPROXY
from dev.parallel import in_lanes
from dev.report import DevError, step

RESULTS = os.path.join(paths.ROOT, "chaos-testing", "results", "scenarios.md")
WORDS = ("all", "list", "install")
CRASH_MATRIX = "crash-matrix"
SOAK = "soak"


def add_options(added):
    added.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                       help="as ./dev chaos list names them, all, crash-matrix [list], or soak: an hour of orders "
                            "under random faults")
    added.add_argument("--only", metavar="SERVICE/POINT/FAULT", action="append",
                       help='of crash-matrix; the end of a part may be "*"; may be repeated')
    added.add_argument("--short", action="store_true", help="a few seconds each")
    added.add_argument("--no-record", action="store_true", help="leave the tables in chaos-testing/results as they are")
    added.add_argument("--times", type=int, default=1, metavar="N", help="so often, one after the other")
    added.add_argument("--jobs", type=int, default=1, metavar="N", help="scenarios at a time, on their own stacks (1)")
    added.add_argument("--minutes", type=float, help="of soak (60; with --short 3)")
    added.add_argument("--rate", type=float, metavar="N", help="of soak: orders a second (100; with --short 50)")
    added.add_argument("--fault-every", type=float, metavar="SECONDS", help="of soak (180; with --short 20)")
    added.add_argument("--seed", type=int, metavar="N",
                       help="of soak: chooses the faults; without it another one each time, which is printed")
    return added


def chaos(options):
    if "install" in options.scenarios:
        step("toxiproxy", TOXIPROXY.install())
        return 0
    packages.ensure(packages.UP + packages.TEST)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended and wiped on the way out
    if CRASH_MATRIX in options.scenarios:
        from chaos.crash_matrix import run
        return run.run(options.preset or "dev", options.only, options.short, "list" in options.scenarios,
                       not options.no_record)
    if options.scenarios == [SOAK]:
        from chaos.soak import run as soak
        return soak.run(options)
    from chaos import catalogue
    known = catalogue.scenarios()
    if not options.scenarios or "list" in options.scenarios:
        for scenario in known.values():
            step(scenario.name, scenario.text)
        return 0
    return _run(_chosen(options.scenarios, known), options)


def _chosen(names, known):
    unknown = set(names) - set(known) - set(WORDS)
    if unknown:
        raise DevError(f"there is no scenario {' or '.join(sorted(unknown))}: choose from all {' '.join(known)}",
                       status=2)
    return list(known.values()) if "all" in names else [known[name] for name in names]


def _run(chosen, options):
    from chaos import report
    TOXIPROXY.install()
    preset = options.preset or "release"
    step("build", f"preset {preset}")
    build.build_programs(preset)
    reports = _reports(chosen, options, preset)
    print()
    print(*report.table(reports), sep="\n", flush=True)
    if "all" in options.scenarios and not options.no_record:
        command = "./dev chaos all" + "".join((
            " --short" if options.short else "", f" --times {options.times}" if options.times > 1 else "",
            f" --jobs {options.jobs}" if options.jobs > 1 else ""))
        os.makedirs(os.path.dirname(RESULTS), exist_ok=True)
        with open(RESULTS, "w", encoding="utf-8") as file:
            file.write(report.markdown(reports, command, time.strftime("%Y-%m-%d", time.gmtime())))
        step("written", os.path.relpath(RESULTS, paths.ROOT))
    return 0 if all(one.good() for one in reports) else 1


def _reports(chosen, options, preset):
    """In the order of `chosen`."""
    def work(lane, interrupted):
        return list(_lane(lane, options, preset, interrupted))
    found = itertools.chain.from_iterable(in_lanes(work, _lanes(chosen, options)))
    return sorted(found, key=lambda report: chosen.index(report.scenario))


def _lanes(chosen, options):
    """So many as are to run at a time, with about as many faults each."""
    def faults(*lane):
        return sum(len(scenario.episodes(options.short)) for scenario in lane)
    lanes = [[] for _ in range(max(1, min(options.jobs, len(chosen))))]
    for scenario in sorted(chosen, key=faults, reverse=True):
        min(lanes, key=lambda lane: faults(*lane)).append(scenario)
    return [sorted(lane, key=chosen.index) for lane in lanes]


def _lane(chosen, options, preset, interrupted):
    """Those that need no stack of their own share one."""
    for factory, group in itertools.groupby(chosen, lambda scenario: scenario.stack):
        with _stack(factory, preset) as system:
            from chaos.verdict import Judge
            judge = Judge(system)
            for scenario in itertools.chain.from_iterable(itertools.repeat(list(group), options.times)):
                yield _one(system, judge, scenario, options, interrupted)


def _stack(factory, preset):
    from chaos.stack import chaos_stack
    return (factory or chaos_stack)(preset)


def _one(system, judge, scenario, options, interrupted):
    from chaos import scenario as running
    log = os.path.join(paths.ROOT, "build", "chaos", f"clients-{scenario.name}.log")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(log)
    found = running.run(system, judge, scenario, options.short, log, interrupted)
    print(*found.text(), sep="\n", flush=True)
    return found
