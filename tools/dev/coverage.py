"""./dev coverage: lines and branches of the product that its tests and the simulation reach, by clang's counters."""
import argparse
import concurrent.futures
import dataclasses
import glob
import json
import os
import re
import shutil
import subprocess
import time

from dev import build, mutate_report, mutate_sample, packages, paths, services
from dev.report import DevError, step, warn
from dev.runner import run, temporary_folder
from dev.servers import TestServers

PRESET = "coverage"
RESULTS = os.path.join("chaos-testing", "results", "coverage.md")
PRODUCT = re.compile(r"^(libbus/(src|include)|edge|[a-z]+-svc|infrastructure/[a-z-]+)/(?!tests/)")
# Tests of what this build leaves out: poisoned memory, assertions and failpoints.
WITHOUT = ("arena_poisons_what_was_not_given|failed_assertion_ends_the_process|config_main_reads_failpoints|"
           "a_request_whose_commit_is_unknown|a_request_that_is_committed_but_not_answered")
SECONDS = 1800


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=5000, metavar="N", help="of the simulation (5000)")
    parser.add_argument("--integration", action="store_true", help="also tests that need servers, and the suite system")
    parser.add_argument("--record", action="store_true", help=f"write {RESULTS} and the section of the document")


@dataclasses.dataclass(frozen=True)
class Covered:
    """One file. `missing` names the branches that no test takes: line, column and the outcome."""
    name: str
    lines: tuple[int, int]
    branches: tuple[int, int]
    missing: tuple[str, ...]


def _profiles() -> str:
    return os.path.join(build.folder(PRESET), "profiles")


def _run_tests(label: str, env: dict[str, str], jobs: int) -> None:
    words = ["ctest", "--test-dir", build.folder(PRESET), "--label-regex", f"^({label})$", "--exclude-regex", WITHOUT,
             "--parallel", str(jobs), "--output-on-failure"]
    status, output = run(words, SECONDS, env | {services.COUNTERS: os.path.join(_profiles(), "%2m.profraw")})
    if status:
        warn("tests fail in the preset coverage:\n" + "\n".join(output.splitlines()[-30:]))


def _run_seeds(seeds: int) -> None:
    """In one process: those that the program forks leave without their counters."""
    words = [os.path.join(build.programs(PRESET), "simulation"), "--seeds", str(seeds)]
    status, output = run(words, SECONDS, {services.COUNTERS: os.path.join(_profiles(), "simulation.profraw")})
    if status:
        raise DevError(f"the simulation fails in the preset {PRESET}:\n{output[-2000:]}")


def _run_system(folder: str) -> None:
    """Whole stacks: what a program reaches that is told to end, not what one reaches that is killed."""
    words = ["/usr/bin/python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", os.path.join("tests", "system")]
    status, output = run(words, SECONDS, {"ORDERBUS_TEST_TMP": folder, "ORDERBUS_PRESET": PRESET,
                                          services.COUNTERS: os.path.join(_profiles(), "%2m.profraw")})
    if status:
        warn("the suite system fails in the preset coverage:\n" + "\n".join(output.splitlines()[-30:]))


def _integration() -> None:
    with temporary_folder("coverage") as folder:
        pair = TestServers(os.path.join(folder, "servers"))
        try:
            _run_tests("integration", pair.up(), 3)
        finally:
            pair.down(discard=True)
        _run_system(folder)


def _programs() -> list[str]:
    places = [place for name in ("tests", "bin", "fuzz")
              for place in sorted(glob.glob(os.path.join(build.folder(PRESET), name, "*")))]
    return [place for place in places if os.path.isfile(place) and os.access(place, os.X_OK)]


