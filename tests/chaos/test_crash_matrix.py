"""The crash matrix's plan and report, without a stack: which rows there are, and what makes one red."""
import contextlib
import types

import pytest

from chaos import webhooks
from chaos.crash_matrix import plan, report, rows, run
from dev import cli
from dev.report import DevError
from chaos.verdict import Verdict

ALL = ["crash", "delay", "error", "disconnect"]


def points():
    """Listings of programs that have every point of the plan, and one point that the plan does not name."""
    named = {*plan.SETUP, *plan.DELAYS, *plan.UNREACHABLE, *plan.QUERIES_ELSEWHERE, "worker.new-step",
             *(point for _, point, _, _, _ in plan.MORE),
             *(name.split("/")[1] for name in plan.SHORT)}
    return {service: {point: ALL for point in sorted(named)} for service in plan.SERVICES}


def names(found):
    return [row.name for row in found]


def test_listed_as_a_program_prints_it():
    text = "worker.after-ack crash delay:MS disconnect\npayment.answered crash delay:MS\n"
    assert plan.listed(text) == {"worker.after-ack": ["crash", "delay", "disconnect"],
                                 "payment.answered": ["crash", "delay"]}


def test_a_new_point_is_a_row_for_each_of_its_faults():
    found = names(plan.rows(points()))
    assert {f"edge/worker.new-step/{fault}" for fault in ("crash", "error", "disconnect")} <= set(found)
    assert "edge/worker.new-step/delay" not in found  # a delay is looked at only where it outlasts something


def test_a_fault_that_a_point_does_not_take_is_no_row():
    given = points()
    given["edge"]["worker.new-step"] = ["crash", "delay"]
    assert [name for name in names(plan.rows(given)) if name.startswith("edge/worker.new-step")] == [
        "edge/worker.new-step/crash"]


def test_what_cannot_be_reached_is_left_out():
    assert not [name for name in names(plan.rows(points())) if name.startswith("inventory-svc/worker.deadline-decided")]


def test_queries_die_everywhere_and_have_all_faults_in_one_service():
    found = [name for name in names(plan.rows(points())) if "/query.drained/" in name]
    assert sorted(found) == sorted([*(f"{service}/query.drained/crash" for service in plan.SERVICES),
                                    f"{plan.QUERIES_IN_FULL}/query.drained/disconnect",
                                    f"{plan.QUERIES_IN_FULL}/query.drained/error"])


@pytest.mark.parametrize("lost", ["worker.swept", "worker.commit-sent", "http.half-answer", "worker.before-trip-2"])
def test_a_point_that_the_plan_names_must_be_there(lost):
    given = points()
    for of in given.values():
        of.pop(lost, None)
    with pytest.raises(DevError, match=lost):
        plan.rows(given)


def test_the_short_form_names_rows():
    found = plan.choose(plan.rows(points()), short=True)
    assert sorted(names(found)) == sorted(plan.SHORT)
    given = points()
    given["edge"]["edge.before-response"] = ["error"]
    with pytest.raises(DevError, match="edge/edge.before-response/crash"):
        plan.rows(given)


@pytest.mark.parametrize("only, count", [
    ("edge/worker.new-step/crash", 1), ("edge/worker.new-step", 3), ("*/worker.new-step/crash", len(plan.SERVICES))])
def test_some_rows_alone(only, count):
    assert len(plan.choose(plan.rows(points()), [only])) == count


def test_every_row_that_is_named_runs():
    options = cli.parser().parse_args(["chaos", "crash-matrix", "--only", "edge/worker.new-step/crash", "--only",
                                       "payment-svc/worker.new-step/crash"])
    assert sorted(names(plan.choose(plan.rows(points()), options.only))) == options.only


@pytest.mark.parametrize("only", ["edge/nothing", "nobody", "edge/worker.new-step/crash/more"])
def test_no_such_row(only):
    with pytest.raises(DevError, match="no row is"):
        plan.choose(plan.rows(points()), [only])


def test_switches_name_what_leads_there_first():
    row = plan.Row("order-svc", "worker.swept", "crash", "1", {"before": "worker.after-commit=disconnect@15"})
    assert row.switches() == "worker.after-commit=disconnect@15,worker.swept=crash@1"
    assert plan.Row("edge", "edge.parsed", "delay:20", "3").switches() == "edge.parsed=delay:20@3"


def result(**changes):
    made = rows.Result(plan.Row("edge", "edge.parsed", "crash", "25"))
    made.verdict, made.hits, made.recovery, made.rest = Verdict(), 1, 0.5, 1.0
    for name, value in changes.items():
        setattr(made.verdict if hasattr(made.verdict, name) else made, name, value)
    return made


