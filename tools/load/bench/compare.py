"""Two commits in turn: each is built in a checkout of its own, and measured A B A B … by its own
./dev bench."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile

from dev import paths
from dev.report import DevError, step
from load.bench import figures

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
    done = subprocess.run(["git", "-C", paths.ROOT, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevError(f"git {words[0]} failed: {done.stderr.strip()}")


def one_run(place, options):
    """→ {part: {figure: value}} of a stack that lives for this run alone."""
    with tempfile.NamedTemporaryFile(prefix="orderbus-compare-", suffix=".json") as result:
        words = [os.path.join(place, "dev"), "bench", *options_of(options), "--json", result.name]
        environment = os.environ | {"CCACHE_BASEDIR": place, "CCACHE_NOHASHDIR": "1"}
        if _to_the_end(words, environment) != 0:
            raise DevError(f"{' '.join(words)} failed")
        found = json.load(result)
    return {part: {name: one["median"] for name, one in figures_of.items()} for part, figures_of in found.items()}


def options_of(options):
    """The words of one run, without those that only concern a comparison or a record."""
    yield from ("--runs", "1", "--preset", options.preset)
    for name in ("seconds", "connections", "backlog", "fill"):
        yield from (f"--{name}", str(getattr(options, name)))
    yield from ("--rates", *map(str, options.rates))
    for part in options.only or PARTS:
        yield from ("--only", part)
    for variable in options.set:
        yield from ("--set", variable)


def _to_the_end(words, environment):
    """Whatever ends us, the run may still stop what it has started. → its exit status"""
    child = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
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
