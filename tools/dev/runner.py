"""Running a test program for a suite: bounded in time, its results counted, and nothing of it left over."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import xml.etree.ElementTree

from dev import account, paths
from dev.servers import end_leftovers
from dev.state import MARK, State


class Result:
    """Result of a suite. `text` is shown if a test failed, `note` always."""

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
    """The files of the checkout with one of these endings, without those that git ignores."""
    return [name for name in _files() if name.endswith(endings) and os.path.isfile(os.path.join(paths.ROOT, name))]


def _files():
    if not os.path.exists(os.path.join(paths.ROOT, ".git")):  # unpacked from an archive
        return sorted(os.path.relpath(os.path.join(place, name), paths.ROOT)
                      for place, _, names in os.walk(paths.ROOT) for name in names
                      if not {"build", ".run"} & set(os.path.relpath(place, paths.ROOT).split(os.sep)))
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                           "--exclude-standard"], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    return sorted(set(done.stdout.split("\0")) - {""})


_running = set()
_ending = threading.Event()


def end_all():
    """For the main thread, to which alone Ctrl-C comes: what others run is interrupted, and they start nothing more."""
    _ending.set()
    for child in _running.copy():
        _interrupt(child)


def _interrupt(child):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGINT)


def run(words, seconds, env=None):
    """→ (exit status, output). A command that is too slow gets SIGINT, so that fixtures clean up, then SIGKILL."""
    if _ending.is_set():
        raise KeyboardInterrupt
    with subprocess.Popen(words, cwd=paths.ROOT, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                          start_new_session=True) as child:
        _running.add(child)
        try:
            return _result(child, seconds)
        finally:
            _running.discard(child)


def _result(child, seconds):
    try:
        if _ending.is_set():  # since this thread looked
            raise KeyboardInterrupt
        output, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _interrupt(child)
        return 124, _last_words(child) + f"\nended after {seconds} s\n"
    except BaseException:
        _interrupt(child)
        _last_words(child)
        raise
    if _ending.is_set():
        raise KeyboardInterrupt
    return child.returncode, output


def _last_words(child):
    try:
        return child.communicate(timeout=30)[0]
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.communicate()[0]


@contextlib.contextmanager
def temporary_folder(name):
    """A folder for stacks and servers of tests. At the end it is wiped, or kept with ORDERBUS_KEEP, after the processes
    that still run in it are ended."""
    folder = tempfile.mkdtemp(prefix=f"orderbus-{name}-", dir=os.environ.get("ORDERBUS_TEST_TMP") or "/var/tmp")
    if account.is_root():
        os.chmod(folder, 0o711)  # Postgres and RabbitMQ, as users of their own, must pass through
    try:
        yield folder
    finally:
        for place, _, files in os.walk(folder):
            if MARK in files:
                end_leftovers(State(place))
        if os.environ.get("ORDERBUS_KEEP"):
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder)


def count(report, status, output):
    """The counts of a JUnit report; a program that failed without one, or with no failed case in it, failed once."""
    try:
        cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        return Result(failed=1, text=output)
    failed = [case for case in cases if _has_failed(case)]
    skipped = sum(case not in failed and (case.find("skipped") is not None or case.get("status") == "disabled")
                  for case in cases)
    passed = len(cases) - len(failed) - skipped
    if status != 0 and not failed:
        return Result(passed, 1, skipped, output)
    return Result(passed, len(failed), skipped, _said(failed) or output if failed else "")


def _has_failed(case):
    """For CTest, a test whose program is missing was "skipped"; here only one that skipped itself was."""
    if case.find("failure") is not None or case.find("error") is not None:
        return True
    skipped = case.find("skipped")
    return case.get("status") == "notrun" and not (
        skipped is not None and skipped.get("message", "").startswith("SKIP_"))


def _said(failed):
    """The output of CTest's failed cases, without the many that passed. pytest's own summary needs no such help."""
    return "".join(f"{case.get('name')}:\n{(case.findtext('system-out') or '').strip()}\n\n"
                   for case in failed if case.get("status"))
