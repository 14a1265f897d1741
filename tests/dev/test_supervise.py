"""The supervisor: a part that dies is started again, one that was stopped is not, and ./dev down ends it first."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from dev import cli, paths, proc, session, supervise
from dev.proc import Process
from dev.report import DevError
from testkit.client import wait_until


def lines(stack):
    with open(stack.supervisor.log, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_the_pause_doubles_up_to_a_bound_and_begins_again_behind_a_part_that_stood():
    backoff = supervise.Backoff()
    assert [round(backoff.pause(1), 1) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]
    assert [backoff.pause(supervise.STOOD_SECONDS), backoff.pause(0)] == [0.2, 0.4]


@pytest.mark.parametrize("status, text", [(0, "exit status 0"), (99, "exit status 99"), (-9, "SIGKILL"),
                                          (-250, "signal 250"), (None, "unknown: another ./dev had started it")])
def test_the_cause_of_an_end(status, text):
    assert supervise.cause(status) == text


class OnePart:
    """A stack of one part, which is `script` under sh."""

    def __init__(self, state, script):
        self.state, self.script = state, script
        self.supervisor = Process(state, "supervisor")
        self.process = Process(state, "one")
        self.error = None

    @staticmethod
    def own_servers():
        return ["one"]

    def part(self, _name):
        return self

    def begin_part(self, _name):
        if self.error:
            self.process.forget()  # as a broker that is stopped before it is started
            raise self.error
        self.process.start(["sh", "-c", self.script], {"PATH": "/usr/bin:/bin"}, self.state.path)


@pytest.fixture
def one(state, monkeypatch):
    monkeypatch.setattr(supervise.manifests, "NAMES", ())
    made = OnePart(state, "exit 3")
    yield made
    made.process.stop()


def look_for(supervisor, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        supervisor.look()
        time.sleep(0.01)


def test_a_part_that_dies_again_and_again_is_started_ever_later(one, capsys):
    one.begin_part("one")
    look_for(supervise.Supervisor(one, lambda: one), 1.9)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["waited_s"] for line in found] == [0.2, 0.4, 0.8]
    assert {(line["part"], line["msg"], line["cause"]) for line in found} == {("one", "restarted", "exit status 3")}
    assert one.state.read(supervise.SUMMARY)["restarts"] == 3
    assert "3 restarts, the last: one (exit status 3) at 20" in supervise.summary(one.state)


def test_a_part_that_was_stopped_on_purpose_stays_so_and_leaves_no_zombie(one, capsys):
    one.script = "sleep 60"
    one.begin_part("one")
    pid, supervisor = one.process.pid(), supervise.Supervisor(one, lambda: one)
    look_for(supervisor, 0.05)
    stop = ("import sys; from dev.proc import Process; from dev.state import State\n"
            "Process(State(sys.argv[1]), 'one').stop((15, 5))")
    subprocess.run([sys.executable, "-c", stop, one.state.path], check=True,
                   env=os.environ | {"PYTHONPATH": paths.TOOLS})
    look_for(supervisor, 0.5)
    assert one.process.record() is None and capsys.readouterr().out == "" and not os.path.exists(f"/proc/{pid}")


def test_a_part_that_cannot_be_started_is_tried_again(one, capsys):
    one.begin_part("one")
    one.script, one.error = "sleep 60", DevError("port 1 is taken")
    supervisor = supervise.Supervisor(one, lambda: one)
    look_for(supervisor, 0.4)
    one.error = None
    look_for(supervisor, 0.6)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["msg"] for line in found] == ["could not be started", "restarted"]
    assert found[0]["error"] == "port 1 is taken" and one.process.pid() == found[1]["new_pid"]


def test_while_another_dev_changes_the_stack_nothing_is_started(one, capsys):
    one.begin_part("one")
    supervisor = supervise.Supervisor(one, lambda: one)
    with one.state.lock():
        look_for(supervisor, 0.5)
        assert one.process.pid() is None
        one.script = "sleep 60"
        one.begin_part("one")
    capsys.readouterr()
    look_for(supervisor, 0.7)
    assert one.process.pid() and capsys.readouterr().out == ""


# On a stack of the user's own

def again(stack, name, old):
    wait_until(lambda: stack.pid(name) not in (None, old), 20, f"another {name}")
    if name in stack.services:
        stack.services[name].wait_ready()
    return stack.pid(name)


def test_a_supervised_day(own, dev, capfd):
    assert cli.main(["up", "--supervise"]) == 0
    stack = session.known()
    pid = stack.supervisor.pid()
    assert f"restarts what dies, pid {pid}" in capfd.readouterr().out and os.getsid(pid) == pid
    assert cli.main(["up", "--supervise"]) == 0
    assert cli.main(["up"]) == 0
    assert session.known().supervisor.pid() == pid, "one supervisor, and it stays"

    before = {name: stack.pid(name) for name in ("payment-svc", "edge", "postgres", "rabbitmq")}
    os.kill(before["payment-svc"], signal.SIGKILL)
    os.kill(before["edge"], signal.SIGTERM)
    os.kill(before["postgres"], signal.SIGQUIT)
    assert cli.main(["kill", "rabbitmq"]) == 0
    after = {name: again(stack, name, old) for name, old in before.items()}
    stack.servers.rabbitmq.process.wait_until(stack.servers.rabbitmq._listens, 60, "ready")
    assert {line["part"]: (line["cause"], line["new_pid"]) for line in lines(stack)} == {
        "payment-svc": ("SIGKILL", after["payment-svc"]), "edge": ("exit status 0", after["edge"]),
        "postgres": ("exit status 0", after["postgres"]), "rabbitmq": ("SIGKILL", after["rabbitmq"])}

    assert cli.main(["restart", "order-svc"]) == 0
    assert cli.main(["status"]) == 0
    assert f"supervisor     running   pid {pid}" in (said := capfd.readouterr().out) and "4 restarts, the last" in said

    assert dev("logs", "supervisor", "--no-follow").stdout.count('"msg": "restarted"') == 4

    os.kill(pid, signal.SIGKILL)
    assert cli.main(["status"]) == 1
    assert "supervisor     died" in capfd.readouterr().out
    assert cli.main(["up", "--supervise"]) == 0
    assert session.known().supervisor.pid() not in (None, pid)
    assert cli.main(["down"]) == 0
    assert stack.supervisor.pid() is None and proc.leftovers(stack.state.path) == []
    assert cli.main(["down"]) == 0


def test_an_error_of_a_supervised_start_is_told_and_leaves_no_supervisor(own, monkeypatch, capfd):
    def fail(_stack):
        raise DevError("no more disk")
    monkeypatch.setattr(cli.verbs, "_start", fail)
    assert cli.main(["up", "--supervise"]) == 1
    assert capfd.readouterr().err == "dev: no more disk\n" and session.known().supervisor.pid() is None