def test_a_row_is_red_for_what_was_seen_and_for_what_it_was():
    assert result().good()
    for red in (result(problems=["the point was not reached"]), result(lost=["one"]), result(doubled=["one"]),
                result(violations=["invariant 3"]), result(invalid=["too plain"])):
        assert not red.good() and "FAILED" in report.line(red)
    unjudged = result()
    unjudged.verdict = None
    assert not unjudged.good() and "FAILED" in report.line(unjudged)


class System:
    """As much of a stack as is looked at when a row is over."""

    def __init__(self, faults, pids):
        self._faults, self.services = faults, pids
        self.restarted = []

    def faults(self):
        return self._faults

    def pid(self, name):
        return self.services[name]

    @staticmethod
    def log(_name):
        return "/nowhere"

    def restart_with(self, name, _variables):
        self.restarted.append(name)


class Load:
    def __init__(self, tried, kinds):
        self._tried = tried
        self.attempts = [type("Attempt", (), {"kind": kind}) for kind in kinds]

    def count(self, *_):
        return self._tried


def look(tried=30, kinds=tuple(rows.ALL_KINDS), pid=7, recovery=0.5):
    system = System([("edge.parsed", "crash", "1"), ("edge.parsed", "error", "1")], {"order-svc": pid})
    made = result()
    made.recovery, made.verdict = recovery, None
    rows._look(system, made.row, Load(tried, kinds), 1000.0, {"order-svc": 7}, made)
    return made, system


def test_a_row_needs_orders_of_all_kinds_around_its_fault():
    assert look()[0].problems == [] and look()[0].hits == 1
    assert "19 orders were tried" in look(tried=19)[0].problems[0]
    assert look(kinds=[kind for kind in rows.ALL_KINDS if kind != "cancel"])[0].problems == [
        "no order was of kind cancel"]
    assert "no order became final" in look(recovery=None)[0].problems[0]


def test_a_row_is_red_when_another_service_died_of_it():
    made, system = look(pid=8)
    assert "order-svc ended by itself" in made.problems[0] and system.restarted == ["order-svc"]


class Idle:
    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Judge:
    @staticmethod
    def judge(*_, **__):
        return Verdict()


class Stack(System):
    """One whose programs record these faults, and do nothing else."""

    def __init__(self, faults):
        super().__init__(faults, {"edge": 1, "order-svc": 7})

    def forget_faults(self):
        pass

    def switch_on(self, *_):
        pass

    @staticmethod
    def url(_name):
        return "http://nowhere"


@pytest.mark.parametrize("faults", [[], [("edge.draining", "disconnect", "1")], [("edge.parsed", "delay", "1")]])
def test_a_point_that_is_never_reached_fails_the_matrix(monkeypatch, capsys, faults):
    for name in ("Traffic", "Readers"):
        monkeypatch.setattr(rows, name, Idle)
    monkeypatch.setattr(rows, "HIT_SECONDS", 0.05)
    monkeypatch.setattr(run.plan, "rows", lambda _: [plan.Row("edge", "edge.parsed", "disconnect", "25")])
    monkeypatch.setattr(run.build, "build_programs", lambda _: None)
    monkeypatch.setattr(run.stack, "print_points", lambda *_: "")
    monkeypatch.setattr(run.stack, "matrix_stack", lambda *_: contextlib.nullcontext(Stack(faults)))
    monkeypatch.setattr(run.webhooks, "SENDERS", [])
    monkeypatch.setattr(run, "Judge", lambda _: Judge)
    monkeypatch.setattr(run, "_at_the_end", lambda _: [])
    assert run.run("asan", record=False) == 1
    assert "the point was not reached within 0.05 s" in capsys.readouterr().out


def test_markdown_has_a_line_a_row_and_the_reasons():
    text = "\n".join(report.markdown([result(), result(lost=["x"])], "./dev chaos crash-matrix", "2030-01-01",
                                     {"a.b": {"edge": "no reason"}}))
    assert "| edge | edge.parsed | crash | 1 | 0 | 0 | 0 | 0.5 s | ok |" in text
    assert "| edge | edge.parsed | crash | 1 | 0 | 1 | 0 | 0.5 s | FAILED |" in text
    assert "2 rows, 1 red" in text and "- a.b in edge: no reason" in text


def test_final_orders_that_were_not_told_are_named(monkeypatch):
    monkeypatch.setattr(webhooks, "TOLD_SECONDS", 0)
    receiver = webhooks.Receiver()
    receiver.close()
    system = types.SimpleNamespace(sql=lambda *_: [["a", "order.confirmed"], ["b", "order.rejected"]])
    assert receiver.take("a", "order.confirmed", "1")
    (missing,) = webhooks.problems(system, receiver)
    assert "1 final orders" in missing and "'b'" in missing
    receiver.take("b", "order.rejected", "2")
    assert webhooks.problems(system, receiver) == []
    receiver.take("b", "order.rejected", "3")
    (doubled,) = webhooks.problems(system, receiver)
    assert "several ids" in doubled
