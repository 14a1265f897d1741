"""The parts of ./dev chaos soak: faults by a seed, clients that give up, figures, memory over restarts, the record."""
import json
import pathlib
import types

import pytest

from chaos.soak import faults, figures, memory, patient, report, run
from chaos.verdict import Verdict
from dev import generated, manifests
from dev.report import DevError
from load.traffic import CUT, Reply


def names(*arguments):
    return [fault.name for fault in faults.deal(*arguments)]


def test_a_seed_deals_the_same_faults_and_each_group_as_often():
    assert names(7, 70, 60) == names(7, 70, 60) != names(8, 70, 60)
    groups = [fault.group for fault in faults.deal(7, 70, 60)]
    assert {groups.count(group) for group in groups} == {10} and len(set(groups)) == len(faults.GROUPS)
    many = names(1, 700, 60)
    assert all(f"kill -9 of {name}" in many for name in manifests.NAMES)


def test_no_fault_is_longer_than_it_may_be():
    assert max(fault.seconds for fault in faults.deal(3, 200, 20 / 3)) == 6.7


# Clients

@pytest.fixture
def clock(monkeypatch):
    made = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(patient.time, "monotonic", lambda: made.now)
    return made


def place(clock, *answers, kind="happy"):
    """Feeds a client its answers, (seconds that it took, status); → (its orders, when each try began)"""
    load, tries, due = patient.PatientTraffic("http://127.0.0.1:1", seed=1), [], clock.now
    load.asked_to_wait = []
    session, reply, left = load._place(kind, "k", {"items": []}), None, list(answers)
    try:
        while True:
            wish = session.send(reply)
            if isinstance(wish, float):
                clock.now, reply = clock.now + wish, None
                continue
            tries.append(round(clock.now - due, 1))
            load.asked_to_wait.append(b"Prefer: wait=3" in wish.data)
            began, (took, status) = clock.now, left.pop(0)
            clock.now += took
            body = b'{"order_id":"o","status":"PENDING"}' if status == 202 else b"{}"
            reply = Reply(status, body, "1" if status == 503 else None, began, clock.now)
    except StopIteration:
        assert not left
        return load, tries


def test_the_first_try_counts_for_both_figures(clock):
    load, tries = place(clock, (0.01, 202))
    assert tries == [0] and figures.availability(load.orders) == (1, 1)


def test_a_later_try_counts_with_retries_alone(clock):
    load, tries = place(clock, (0, CUT), (0, 503), (0, 202))
    assert tries[0] == 0 and 0.1 <= tries[1] <= 0.9 and 2.6 <= tries[2] <= 3.4
    assert figures.availability(load.orders) == (1, 0) and figures.by_tries(load.orders) == {3: 1}


def test_the_fourth_try_is_the_last_and_comes_near_the_end(clock):
    load, tries = place(clock, (0, CUT), (0, CUT), (2, 503), (0.1, 503))
    assert len(tries) == 4 and 8.6 <= tries[3] <= 9.4
    assert figures.availability(load.orders) == (0, 0) and not load.surprises


def test_an_answer_behind_ten_seconds_is_none_for_the_client_but_a_promise(clock):
    load, _ = place(clock, (4, CUT), (4, CUT), (2.5, 202))
    assert figures.availability(load.orders) == (0, 0) and list(load.accepted) == ["o"]


def test_a_try_that_lasts_leaves_no_time_for_others(clock):
    assert len(place(clock, (4, CUT), (4, CUT), (4, CUT))[1]) == 3


def test_a_client_asks_to_wait_only_as_long_as_it_has_the_time(clock):
    load, tries = place(clock, (0, CUT), (0, CUT), (4, CUT), (0.5, 202), kind="wait")
    assert load.asked_to_wait == [True, True, True, False] and figures.availability(load.orders) == (1, 0)


def test_another_body_is_not_tried_under_a_key_without_an_order(clock):
    load, _ = place(clock, (4, CUT), (4, CUT), (4, CUT), kind="other_body")
    assert list(load._place_other("k", {"items": []})) == []
    load, _ = place(clock, (0, 202), kind="other_body")
    assert next(load._place_other("k", {"items": []})).kind == "order"


def test_the_second_placing_of_a_key_does_not_count(clock):
    load, _ = place(clock, (4, CUT), (4, CUT), (4, CUT), kind="twice")
    session = load._place("twice", "k", {"items": []})
    next(session)
    with pytest.raises(StopIteration):
        session.send(Reply(202, b'{"order_id":"o","status":"PENDING"}', None, clock.now, clock.now))
    assert figures.by_tries(load.orders) == {0: 1}


def test_an_answer_that_no_client_may_get_is_told(clock):
    load, tries = place(clock, (0, 500))
    assert len(tries) == 1 and len(load.surprises) == 1 and figures.availability(load.orders) == (0, 0)


# Figures

