"""Processes that outlive ./dev: started detached, remembered by pid and start time, ended for certain."""
import contextlib
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time

from dev import account
from dev.report import DevError, tail

POLL_SECONDS = 0.05
LOG_MAX = 64 << 20


def start_time(pid):
    """The process's start in clock ticks since boot, or None if it has ended (a zombie has)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        # While other threads of it are ending, a process whose first thread is a zombie still holds its ports.
        ended = fields[0] in ("Z", "X") and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return None
    return None if ended else int(fields[19])


def _digest(settings):
    """Settings hold passwords, so only their hash is kept."""
    return hashlib.sha256(settings.encode()).hexdigest()


def allow_many_files():
    """The usual limit of 1024 is little for a broker; what we start inherits ours."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if most == resource.RLIM_INFINITY else min(most, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


class Process:
    """One named process of a state folder. The pid file alone says what was started; nothing is searched by name."""

    def __init__(self, state, name):
        self.name = name
        self.pid_file = os.path.join(state.folder("run"), name + ".json")
        self.log = os.path.join(state.folder("logs"), name + ".log")
        self.marker = {"ORDERBUS_STACK": state.path}
        self._ended = {}  # pid: exit status, of those that this object has seen end
        self._told = None  # the last (pid, signal) that was sent

    def record(self):
        try:
            with open(self.pid_file, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def pid(self):
        """The pid of the running process, or None; a pid that was given to another process since does not count."""
        record = self.record()
        if not record:
            return None
        self._reap(record["pid"])
        # It may have ended before its start time could be read.
        alive = record["started"] is not None and start_time(record["pid"]) == record["started"]
        return record["pid"] if alive else None

    def _reap(self, pid):
        try:
            done, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # another ./dev started it
            return
        if done:
            self._ended[pid] = os.waitstatus_to_exitcode(status)

    def exit_status(self, pid):
        """None: it runs, or this process did not start it."""
        self._reap(pid)  # pid() may have found it a zombie that had ended a moment after it was looked for
        return self._ended.get(pid)

    def exit_statuses(self):
        """Exit statuses of ended processes that this object started; a negative one is a signal."""
        return list(self._ended.values())

    def died(self):
        """True if it was started, and neither runs nor was stopped by us."""
        return self.record() is not None and self.pid() is None

    def matches(self, settings):
        """True if it was started with these very settings."""
        return (self.record() or {}).get("settings") == _digest(settings)

    def start(self, argv, env, cwd, settings=""):
        allow_many_files()
        self._rotate_log()
        with open(self.log, "ab") as log:
            child = subprocess.Popen(argv, env=env | self.marker, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=subprocess.STDOUT, start_new_session=True)
        record = {"pid": child.pid, "started": start_time(child.pid), "settings": _digest(settings)}
        account.write_file(self.pid_file, json.dumps(record) + "\n")
        child.returncode = 0  # this object must not wait for a process that is meant to outlive it
        return child.pid

    def become(self, folder):
        """Makes the calling process the named one: it works in `folder`, and its output goes to the log."""
        self._rotate_log()
        os.chdir(folder)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for target, source in ((0, nowhere), (1, log), (2, log)):
            os.dup2(source, target)
        sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", closefd=False)
        record = {"pid": os.getpid(), "started": start_time(os.getpid()), "settings": ""}
        account.write_file(self.pid_file, json.dumps(record) + "\n")

    def _rotate_log(self):
        """Logs are appended to for as long as the state lives; two files bound them well enough here."""
        if os.path.exists(self.log) and os.path.getsize(self.log) > LOG_MAX:
            os.replace(self.log, self.log + ".1")

    def signal(self, number):
        pid = self.pid()
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        self._told = pid, number
        return True

    def wait_end(self, seconds):
        """Until the process that runs now has ended: a supervisor may start another one at once."""
        deadline = time.monotonic() + seconds
        record = self.record()
        while self.pid() is not None and self.record() == record:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def stop(self, *attempts):
        """Sends one signal after the other, each with its time to work; the last resort is SIGKILL. → the last sent.
        One that was sent just before is not repeated: a second SIGTERM ends our programs at once, in mid-drain."""
        sent = None
        for number, seconds in (*attempts, (signal.SIGKILL, 10)):
            pid = self.pid()
            if pid is None or (self._told != (pid, number) and not self.signal(number)):
                break
            sent = number
            if self.wait_end(seconds):
                break
        if self.pid() is not None:
            raise DevError(f"{self.name} (pid {self.pid()}) does not end")
        self.forget()
        return sent

    def forget(self):
        if os.path.exists(self.pid_file):
            os.unlink(self.pid_file)

    def wait_until(self, ready, seconds, what):
        """Waits until ready() holds; a process that ends first, or is too slow, is an error that shows its log."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.pid() is None:
                raise DevError(f"{self.name} ended before it was {what}; the end of {self.log}:\n{tail(self.log)}")
            if time.monotonic() > deadline:
                raise DevError(f"{self.name} was not {what} within {seconds} s; the end of {self.log}:\n"
                               f"{tail(self.log)}")
            time.sleep(POLL_SECONDS)


def end(pid):
    """SIGKILL to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def leftovers(state_path):
    """Pids that belong to this state and still run: known by a variable and the folder that they were started in."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid() and _belongs(entry, state_path):
            found.append(int(entry))
    return found


def _belongs(pid, state_path):
    try:
        if start_time(pid) is None:
            return False
        if not (os.readlink(f"/proc/{pid}/cwd") + "/").startswith(state_path + "/"):
            return False
        # Postgres overwrites its environment with its title, so it is known by the folder that it works in.
        if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "postgres":
            return True
        return f"ORDERBUS_STACK={state_path}".encode() in _environment(pid).split(b"\0")
    except OSError:
        return False


def _environment(pid):
    """Linux shows none between execve's first steps and its last: what shows none is asked again for a moment."""
    for _ in range(20):
        found = _read_environment(pid)
        if found:
            break
        time.sleep(0.005)
    return found


def _read_environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()
