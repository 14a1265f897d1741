"""The bench's results as tables, and as the files that the repository shows."""
import json
import os
import platform
import subprocess
import time

from load.bench import figures
from dev import paths
from load.bench.targets import verdict


def lines(results):
    for part, found in results.items():
        yield ""
        yield from figures.table((part, "median", "least", "most", "wanted", ""), [
            (name, *(figures.show(one[what]) for what in ("median", "least", "most")),
             *verdict(part, name, one["median"])) for name, one in found.items()])


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    return {"cores": os.cpu_count(), "processor": model, "memory GiB": round(memory, 1), "kernel": platform.release()}


def commit():
    done = subprocess.run(["git", "-C", paths.ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def command(options):
    """As it was called."""
    words = ["./dev bench", *(f"--only {part}" for part in options.only or ()), f"--runs {options.runs}",
             f"--seconds {options.seconds}"]
    if "open" in (options.only or ["open"]):
        words.append("--rates " + " ".join(map(str, options.rates)))
    if "filled" in (options.only or ()):
        words.append(f"--fill {options.fill}")
    words += [f"--set {text}" for text in options.set]
    return " ".join([*words, "--record"])


def about(options):
    return {"command": command(options), "commit": commit(), "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "runs": options.runs, "seconds": options.seconds, "connections": options.connections}


def merged(old, results, how):
    """The recorded parts, with these parts in place of theirs. → {part: {"how", "figures"}}, in the order of `results`
    if all are there."""
    fresh = {part: {"how": how, "figures": found} for part, found in results.items()}
    return fresh | {part: kept for part, kept in old.items() if part not in fresh}


def document(parts, where):
    """Markdown: the parts that were measured together under the command that measured them."""
    yield "# Bench"
    yield ""
    yield (f"On {where['cores']} cores ({where['processor']}), shared by programs, Postgres, broker, sandbox and "
           "generator. Release build;")
    yield "fsync and synchronous_commit on, quorum queues, publishes confirmed."
    for how in unique(one["how"] for one in parts.values()):
        yield ""
        yield f"`{how['command']}`,"
        yield f"{how['date']}, commit {how['commit']}: medians of {how['runs']} runs of {how['seconds']} s each."
        yield from lines({part: one["figures"] for part, one in parts.items() if one["how"] == how})


def unique(items):
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def write(folder, results, options):
    """Parts that were not measured now stay as they are recorded. → the paths of bench.json and bench.md"""
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, name) for name in ("bench.json", "bench.md")]
    old = {}
    if os.path.exists(paths[0]):
        with open(paths[0], encoding="utf-8") as file:
            old = json.load(file)["parts"]
    where, parts = machine(), merged(old, results, about(options))
    with open(paths[0], "w", encoding="utf-8") as file:
        json.dump({"machine": where, "parts": parts}, file, indent=1)
        file.write("\n")
    with open(paths[1], "w", encoding="utf-8") as file:
        file.write("\n".join(document(parts, where)) + "\n")
    return paths
