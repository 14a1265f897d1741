"""The suites that ./dev test runs only with --all, or by name: they prove more than the others, and take longer."""
import os
import sys

from dev import paths
from dev.runner import Result, run


def _verb(*words):
    """One verb of ./dev, whose exit status says whether all of it held."""
    def run_verb(seconds):
        status, output = run([sys.executable, "-B", "-I", paths.TOOLS, *words], seconds)
        return Result(failed=1, text=output) if status else Result(passed=1, note=(output.splitlines() or [""])[-1])
    return run_verb


# name: (budget in seconds on two cores, what runs it)
TABLE = {
    "mutate": (600, _verb("mutate", "--sample", "40", "--record", os.path.join("build", "mutation", "suite.jsonl"))),
    "sim-long": (600, _verb("sim", "--seeds", "100000", "--no-record")),
    "crash-matrix": (2700, _verb("chaos", "crash-matrix", "--no-record")),
    "chaos-long": (2400, _verb("chaos", "all", "--no-record")),
    "chaos-soak": (480, _verb("chaos", "soak", "--short", "--seed", "1")),
}
