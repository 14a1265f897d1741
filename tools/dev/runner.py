"""Running a test program for a suite: bounded in time, its results counted, and nothing of it left over."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import xml.etree.ElementTree

from dev import account, paths
from dev.servers import end_leftovers
from dev.state import MARK, State


class Result:
    """What a suite found. `text` is shown when something failed, `note` always."""

    def __init__(self, passed=0, failed=0, skipped=0, text="", note=""):
        self.passed = passed
        self.failed = failed
        self.skipped = skipped
        self.text = text
        self.note = note

    def __add__(self, other):
        return Result(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped,
                      self.text + other.text, "; ".join(note for note in (self.note, other.note) if note))


def skip(why):
    return Result(skipped=1, note=why)


def tracked(*endings):
    """The files of the checkout, as far as git does not ignore them, with one of these endings."""
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                           "--exclude-standard"], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    names = sorted(set(done.stdout.split("\0")) - {""})
    return [name for name in names if name.endswith(endings) and os.path.isfile(os.path.join(paths.ROOT, name))]


def run(words, seconds, env=None):
    """→ (exit status, output). What is too slow gets SIGINT, so that fixtures clean up, and then SIGKILL."""
    with subprocess.Popen(words, cwd=paths.ROOT, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                          start_new_session=True) as child:
        try:
            output, _ = child.communicate(timeout=seconds)
            return child.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGINT)
            return 124, _last_words(child) + f"\nended after {seconds} s\n"
        except KeyboardInterrupt:
            os.killpg(child.pid, signal.SIGINT)
            _last_words(child)
            raise


def _last_words(child):
    try:
        return child.communicate(timeout=30)[0]
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.communicate()[0]


@contextlib.contextmanager
def temporary_folder(name):
    """A folder for stacks and servers of tests; whatever still runs in it at the end is ended, and all of it wiped."""
    folder = tempfile.mkdtemp(prefix=f"orderbus-{name}-", dir=os.environ.get("ORDERBUS_TEST_TMP") or "/var/tmp")
    if account.is_root():
        os.chmod(folder, 0o711)  # Postgres and RabbitMQ, as users of their own, must pass through
    try:
        yield folder
    finally:
        for place, _, files in os.walk(folder):
            if MARK in files:
                end_leftovers(State(place))
        shutil.rmtree(folder)


def count(report, status, output):
    """The counts of a JUnit report; a program that failed without one, or with no failed case in it, failed once."""
    try:
        root = xml.etree.ElementTree.parse(report).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return Result(failed=1, text=output)
    cases = list(root.iter("testcase"))
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None or case.get("status") in ("disabled", "notrun") for case in cases)
    if status != 0 and not failed:
        return Result(len(cases) - skipped, 1, skipped, output)
    return Result(len(cases) - failed - skipped, failed, skipped, output if failed else "")