def test_recovery_is_the_first_second_with_the_usual_rate():
    times = [n / 100 for n in range(500)] + [8 + n / 100 for n in range(1000)]
    usual = figures.Rate(n / 100 for n in range(2000))
    assert figures.recovery(figures.Rate(times), usual, 5, 18, 100) == pytest.approx(2.9, abs=0.11)
    assert figures.recovery(usual, figures.Rate(times), 5, 18, 100) == pytest.approx(2.9, abs=0.11)
    assert figures.recovery(usual, figures.Rate(times), 5, 8, 100) is None


def test_orders_of_a_slot_count_by_the_second():
    assert figures.per_slot([10.5, 11, 19.9, 20, 31], 10, 10, 30) == [(0, 0.3), (10, 0.1)]


def life(pid, begin, count, slope, base=3000):
    """A sample every 5 s; slope: KiB each."""
    return memory.Life(pid, [(begin + 5 * n, base + slope * n) for n in range(count)])


@pytest.mark.parametrize("slope, ok", [(0, True), (1.3, True), (1.5, False), (-3, True)])
def test_memory_is_judged_by_the_slope_of_all_lives(slope, ok):
    lives = [life(1, 0, 360, slope), life(2, 1800, 360, slope, base=2000)]
    assert figures.memory_check("order-svc", lives, 60, 1.0).ok is ok  # 1.4 KiB in 5 s are 1 MiB/h


def test_a_restart_is_neither_growth_nor_its_contrary():
    lives = [life(1, 0, 360, 0, base=2000), life(2, 1800, 360, 0, base=9000), life(3, 3600, 3, 100)]
    assert figures.memory_check("edge", lives, 60, 1.0).figure == (
        "at most 8.8 MiB in 3 processes; +0.00 MiB/h in 2 of them, over 1735 s")


def test_the_first_seconds_of_a_life_do_not_count():
    young = memory.Life(1, [(5 * n, min(3000, 1000 + 500 * n)) for n in range(360)])
    assert memory.Growth([young], 60, 600).per_hour == pytest.approx(0, abs=0.001)
    assert memory.Growth([young], 0, 600).per_hour > 0.01


def test_a_short_life_and_the_ledger_s_keeper_are_not_judged():
    assert figures.memory_check("edge", [life(1, 0, 120, 100)], 60, 1.0).ok is None
    assert figures.memory_check("psp-sandbox", [life(1, 0, 360, 100)], 60, 1.0).ok is None


# Plan and record

def plan(**changes):
    given = {"minutes": None, "rate": None, "every": None, "seed": 1, "short": False} | changes
    return run.Plan(**given)


def test_an_hour_has_nineteen_faults_and_the_short_form_one_of_each_group():
    assert (plan().seconds, plan().rate, len(plan().faults)) == (3600, 100, 19)
    assert (plan(short=True).seconds, len(plan(short=True).faults)) == (180, len(faults.GROUPS))
    with pytest.raises(DevError, match="have no fault"):
        plan(minutes=1)


def found(**changes):
    load = types.SimpleNamespace(began=50.0, orders=patient.Orders(), accepted={})
    for n in range(18000):
        load.orders.add(50 + n / 100, 1, 0.01)
        load.accepted[f"o{n}"] = 50 + n / 100
    rows = [{"group": "kill", "name": "kill -9 of edge", "begin": 100.0, "end": 100.0, "away_before": [],
             "recovery_s": 0.5, "due": 100, "first_try_failed": 3, "given_up": 0}]
    verdict, lives = Verdict(), {"edge": [life(1, 0, 36, 0)]}
    values = {"rows": rows, "verdict": verdict, "load": load} | changes
    return report.Found(plan(minutes=3, rate=100, every=50), "./dev chaos soak", values["load"], values["rows"], lives,
                        [50 + n / 100 for n in range(18000)], values["verdict"], ['{"part": "edge"}'])


def test_the_record_has_the_figures_the_faults_and_the_restarts(tmp_path):
    one = found()
    assert one.good()
    text, picture, document = (pathlib.Path(path).read_text(encoding="utf-8") for path in report.write(tmp_path, one))
    document = json.loads(document)
    assert document["availability"] == {"with_retries": 1, "without_retries": 1}
    assert document["orders_by_tries"] == {"1": 18000} and document["restarts"] == [{"part": "edge"}]
    assert "| 50 s | kill -9 of edge | 0.5 s | 100 | 3 | 0 |" in text and picture.count("<line") == 4
    line = generated.summary("chaos-testing/results/chaos-soak.md", text)
    assert line.startswith("3 minutes at 100 orders/s, 100.0000% available, 100.0000% without retries, 0 lost, 20")


@pytest.mark.parametrize("spoil", [
    lambda one: one["verdict"].lost.append("o1 was accepted and is not there"),
    lambda one: one["verdict"].doubled.append("o1 was captured 2 times"),
    lambda one: one["verdict"].violations.append("invariant 5"),
    lambda one: one["rows"][0].update(recovery_s=None),
    lambda one: [one["load"].orders.add(60, 0, 10) for _ in range(19)],
    lambda one: [one["load"].orders.add(60, 1, 0.1) for _ in range(190)],
])
def test_each_fault_of_the_system_is_red(spoil):
    one = found()
    parts = {"verdict": one.verdict, "rows": one.rows, "load": one.load}
    spoil(parts)
    assert not found(**parts).good()
