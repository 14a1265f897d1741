"""Restarts the parts of a stack that die, in a process that ./dev up --supervise leaves behind."""
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import traceback

from dev import manifests
from dev.report import DevError

ERRORS = (DevError, OSError, subprocess.SubprocessError)
READY = "ready"
SUMMARY = "supervised.json"  # of the state: how many restarts there were, and the last one
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before a restart; doubled for each death that comes too soon
STOOD_SECONDS = 30  # a part that ran for so long begins with the first pause again
POLL_SECONDS = 0.1


class Backoff:
    """The pause before the next restart of one part."""

    def __init__(self):
        self._next = FIRST_PAUSE

    def pause(self, stood):
        """stood: seconds that the part ran; 0 if it could not be started."""
        if stood >= STOOD_SECONDS:
            self._next = FIRST_PAUSE
        found, self._next = self._next, min(2 * self._next, LONGEST_PAUSE)
        return found


def cause(status):
    """An exit status as text; a negative one is a signal, None one that is not known."""
    if status is None:
        return "unknown: another ./dev had started it"
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


class _Watch:
    """One part: the process that ran last, since when, and when it is to be started again."""

    def __init__(self):
        self.backoff = Backoff()
        self.pid = None
        self.since = 0.0
        self.due = None
        self.pause = 0.0
        self.failing = False  # it could not be started again
        self.line = {}

    def sees(self, pid):
        if pid != self.pid:
            self.pid, self.since = pid, time.monotonic()
        self.due, self.failing = None, False

    def died(self, pid, status):
        stood = time.monotonic() - self.since if pid == self.pid else 0.0
        self.line = {"pid": pid, "cause": cause(status), "ran_s": round(stood, 1)}
        self._put_off(stood)

    def failed(self, error):
        self.line["error"] = str(error)
        self.failing = True
        self._put_off(0.0)

    def begun(self):
        self.due, self.failing = None, False

    def _put_off(self, stood):
        self.pause = self.backoff.pause(stood)
        self.due = time.monotonic() + self.pause


class Supervisor:
    """stack: the one that is watched; current: a function that gives the stack as it is to be started now."""

    def __init__(self, stack, current):
        self._stack, self._current = stack, current
        self._watches = {name: _Watch() for name in [*stack.own_servers(), *manifests.NAMES]}
        self._statuses = {}  # pid: exit status of each child that ended
        self._restarts = 0

    def run(self):
        """Until SIGTERM, or until the state folder names another supervisor or none."""
        while (self._stack.supervisor.record() or {}).get("pid") == os.getpid():
            try:
                self.look()
            except Exception as error:  # whatever went wrong with one part, the others need their supervisor
                print(json.dumps({"ts": _now(), "msg": f"{type(error).__name__}: {error}"}), flush=True)
            time.sleep(POLL_SECONDS)

    def look(self):
        self._reap()
        for name, watch in self._watches.items():
            self._look_at(name, watch)

    def _reap(self):
        """Parts that another ./dev stops are still children of this process."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._statuses[found[0]] = os.waitstatus_to_exitcode(found[1])
        except ChildProcessError:
            pass

    def _look_at(self, name, watch):
        process = self._process(name)
        record, pid = process.record(), process.pid()
        if pid is not None:
            watch.sees(pid)
        elif record is None and not watch.failing:  # stopped on purpose
            watch.due = None
            self._statuses.pop(watch.pid, None)
        elif watch.due is None:
            watch.died(record["pid"], self._status(process, record["pid"]))
        elif time.monotonic() >= watch.due:
            self._restart(name, watch)

    def _status(self, process, pid):
        """Either this object or the process's own has seen it end."""
        return self._statuses.pop(pid, process.exit_status(pid))

    def _process(self, name):
        return self._stack.part(name).process

    def _restart(self, name, watch):
        try:
            with self._stack.state.lock():
                process = self._process(name)
                if process.pid() is not None or (process.record() is None and not watch.failing):
                    return  # another ./dev started or stopped it meanwhile
                self._stack = self._current()
                self._stack.begin_part(name)
                pid = self._process(name).record()["pid"]
        except ERRORS as error:
            watch.failed(error)
            self._log(name, watch, None)
            return
        self._log(name, watch, pid)
        watch.begun()

    def _log(self, name, watch, pid):
        self._restarts += pid is not None
        line = {"ts": _now(), "part": name, "msg": "restarted" if pid else "could not be started", **watch.line,
                "waited_s": watch.pause, "new_pid": pid}
        print(json.dumps(line), flush=True)
        self._stack.state.write(SUMMARY, {"restarts": self._restarts, "last": line})


def _now():
    moment = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03}Z"


def summary(state):
    """→ text for ./dev status"""
    found = state.read(SUMMARY)
    if not found.get("restarts"):
        return "no restarts"
    last = found["last"]
    return f"{found['restarts']} restarts, the last: {last['part']} ({last['cause']}) at {last['ts']}"


def begin(stack, start, current):
    """start() in a new process, so that all it starts are that process's children and their exit statuses are known;
    then that process goes on as the supervisor. If one runs already, start() runs here. current: as Supervisor takes
    it. → True if a supervisor was started"""
    if stack.supervisor.pid() is not None:
        start()
        return False
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _be_supervisor(stack, start, current, writer)
    os.close(writer)
    try:
        with os.fdopen(reader, encoding="utf-8") as file:
            said = file.read()
    except BaseException:  # Ctrl-C does not reach the new session
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        raise
    if said != READY:
        os.waitpid(pid, 0)
        raise DevError(said or "the supervisor ended before everything was started")
    return True


def _be_supervisor(stack, start, current, writer):
    """Never returns."""
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with os.fdopen(writer, "w", encoding="utf-8") as answer:
            said = _started(stack, start)
            answer.write(said)
        if said == READY:
            Supervisor(stack, current).run()
    except Exception:  # this process must not go on with what its parent does
        traceback.print_exc()
    finally:
        os._exit(0)


def _started(stack, start):
    """→ READY, or the error"""
    try:
        _claim(stack.state)
        start()
        stack.state.write(SUMMARY, {"restarts": 0})
        stack.supervisor.become(stack.state.path)
    except ERRORS as error:
        return str(error)
    return READY


def _claim(state):
    """Takes a lock that lasts as long as this process."""
    handle = os.open(os.path.join(state.path, "supervisor.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DevError(f"another ./dev is starting a supervisor in {state.path}; wait for it to end") from None