def _exported() -> dict:
    merged = os.path.join(build.folder(PRESET), "all.profdata")
    subprocess.run(["llvm-profdata", "merge", "-sparse", *glob.glob(os.path.join(_profiles(), "*.profraw")), "-o",
                    merged], check=True)
    objects = [word for place in _programs() for word in ("-object", place)]
    done = subprocess.run(["llvm-cov", "export", "-instr-profile", merged, "-skip-expansions", "-skip-functions",
                           *objects], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _text(name: str, root: str) -> list[str]:
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read().split("\n")


def folded(text: list[str], line: int, column: int) -> bool:
    """The switch of a planted bug: it is constant here, and llvm-cov does not count it either."""
    return re.match(r"!?BUS_BUG\(", text[line - 1][column - 1:]) is not None


def of_planted_bug(text: list[str], line: int, column: int) -> bool:
    """Code behind such a switch: the rest of its condition, what depends on it, or a function that says so."""
    at = line - 1
    depth, behind = _indentation(text[at]), text[at][:column - 1]
    if "BUS_BUG(" in behind:
        return True
    while at > 0:
        at -= 1
        above = text[at]
        if above.startswith("}"):
            return False
        if above.startswith("/* A planted bug's"):
            return True
        if "BUS_BUG(" in above and above.rstrip().endswith("&&"):
            return at == line - 2
        if _indentation(above) < depth and above.strip():
            depth = _indentation(above)
            if above.lstrip().startswith("if (BUS_BUG("):
                return True
    return False


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def impossible(text: list[str], line: int, column: int) -> bool:
    """A value of `switch` that its enumeration has not; a case that holds an assertion alone, which is compiled out."""
    before, here = text[line - 1][:column - 1], text[line - 1][column - 1:]
    return before.endswith("switch (") or here.startswith("case ") and text[line].lstrip().startswith("assert(")


def files(exported: dict, root: str) -> list[Covered]:
    """The product's files of what llvm-cov exports."""
    found = []
    for one in exported["data"][0]["files"]:
        name = os.path.relpath(os.path.normpath(os.path.join(root, one["filename"])), root)
        if not PRODUCT.match(name) or "/tests/" in name or not one["summary"]["lines"]["count"]:
            continue
        (lines, of_lines), (branches, of_branches) = [
            (one["summary"][kind]["covered"], one["summary"][kind]["count"]) for kind in ("lines", "branches")]
        text = _text(name, root)
        missing = [place for place in _missing(one.get("branches", ())) if not folded(text, *place[:2])]
        left = [place for place in missing
                if not impossible(text, *place[:2]) and not of_planted_bug(text, *place[:2])]
        of_branches -= len(missing) - len(left)
        found.append(Covered(name, (lines, of_lines), (branches, of_branches), tuple(map(_named, left))))
    return sorted(found, key=lambda one: one.name)


def _named(place: tuple[int, int, str]) -> str:
    line, column, word = place
    return f"{line}:{column} never {word}"


def _missing(branches: list) -> list[tuple[int, int, str]]:
    """Each branch is [line, column, line, column, times true, times false, …]."""
    taken: dict[tuple[int, int], list[int]] = {}
    for line, column, _, _, true, false, *_ in branches:
        sums = taken.setdefault((line, column), [0, 0])
        sums[0] += true
        sums[1] += false
    return [(line, column, word) for (line, column), counts in sorted(taken.items())
            for count, word in zip(counts, ("true", "false")) if count == 0]


def _sum(ones: list[Covered]) -> tuple[tuple[int, int], tuple[int, int]]:
    lines, branches = ([getattr(one, kind) for one in ones] for kind in ("lines", "branches"))
    return tuple((sum(one[0] for one in kind), sum(one[1] for one in kind)) for kind in (lines, branches))


def share(pair: tuple[int, int]) -> str:
    """Never rounded up to 100 %."""
    return "–" if pair[1] == 0 else f"{1000 * pair[0] // pair[1] / 10:.1f} %"


def _row(name: str, ones: list[Covered]) -> str:
    lines, branches = _sum(ones)
    return f"| {name} | {lines[1]} | {share(lines)} | {branches[1]} | {share(branches)} |"


HEAD = ["| {} | lines | reached | branches | reached |", "|---|--:|--:|--:|--:|"]


def by_part(found: list[Covered], decisive: set[str]) -> list[str]:
    """A row for the files that decide, for each part, and for all."""
    parts: dict[str, list[Covered]] = {}
    for one in found:
        words = one.name.split("/")
        parts.setdefault("/".join(words[:2] if words[0] == "infrastructure" else words[:1]), []).append(one)
    return [HEAD[0].format("part"), HEAD[1], _row("files that decide", [one for one in found if one.name in decisive]),
            *(_row(f"`{part}`", ones) for part, ones in parts.items()), _row("all", found)]


def results(found: list[Covered], decisive: set[str], command: str) -> str:
    whole = [one for one in found if one.name in decisive]
    missing = [f"| `{one.name}` | {place} |" for one in whole for place in one.missing]
    return "\n".join([
        "# Coverage", "", f"Written by `{command}` on {time.strftime('%Y-%m-%d')}.", "", *by_part(found, decisive), "",
        "## Branches that no test takes in files that decide", "", "| file | branch |", "|---|---|", *missing, "",
        "## Files", "", HEAD[0].format("file"), HEAD[1], *(_row(f"`{one.name}`", [one]) for one in found), ""])


def section(found: list[Covered], decisive: set[str], command: str) -> str:
    return "\n".join(["", f"`{command}`, {time.strftime('%Y-%m-%d')}; [coverage.md](../{RESULTS}) has each file.", "",
                      *by_part(found, decisive), ""])


def coverage(options: argparse.Namespace) -> int:
    packages.ensure(packages.UP + packages.COVERAGE)
    build.build(PRESET)
    shutil.rmtree(_profiles(), ignore_errors=True)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        seeds = pool.submit(_run_seeds, options.seeds)
        _run_tests("unit|alloc", {}, 2)
        seeds.result()
    if options.integration:
        _integration()
    found, decisive = files(_exported(), paths.ROOT), set(mutate_sample.files())
    command = f"./dev coverage --seeds {options.seeds}" + (" --integration" if options.integration else "")
    if options.record:
        with open(os.path.join(paths.ROOT, RESULTS), "w", encoding="utf-8") as file:
            file.write(results(found, decisive, command))
        mutate_report.replace("coverage", section(found, decisive, command))
    print("\n".join(by_part(found, decisive)))
    return _conclude([one for one in found if one.name in decisive])


def _conclude(decisive: list[Covered]) -> int:
    missing = 0
    for one in decisive:
        for place in one.missing:
            step("not taken", f"{one.name}:{place}")
            missing += 1
    return 1 if missing else 0
