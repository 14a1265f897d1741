"""Detached processes: remembered by pid and start time, never mistaken, always ended."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from dev import paths, proc
from dev.proc import Process
from dev.report import DevError
from dev.servers import end_leftovers

ENV = {"PATH": "/usr/bin:/bin"}
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def process(state):
    made = Process(state, "sleeper")
    yield made
    made.stop()


def start_python(process, state, code, settings=""):
    return process.start(["/usr/bin/python3", "-c", code], ENV, state.path, settings)


def said(process, word):
    with open(process.log, encoding="utf-8") as file:
        return word in file.read()


def test_starts_detached_and_stops(process, state):
    pid = process.start(["sleep", "60"], ENV, state.path)
    assert process.pid() == pid == Process(state, "sleeper").pid()
    assert os.getsid(pid) == pid, "it must not die with the terminal"
    assert process.stop((signal.SIGTERM, 5)) == signal.SIGTERM
    assert process.pid() is None and not process.died() and proc.start_time(pid) is None


def test_a_signal_that_was_sent_is_not_repeated_by_stop(process, state):
    """Our programs drain on the first SIGTERM and end at once on a second."""
    start_python(process, state, "import os, signal, time\n"
                 "def drain(*_):\n    signal.signal(signal.SIGTERM, lambda *_: os._exit(130))\n"
                 "    time.sleep(1)\n    os._exit(7)\n"
                 "signal.signal(signal.SIGTERM, drain)\nprint('up', flush=True)\ntime.sleep(60)")
    process.wait_until(lambda: said(process, "up"), 10, "up")
    process.signal(signal.SIGTERM)
    time.sleep(0.2)
    assert process.stop((signal.SIGTERM, 5)) == signal.SIGTERM
    assert process.exit_statuses() == [7]


def test_one_that_ends_just_behind_the_look_still_gives_its_exit_status(process, state, monkeypatch):
    pid = process.start(["sh", "-c", "exit 3"], ENV, state.path)
    while proc.start_time(pid) is not None:
        time.sleep(0.01)
    with monkeypatch.context() as patch:
        patch.setattr(os, "waitpid", lambda *_: (0, 0))  # as if it ran until pid() has asked
        assert process.pid() is None
    assert process.exit_status(pid) == 3


def test_outlives_the_one_who_started_it(state):
    code = ("import sys; from dev.proc import Process; from dev.state import State\n"
            "s = State(sys.argv[1]); print(Process(s, 'child').start(['sleep', '60'], {'PATH': '/usr/bin'}, s.path))")
    done = subprocess.run([sys.executable, "-c", code, state.path], capture_output=True, text=True, check=True,
                          env=os.environ | {"PYTHONPATH": paths.TOOLS})
    child = Process(state, "child")
    assert child.pid() == int(done.stdout)
    child.stop()


def test_a_pid_that_went_to_another_process_does_not_count(process, state):
    with subprocess.Popen(["sleep", "60"]) as stranger:
        record = {"pid": stranger.pid, "started": proc.start_time(stranger.pid) - 1, "settings": ""}
        with open(process.pid_file, "w", encoding="utf-8") as file:
            json.dump(record, file)
        assert process.pid() is None and process.died()
        process.stop((signal.SIGTERM, 1))
        assert stranger.poll() is None, "a stranger was ended"
        stranger.kill()


def test_a_broken_pid_file_is_no_process(process):
    with open(process.pid_file, "w", encoding="utf-8") as file:
        file.write("{")
    assert process.pid() is None and not process.died()


def test_killed_from_outside_it_is_known_to_have_died(process, state):
    pid = process.start(["sleep", "60"], ENV, state.path)
    os.kill(pid, signal.SIGKILL)
    assert process.wait_end(5) and process.died()


def test_what_ignores_sigterm_is_killed(process, state):
    start_python(process, state, STUBBORN)
    process.wait_until(lambda: said(process, "up"), 10, "up")
    begin = time.monotonic()
    assert process.stop((signal.SIGTERM, 0.5)) == signal.SIGKILL
    assert 0.4 < time.monotonic() - begin < 5


def test_one_whose_first_thread_alone_has_ended_still_runs(process, state):
    exit_thread = 93 if os.uname().machine == "aarch64" else 60  # the system call that ends one thread alone
    code = ("import ctypes, threading, time; threading.Thread(target=time.sleep, args=(1.5,)).start()\n"
            f"print('up', flush=True); ctypes.CDLL(None).syscall({exit_thread}, 0)")
    pid = start_python(process, state, code)
    process.wait_until(lambda: said(process, "up") and "zombie" in status(pid), 10, "half ended")
    assert process.pid() == pid
    assert process.wait_end(5)


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return file.read()


def test_settings_are_compared_and_not_kept(process, state):
    process.start(["sleep", "60"], ENV, state.path, "PASSWORD=geheim")
    assert process.matches("PASSWORD=geheim") and not process.matches("PASSWORD=other")
    with open(process.pid_file, encoding="utf-8") as file:
        assert "geheim" not in file.read()


def test_waiting_for_one_that_ends_shows_its_last_words(process, state):
    start_python(process, state, "raise SystemExit('no such table')")
    with pytest.raises(DevError, match="ended before it was ready(.|\n)*no such table"):
        process.wait_until(lambda: False, 20, "ready")


def test_a_long_log_is_put_aside_at_the_next_start(process, state, monkeypatch):
    monkeypatch.setattr(proc, "LOG_MAX", 10)
    for text in ("short", "much longer", "third"):
        process.start(["echo", text], ENV, state.path)
        process.wait_end(5)
    with open(process.log + ".1", encoding="utf-8") as old, open(process.log, encoding="utf-8") as new:
        assert (old.read(), new.read()) == ("short\nmuch longer\n", "third\n")


def test_waiting_has_an_end(process, state):
    process.start(["sleep", "60"], ENV, state.path)
    with pytest.raises(DevError, match="not ready within 0.3 s"):
        process.wait_until(lambda: False, 0.3, "ready")


def test_a_start_time_survives_odd_names(folder):
    odd = os.path.join(folder, "a) R 1 (b")
    os.symlink("/usr/bin/sleep", odd)
    with subprocess.Popen([odd, "60"]) as child:
        assert abs(proc.start_time(child.pid) - proc.start_time(os.getpid())) < 10_000_000
        child.kill()


def test_an_orphan_of_the_state_is_found_and_ended(process, state):
    pid = process.start(["sleep", "60"], ENV, state.path)
    process.forget()
    # One in the same folder that we did not start: somebody's shell, say.
    with subprocess.Popen(["sleep", "60"], cwd=state.path) as stranger:
        assert proc.leftovers(state.path) == [pid]
        end_leftovers(state)
        assert proc.start_time(pid) is None and stranger.poll() is None
        stranger.kill()


def test_an_orphan_that_is_still_being_executed_is_found(process, state, monkeypatch):
    """Until execve is through, its environment reads as empty: seen for 14 of 5,000 that had just been started."""
    pid = process.start(["sleep", "60"], ENV, state.path)
    read, early = proc._read_environment, [b"", b""]
    monkeypatch.setattr(proc, "_read_environment", lambda pid: early.pop() if early else read(pid))
    assert proc.leftovers(state.path) == [pid]
