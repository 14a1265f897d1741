"""./dev sim: the deterministic simulation over many seeds, or one seed, and what is kept of a large run."""
import os
import subprocess

from dev import build, packages, paths
from dev.report import DevError, step

RESULTS = os.path.join("chaos-testing", "results", "simulation.md")
WORTH_KEEPING = 100000  # seeds: below that a run is not written down
BUG_SEEDS = 10000


def add_options(parser):
    parser.add_argument("--seeds", type=_count, default=20000, metavar="N", help="how many seeds (20000)")
    parser.add_argument("--first", type=_count, default=1, metavar="N", help="the first of them (1)")
    parser.add_argument("--seed", type=_count, metavar="N", help="this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: what happens in it, a line an event")
    parser.add_argument("--bug", metavar="NAME", help="with a bug planted, until it is caught")
    parser.add_argument("--bugs", action="store_true", help="list the bugs that can be planted")
    parser.add_argument("--no-record", action="store_true", help=f"leave {RESULTS} as it is, however many seeds")
    parser.add_argument("--preset", choices=build.PRESETS, default="release", help="which build (release)")


def _count(text):
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def program(preset):
    return os.path.join(build.programs(preset), "simulation")


def sim(options):
    packages.ensure(packages.UP)
    if options.trace and options.seed is None:
        raise DevError("--trace needs --seed", status=2)
    build.build(options.preset, ["simulation"])
    bug = ["--bug", options.bug] if options.bug else []
    if options.bugs:
        return _run(options.preset, ["--bugs"])
    if options.seed is not None:
        return _run(options.preset, ["--seed", str(options.seed), *(["--trace"] if options.trace else []), *bug])
    words = ["--seeds", str(options.seeds), "--first", str(options.first), "--jobs", str(os.cpu_count() or 1), *bug]
    if bug or options.no_record or options.seeds < WORTH_KEEPING:
        return _run(options.preset, words)
    return _run_and_keep(options, words)


def _run(preset, words):
    return subprocess.run([program(preset), *words], check=False).returncode


def _said(preset, words):
    done = subprocess.run([program(preset), *words], check=False, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    return done.returncode, done.stdout.splitlines()


def _run_and_keep(options, words):
    status, said = _said(options.preset, words)
    if status != 0:
        return status
    status, bugs = _said(options.preset, ["--every-bug", "--seeds", str(BUG_SEEDS)])
    with open(os.path.join(paths.ROOT, RESULTS), "w", encoding="utf-8") as file:
        file.write(text_of(options.seeds, said, bugs))
    step("written", RESULTS)
    return status


def text_of(seeds, said, bugs):
    """Markdown: what the run said, and a row for each planted bug."""
    lines = ["# Simulation", "",
             f"Written by `./dev sim --seeds {seeds}`. Every invariant held at every step of every seed.", "",
             "```", *said, "```", "",
             f"Planted bugs, each looked for in at most {BUG_SEEDS} seeds, from the first on:", "",
             "| bug | caught after | as |", "|---|---:|---|"]
    for line in bugs[:-1]:
        verdict, name, rest = line.split(None, 2)
        after, _, violation = rest.partition(": ")
        seeds_needed = after.split()[1] if verdict == "caught" else "never"
        lines.append(f"| {name} | {seeds_needed} | {violation.replace('|', chr(92) + '|')} |")
    return "\n".join([*lines, "", bugs[-1].capitalize() + ".", ""])
