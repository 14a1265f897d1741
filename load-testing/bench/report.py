"""The bench's results as tables, and as the files that the repository shows."""
import json
import os
import platform
import subprocess
import time

from bench import figures
from bench.root import OWN
from bench.targets import verdict


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
    done = subprocess.run(["git", "-C", OWN, "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def command(options):
    """As it was called."""
    words = ["./dev bench", *(f"--only {part}" for part in options.only or ()), f"--runs {options.runs}",
             f"--seconds {options.seconds}"]
    if "open" in (options.only or ["open"]):
        words.append("--rates " + " ".join(map(str, options.rates)))
    return " ".join([*words, "--record"])


def write(folder, results, options):
    """→ the paths of bench.json and bench.md"""
    about = machine() | {"commit": commit(), "date": time.strftime("%Y-%m-%d", time.gmtime()), "runs": options.runs,
                         "seconds": options.seconds, "connections": options.connections}
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, name) for name in ("bench.json", "bench.md")]
    with open(paths[0], "w", encoding="utf-8") as file:
        json.dump({"about": about, "results": results}, file, indent=1)
        file.write("\n")
    with open(paths[1], "w", encoding="utf-8") as file:
        file.write(f"""# Bench

`{command(options)}`, {about['date']}, commit {about['commit']}:
medians of {options.runs} runs of {options.seconds} s each on {about['cores']} cores ({about['processor']}), shared by
programs, Postgres, broker, sandbox and generator. Release build; fsync and synchronous_commit on, quorum queues,
publishes confirmed.
""" + "\n".join(lines(results)) + "\n")
    return paths
