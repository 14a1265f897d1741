"""./dev fuzz: runs the fuzz targets by libFuzzer, two at a time, and keeps the record of what they have done so far."""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import time

from dev import build, packages, paths
from dev.report import DevError
from dev.runner import Result, run, tracked

PRESET = "fuzz"
RESULTS = os.path.join(paths.ROOT, "chaos-testing", "results")
SUITE_SECONDS = 15
SUITE_SEED = 1
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=16", "UBSAN_OPTIONS": "print_stacktrace=1"}
LINE = "{:<14} {:>12} execs {:>8}/s {:>6} edges {:>6} inputs {:>8} s  {}"


class Run:
    """Result of one run of a target."""

    def __init__(self, name, status, output, seconds):
        def last(pattern):
            found = re.findall(pattern, output)
            return int(found[-1]) if found else 0

        self.name = name
        self.failed = status != 0
        self.output = output
        self.seconds = seconds
        self.execs = last(r"stat::number_of_executed_units: (\d+)") or last(r"^#(\d+)\t") or last(r"\n#(\d+)\t")
        self.edges = last(r"\bcov: (\d+)")
        self.inputs = last(r"\bcorp: (\d+)/")

    def line(self):
        rate = round(self.execs / self.seconds) if self.seconds else 0
        return LINE.format(self.name, self.execs, rate, self.edges, self.inputs, round(self.seconds),
                           "FOUND SOMETHING" if self.failed else "ok")


def targets():
    """name → the folder of its source, beside which its corpus lies."""
    found = {}
    for name in tracked(".c"):
        match = re.fullmatch(r"(.*/fuzz)/fuzz_(\w+)\.c", name)
        if match:
            found[match.group(2)] = os.path.join(paths.ROOT, match.group(1))
    return found


def _words(name, folder, seconds, seed):
    corpus = os.path.join(folder, "corpus", name)
    growing = os.path.join(paths.ROOT, "build", "fuzz-corpus", name)
    findings = os.path.join(paths.ROOT, "build", "fuzz-findings")
    for place in (growing, findings):
        os.makedirs(place, exist_ok=True)
    words = [os.path.join(build.folder(PRESET), "fuzz", "fuzz_" + name), f"-max_total_time={seconds}", "-max_len=8192",
             "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1",
             f"-seed={seed}", f"-artifact_prefix={os.path.join(findings, name)}-"]
    if os.path.exists(corpus + ".dict"):
        words.append(f"-dict={corpus}.dict")
    return [*words, growing, corpus, *_seeds(name)]


def _seeds(name):
    """The folder that a target's program for seeds has filled, if it has one."""
    program = os.path.join(build.folder(PRESET), "fuzz", "seeds_" + name)
    if not os.path.exists(program):
        return []
    folder = os.path.join(paths.ROOT, "build", "fuzz-seeds", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    subprocess.run([program, folder], check=True, timeout=60)
    return [folder]


def _run(name, folder, seconds, seed):
    begin = time.monotonic()
    status, output = run(_words(name, folder, seconds, seed), seconds + 60, SANITIZERS)
    done = Run(name, status, output, time.monotonic() - begin)
    print(done.line(), flush=True)
    return done


def run_targets(names, seconds, jobs, seed=0):
    """seed: 0 is another one each time."""
    known = targets()
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise DevError(f"there is no fuzz target {' or '.join(unknown)}: choose from {' '.join(sorted(known))}",
                       status=2)
    build.build(PRESET, ["fuzz_targets"])
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda name: _run(name, known[name], seconds, seed), names or sorted(known)))


def _said(done):
    """From the first complaint on, without libFuzzer's lines of progress."""
    lines = [line for line in done.output.splitlines() if not re.match(r"#\d+\t|INFO:|\"", line)]
    return f"{done.name}:\n" + "\n".join(lines[:60]) + "\n\n"


def suite(_seconds):
    """With one seed, so that it tells about a change and not about luck; new ground is for ./dev fuzz."""
    runs = run_targets((), SUITE_SECONDS, 2, SUITE_SEED)
    failed = [done for done in runs if done.failed]
    return Result(len(runs) - len(failed), len(failed), 0, "".join(map(_said, failed)),
                  f"{sum(done.execs for done in runs)} executions")


def record(runs):
    """Adds the runs to what was done before, and writes it for readers."""
    path = os.path.join(RESULTS, "fuzz.json")
    known = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    for done in runs:
        entry = known.setdefault(done.name, {"seconds": 0, "execs": 0, "findings": 0, "edges": 0, "inputs": 0})
        entry["seconds"] += round(done.seconds)
        entry["execs"] += done.execs
        entry["findings"] += done.failed
        entry["edges"] = max(entry["edges"], done.edges)
        entry["inputs"] = done.inputs
    os.makedirs(RESULTS, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(known, file, indent=1, sort_keys=True)
        file.write("\n")
    with open(os.path.join(RESULTS, "fuzz.md"), "w", encoding="utf-8") as file:
        file.write(as_markdown(known))


def as_markdown(known):
    rows = "".join(f"| `{name}` | {entry['seconds']:,} | {entry['execs']:,} | {entry['edges']:,} | "
                   f"{entry['inputs']:,} | {entry['findings']} |\n" for name, entry in sorted(known.items()))
    total = {key: sum(entry[key] for entry in known.values()) for key in ("seconds", "execs", "findings")}
    return ("# Fuzzing\n\n`./dev fuzz` adds up here what libFuzzer has done with each target under the address and "
            "undefined\nbehaviour sanitizers; `fuzz.json` beside this file holds the same numbers. A finding is a run "
            "that ended\nbefore its time; its input lies in the target's corpus, which the suite `unit` replays.\n\n"
            "| target | seconds | executions | edges | inputs | findings |\n|---|--:|--:|--:|--:|--:|\n" + rows
            + f"| all | {total['seconds']:,} | {total['execs']:,} | | | {total['findings']} |\n")


def fuzz(options):
    packages.ensure(packages.UP + packages.TEST)
    runs = run_targets(options.targets, options.seconds, options.jobs)
    if not options.no_record:
        record(runs)
    for done in runs:
        if done.failed:
            print(_said(done), flush=True)
    return 1 if any(done.failed for done in runs) else 0
