"""./dev mutate: changes the decisions' sources a little, one change at a time, and looks whether the tests notice."""
import argparse
import concurrent.futures
import hashlib
import os
import shlex
import sys
import tempfile

from dev import build, mutate_build, mutate_report, mutate_sample, packages, paths
from dev.mutate_operators import Mutant
from dev.mutate_record import CHOSEN, NOT_C, SAME, TWICE, Record, digest
from dev.mutate_trial import Court, Verdict, try_mutant
from dev.report import DevError, step

ENOUGH = 90  # percent of the sample
FOLDER = os.path.join("build", "mutation")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", type=int, default=400, metavar="N", help="how many mutants; 0: all (400)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the sample (1)")
    parser.add_argument("--files", metavar="GLOB",
                        help="of these files alone, such as order_*.c; several between commas")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="mutants at a time (2)")
    parser.add_argument("--seeds", type=int, default=2000, metavar="N", help="of the simulation for each (2000)")
    parser.add_argument("--resume", action="store_true",
                        help="go on with the last run, or enlarge its sample; what survived is tried again if a test "
                             "program has changed")
    parser.add_argument("--list", action="store_true", help="print all mutants and try none")
    parser.add_argument("--report", action="store_true", help=f"write the result into {mutate_report.DOCUMENT}")
    parser.add_argument("--record", metavar="FILE", help=f"the file of JSON lines ({FOLDER}/results.jsonl)")


# ---- the choice ----

def _compiled(mutant: Mutant, text: str, folder: str) -> str | None:
    """The digest of the object that -O2 makes of it; None: it is not C."""
    made = os.path.join(folder, mutant.id + ".o")
    if not mutate_build.compile_text(mutate_build.SEEDS, mutant.file, mutant.apply(text), made):
        return None
    return _take(made)


def _take(made: str) -> str:
    with open(made, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()[:16]
    os.unlink(made)
    return found


class Choice:
    """The sample of one file: in the order of the seed, without mutants that change nothing."""

    def __init__(self, record: Record, folder: str, pool: concurrent.futures.Executor):
        self.record, self.folder, self.pool = record, folder, pool

    def choose(self, name: str, mutants: list[Mutant], quota: int) -> list[Mutant]:
        text, chosen, at = mutate_sample.read(name), [], 0
        made = os.path.join(self.folder, "as-it-is.o")
        if not mutate_build.compile_text(mutate_build.SEEDS, name, text, made):
            raise DevError(f"{name} does not compile")
        seen = {_take(made): SAME}
        while len(chosen) < quota and at < len(mutants):
            some = mutants[at:at + quota - len(chosen)]
            at += len(some)
            for mutant, found in zip(some, self.pool.map(lambda one: self._object(one, text), some)):
                state = NOT_C if found is None else seen.get(found, CHOSEN)
                if found is not None:
                    seen.setdefault(found, TWICE)
                if mutant.id not in self.record.choices:
                    self.record.choose(mutant, state, found or "")
                if state == CHOSEN:
                    chosen.append(mutant)
        return chosen

    def _object(self, mutant: Mutant, text: str) -> str | None:
        known = self.record.choices.get(mutant.id)
        return (known["object"] or None) if known else _compiled(mutant, text, self.folder)


def _choose(record: Record, options: argparse.Namespace, folder: str) -> list[Mutant]:
    found = mutate_sample.candidates(mutate_sample.files(options.files))
    sizes = {name: len(mutants) for name, mutants in found.items()}
    quotas = mutate_sample.quotas(sizes, options.sample or sum(sizes.values()))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        choice = Choice(record, folder, pool)
        return [mutant for name, mutants in found.items() if mutants
                for mutant in choice.choose(name, mutate_sample.shuffled(mutants, options.seed), quotas[name])]


# ---- the trials ----

def _tests_digest(court: Court, name: str) -> str:
    """The digest of the programs that try mutants of the file."""
    texts = []
    places = [one.path() for one in court.tests(name)]
    for place in [*places, os.path.join(build.programs(mutate_build.SEEDS), "simulation")]:
        with open(place, "rb") as file:
            texts.append(hashlib.sha256(file.read()).hexdigest())
    return digest(f"{court.seeds} {texts}")


def _say(mutant: Mutant, verdict: Verdict) -> None:
    what = f"{mutate_report.short(mutant.old)} → {mutate_report.short(mutant.new)}"
    word = f"killed by {verdict.by} ({verdict.how})" if verdict.killed else "SURVIVED"
    step(mutant.id, f"{mutant.file}:{mutant.line} {what} {word}")


def _try_all(record: Record, court: Court, chosen: list[Mutant], jobs: int) -> None:
    court.prepare(sorted({one.file for one in chosen}))
    tests = {name: _tests_digest(court, name) for name in {one.file for one in chosen}}
    texts = {name: mutate_sample.read(name) for name in tests}
    before = record.verdicts
    left = [one for one in chosen if one.id not in before
            or (not before[one.id]["killed"] and before[one.id]["tests"] != tests[one.file])]

    def judge(mutant: Mutant) -> None:
        verdict = try_mutant(court, mutant, texts[mutant.file])
        record.judge(mutant, verdict, tests[mutant.file])
        _say(mutant, verdict)

    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        for done in [pool.submit(judge, mutant) for mutant in left]:
            done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _list(options: argparse.Namespace) -> int:
    for mutants in mutate_sample.candidates(mutate_sample.files(options.files)).values():
        for one in mutants:
            print(f"{one.id} {one.file}:{one.line} {one.place} {one.kind}: {mutate_report.short(one.old)} → "
                  f"{mutate_report.short(one.new)}")
    return 0


def _command() -> str:
    words = [word for word in sys.argv[1:] if word not in ("--resume", "--report")]
    return shlex.join(["./dev", *words])


def mutate(options: argparse.Namespace) -> int:
    packages.ensure(packages.UP)
    if options.list:
        return _list(options)
    settings = {"seed": options.seed, "seeds": options.seeds}  # a sample of another size begins in the same way
    path = os.path.abspath(options.record or os.path.join(paths.ROOT, FOLDER, "results.jsonl"))
    record = Record(path, settings, options.resume)
    build.build(mutate_build.UNIT)
    build.build(mutate_build.SEEDS, ["simulation"])
    with tempfile.TemporaryDirectory(dir=os.path.dirname(record.path)) as folder:
        chosen = _choose(record, options, folder)
        step("chosen", f"{len(chosen)} mutants")
        _try_all(record, Court(folder, options.seeds), chosen, options.jobs)
    return _conclude(record, chosen, options.report)


def _conclude(record: Record, chosen: list[Mutant], report: bool) -> int:
    verdicts = [record.verdicts[one.id] for one in chosen]
    if report:
        mutate_report.write(verdicts, _command())
    known = mutate_report.explanations()
    for one in verdicts:
        if not one["killed"] and not mutate_report.explained(one, known):
            step("survived", f"{one['id']} {one['file']}:{one['line']} {mutate_report.short(one['old'])} → "
                             f"{mutate_report.short(one['new'])}")
    print(mutate_report.figures(verdicts))
    killed = sum(one["killed"] for one in verdicts)
    return 0 if killed * 100 >= ENOUGH * len(verdicts) else 1
