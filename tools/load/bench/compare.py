"""Two commits in turn: each is built in a checkout of its own, and measured A B A B … by this checkout's bench."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile

from load.bench import figures
from load.bench.root import OWN, TOOLS
from dev.report import DevError, step

PARTS = ("closed", "open", "reads")


@contextlib.contextmanager
def checkout(commit):
    """→ its folder, which goes with it."""
    with tempfile.TemporaryDirectory(prefix="orderbus-compare-", dir="/var/tmp") as folder:
        place = os.path.join(folder, "tree")
        _git("worktree", "add", "--detach", place, commit)
        try:
            yield place
        finally:
            _git("worktree", "remove", "--force", place)


def _git(*words):
    done = subprocess.run(["git", "-C", OWN, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevError(f"git {words[0]} failed: {done.stderr.strip()}")


def one_run(place, options):
    """→ {part: {figure: value}} of a stack that lives for this run alone."""
    with tempfile.NamedTemporaryFile(prefix="orderbus-compare-", suffix=".json") as result:
        chosen = vars(options) | {"only": list(options.only or PARTS), "runs": 1, "json": result.name, "record": False,
                                  "compare": None}
        chosen.pop("run", None)
        if _bench(place, json.dumps(chosen)) != 0:
            raise DevError(f"the bench of {place} failed")
        found = json.load(result)
    return {part: {name: one["median"] for name, one in figures_of.items()} for part, figures_of in found.items()}


def _bench(place, options):
    """This checkout's package load with the other one's package dev. → its exit status"""
    with tempfile.TemporaryDirectory(prefix="orderbus-compare-") as first:
        os.symlink(os.path.join(TOOLS, "load"), os.path.join(first, "load"))
        environment = os.environ | {"PYTHONPATH": os.path.join(place, "tools"), "CCACHE_BASEDIR": place,
                                    "CCACHE_NOHASHDIR": "1"}
        return _to_the_end([sys.executable, "-B", "-m", "load.bench", options], first, environment)


def _to_the_end(words, folder, environment):
    """Whatever ends us, the run may still stop what it has started. → its exit status"""
    child = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        return child.wait()
    finally:
        child.terminate()
        child.wait()


def compare(options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the checkouts go, too
    commits = options.compare
    runs = {commit: [] for commit in commits}
    with contextlib.ExitStack() as stack:
        places = {commit: stack.enter_context(checkout(commit)) for commit in commits}
        for number in range(options.runs):
            for commit, place in places.items():
                step(commit, f"run {number + 1} of {options.runs}")
                runs[commit].append(one_run(place, options))
    print(*lines(commits, runs), sep="\n", flush=True)
    return 0


def lines(commits, runs):
    """Pure. runs: {commit: [{part: {figure: value}}]}"""
    for part in runs[commits[0]][0]:
        medians = [{name: one["median"] for name, one in figures.summary([run[part] for run in runs[commit]]).items()}
                   for commit in commits]
        yield ""
        yield from figures.table((part, *commits, "difference %"), [
            (name, figures.show(value), figures.show(medians[1].get(name)), difference(value, medians[1].get(name)))
            for name, value in medians[0].items()])


def difference(before, after):
    return f"{100 * (after - before) / before:+.1f}" if before and after is not None else ""
