"""The bench: its arithmetic, and one short run of the closed loop that has every figure."""
import argparse
import json
import os
import subprocess
import sys

import pytest

from dev import build, manifests
from dev.report import DevError
from load.bench import closed, compare, counts, cpu, figures, filled, floor, floor_sum
from load.bench import report, run, system, targets, window, wrk

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


# Figures of several runs

def test_percentiles_are_some_of_the_values():
    found = figures.quantiles([*range(200, 0, -1)], "accept")
    assert found == {"accept p50 ms": 101, "accept p95 ms": 191, "accept p99 ms": 199}


def test_medians_are_of_what_each_run_has():
    found = figures.summary([{"a": 1, "b": None}, {"a": 9, "b": 4}, {"a": 2, "c": 7}])
    assert found == {"a": {"median": 2, "least": 1, "most": 9, "runs": 3},
                     "b": {"median": 4, "least": 4, "most": 4, "runs": 1},
                     "c": {"median": 7, "least": 7, "most": 7, "runs": 1}}


@pytest.mark.parametrize("value, text", [
    (0, "0"), (0.0042, "0.004"), (0.6789, "0.679"), (1.234, "1.23"), (12.34, "12.3"), (2850.4, "2,850"), (None, "–")])
def test_a_figure_has_as_many_digits_as_say_something(value, text):
    assert figures.show(value) == text


def test_a_table_is_markdown_whose_columns_stand_below_each_other():
    lines = list(figures.table(("what", "n"), [("orders", "12,345"), ("p", "1")]))
    assert lines == ["| what   | n      |", "|--------|-------:|", "| orders | 12,345 |", "| p      |      1 |"]


@pytest.mark.parametrize("value, word", [(2500, "ok"), (2499, "missed")])
def test_a_target_is_met_or_missed(value, word):
    assert targets.verdict("closed", "confirmed orders/s", value) == (">= 2500", word)
    assert targets.verdict("closed", "CPU ms/order", .8) == ("<= 0.8", "ok")
    assert targets.verdict("closed", "orders", value) == ("", "")


def test_two_commits_stand_beside_each_other():
    runs = {"old": [{"closed": {"orders/s": 100}}, {"closed": {"orders/s": 300}}, {"closed": {"orders/s": 200}}],
            "new": [{"closed": {"orders/s": 250}}]}
    text = "\n".join(compare.lines(["old", "new"], runs))
    assert [cell.strip() for cell in text.splitlines()[-1].split("|")[1:-1]] == ["orders/s", "200", "250", "+25.0"]


def test_a_compared_run_is_told_by_options_that_every_version_of_the_bench_has(dev):
    options = argparse.Namespace(only=["closed"], runs=5, seconds=3, connections=8, rates=[200, 1000], set=["A=1"],
                                 backlog=10, fill=20, compare=["a", "b"], preset="asan", json=None, record=True)
    words = list(compare.options_of(options))
    assert words == ["--runs", "1", "--preset", "asan", "--seconds", "3", "--connections", "8", "--backlog", "10",
                     "--fill", "20", "--rates", "200", "1000", "--only", "closed", "--set", "A=1"]
    assert "there is no part none" in dev("bench", *words, "--only", "none").stderr
    assert [word for word in compare.options_of(argparse.Namespace(**vars(options) | {"only": None}))
            if word in compare.PARTS] == list(compare.PARTS)


# CPU

def test_a_line_of_proc_is_read_whatever_the_process_is_called():
    line = "42 (a) b (c) S 7 42 42 0 -1 4194304 97 5 0 0 100 20 3 4 20 0 1 0 251 313 37"
    assert cpu.parse(line) == cpu.Times(42, 7, 120, 7)
    with open("/proc/self/stat", encoding="utf-8") as file:
        assert cpu.parse(file.read())[:2] == (os.getpid(), os.getppid())


def test_a_group_is_its_roots_and_all_below_them():
    table = {one.pid: one for one in (cpu.Times(1, 0, 900, 900), cpu.Times(10, 1, 5, 1), cpu.Times(11, 10, 7, 0),
                                      cpu.Times(12, 11, 11, 2), cpu.Times(20, 1, 1000, 0))}
    assert cpu.tree_ms(table, [10]) == 26 * cpu.TICK_MS
    assert cpu.tree_ms(table, [10, 99]) == 26 * cpu.TICK_MS  # 99 has ended


def test_what_a_child_used_stays_when_it_has_ended():
    """CPU time of this process and of a child that works for a moment."""
    before = cpu.tree_ms(cpu.processes(), [os.getpid()])
    pid = os.fork()
    if pid == 0:
        while sum(os.times()[:2]) < 0.2:
            pass
        os._exit(0)
    os.waitpid(pid, 0)
    assert cpu.tree_ms(cpu.processes(), [os.getpid()]) - before >= 190


def test_what_a_process_used_that_ends_while_it_is_looked_for_is_not_lost(monkeypatch):
    """It ends after its parent was read: as a database session does when its client has gone."""
    code = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline()
    before, listed = cpu.tree_ms(cpu.processes(), [os.getpid()]), os.listdir
    left = [child]

    def entries(folder):
        return sorted(listed(folder), key=lambda name: name == str(child.pid))  # the child is read last

    parse = cpu.parse

    def parse_and_end(text):
        one = parse(text)
        if left and one.pid == os.getpid():
            left.pop().communicate(b"\n")
        return one

    monkeypatch.setattr(cpu.os, "listdir", entries)
    monkeypatch.setattr(cpu, "parse", parse_and_end)
    assert cpu.tree_ms(cpu.processes(), [os.getpid()]) >= before


def test_processor_time_is_used_idle_or_stolen():
    before, after = [100] * 8, [130, 110, 120, 115, 105, 101, 109, 110]  # 100 more
    assert cpu.shares(before, after) == (20, 10) and cpu.shares(before, before) == (0, 0)
    idle, stolen = cpu.Processors().end()
    assert 0 <= idle + stolen <= 100


# Counts

METRICS = """# HELP bus_messages_total Messages.
# TYPE bus_messages_total counter
bus_messages_total{type="order.place.v1",outcome="done"} 100
bus_messages_total{type="order.place.v1",outcome="duplicate"} 2
bus_messages_total{type="stock.reserved.v1",outcome="done"} 99
bus_batches_total{worker="command",outcome="committed"} 7
bus_batches_total{worker="query",outcome="committed"} 70
plain 1.5e3
"""


def test_metrics_are_summed_by_their_labels():
    series = counts.parse(METRICS)
    assert counts.by(series, "bus_messages_total", "type") == {"order.place.v1": 102, "stock.reserved.v1": 99}
    assert counts.total(series, "bus_batches_total", worker="command") == 7
    assert counts.total(series, "plain") == 1500


def test_costs_are_told_for_each_order():
    spent = dict.fromkeys((*cpu.SYSTEM, "psp-sandbox"), 100.0)
    happened = {"message a": 300.0, "message b": 0.0, "transactions order-svc": 20.0, "transactions payment-svc": 10.0,
                "published bus.cmd": 200.0, "psp calls": 100.0, "wal bytes": 1e6, "fsyncs": 50.0,
                "broker fsyncs": 40.0, "full pages": 1.0}
    found = window.per_order(spent, happened, 100)
    assert found["CPU ms/order"] == len(cpu.SYSTEM) and found["CPU ms/order psp-sandbox"] == 1
    assert found["messages/order"] == 3 and "message b/order" not in found
    assert found["transactions/order"] == .3 and found["round trips/order"] == .6
    assert found["messages a transaction"] == 10 and found["fsyncs/order"] == .5


# The floor

ORDER = {"messages/order": 7, "message order.place.v1/order": 1, "published bus.cmd/order": 3,
         "published bus.event/order": 5, "published bus.reply/order": 1, "psp calls/order": 1, "CPU ms/order": 1.2,
         "confirmed orders/s": 1500, "processors stolen %": 0}
COSTS = {"orders ms/order": .1, "inventory ms/order": .06, "payments ms/order": .04, "quorum ms/message": .05,
         "answer ms/message": .03, "unrouted ms/message": .01, "psp ms/call": .1}


def test_the_floor_is_what_the_servers_alone_cost():
    assert floor_sum.traffic_of(ORDER) == {"quorum": 7, "unrouted": 2, "answer": 1}
    found = floor_sum.floor(ORDER, COSTS, 2)
    assert found["floor ms/order Postgres"] == pytest.approx(.2)
    assert found["floor ms/order broker"] == pytest.approx(.35 + .02 + .03)
    assert found["floor CPU ms/order"] == pytest.approx(.6) and found["CPU, times the floor"] == pytest.approx(2)
    assert found["floor orders/s"] == pytest.approx(2000 / .7)
    assert found["share of the floor %"] == pytest.approx(1500 * .7 / 20)


def test_the_floor_has_no_more_of_the_processors_than_the_orders_had():
    found = floor_sum.floor(ORDER | {"processors stolen %": 25}, COSTS, 2)
    assert found["floor orders/s"] == pytest.approx(1500 / .7)
    assert found["share of the floor %"] == pytest.approx(70)


def test_a_floor_without_one_of_its_costs_is_none():
    with pytest.raises(KeyError):
        floor_sum.floor(ORDER, {name: COSTS[name] for name in COSTS if name != "psp ms/call"}, 2)


def test_pgbench_that_did_nothing_is_refused():
    good = "number of transactions actually processed: 120\nnumber of failed transactions: 0 (0.000%)\n"
    assert floor.pgbench_result(good) == 120
    for bad in ("", good.replace("120", "0"), good.replace(": 0 (", ": 3 (")):
        with pytest.raises(DevError, match="pgbench did not work"):
            floor.pgbench_result(bad)


# Runs

def test_the_floor_needs_the_closed_loop():
    assert run.chosen(["floor"]) == ["closed", "floor"] and run.chosen(["filled"]) == ["filled"]
    assert run.chosen([]) == [name for name in run.PARTS if name not in run.ASKED_FOR]
    with pytest.raises(DevError, match="no part nonsense"):
        run.chosen(["nonsense"])


def test_a_variable_is_set_for_the_services_that_carry_orders(dev, monkeypatch):
    monkeypatch.setattr(system, "private_stack", lambda preset, name, overrides: overrides)
    found = system.private_system("release", ["GATHER_MS=0", "WORKERS=2"])
    assert found == {name: {"GATHER_MS": "0", "WORKERS": "2"} for name in system.SCALED}
    assert "edge" not in found
    system.check_known(PRESET, ["GATHER_MS=0"])
    with pytest.raises(DevError, match="order-svc has no variable GATHER: see order-svc --help"):
        with run.measured_system(PRESET, ["GATHER=0"]):  # before it starts a stack, which there is none of here
            pass
    done = dev("bench", "--set", "gather")
    assert done.returncode == 2 and "\"gather\" is not NAME=VALUE" in done.stderr


def test_the_parts_are_measured_in_turn_and_what_leaves_much_behind_comes_last():
    assert run.in_turn(["closed", "floor", "backlog"], 2) == [
        (0, "closed"), (0, "floor"), (1, "closed"), (1, "floor"), (1, "backlog")]


def test_a_part_that_is_recorded_anew_leaves_the_others_and_their_commands(tmp_path):
    def record(only, rate):
        options = argparse.Namespace(only=only, runs=3, seconds=5, connections=64, rates=[200], set=[])
        report.write(tmp_path, {part: figures.summary([{"orders/s": rate}]) for part in only}, options)
        return (tmp_path / "bench.md").read_text().splitlines()
    record(["closed", "backlog"], 700)
    found = record(["backlog"], 800)
    said = [line for line in found if line.startswith(("`", "| closed", "| backlog", "| orders"))]
    assert [line.split("|")[1].strip() if "|" in line else line for line in said] == [
        "`./dev bench --only backlog --runs 3 --seconds 5 --record`,", "backlog", "orders/s",
        "`./dev bench --only closed --only backlog --runs 3 --seconds 5 --record`,", "closed", "orders/s"]
    assert [line.split("|")[2].strip() for line in said if line.startswith("| orders")] == ["800", "700"]


@pytest.mark.parametrize("said, orders, confirmed", [
    ({"requests": 10, "status": 1, "broken": 0}, 10, 10), ({"requests": 10, "status": 0, "broken": 1}, 10, 10),
    ({"requests": 10, "status": 0, "broken": 0}, 9, 9), ({"requests": 10, "status": 0, "broken": 0}, 12, 11)])
def test_a_run_in_which_anything_is_wrong_has_no_figures(said, orders, confirmed):
    with pytest.raises(DevError):
        closed.check(said, orders, confirmed)


def test_what_wrk_says_at_its_end_is_found():
    assert wrk.parse('Running 1s test\n{"requests":3}\nRequests/sec: 3\n') == {"requests": 3}
    assert wrk.parse("unable to connect\n") is None


IDLE = {one.name for one in manifests.ON_BUS if "idle" in one.suites.get("crash", {})}  # orders do not reach them
# Each of them is there after a run of two seconds, and none is zero.
FIGURES = {"accepted orders/s", "confirmed orders/s", "orders", "accept p50 ms", "accept p95 ms", "accept p99 ms",
           "CPU ms/order", "CPU ms/order generator",
           *(f"CPU ms/order {name}" for name in (*cpu.SYSTEM, "psp-sandbox") if name not in IDLE),
           "messages/order", "message order.place.v1/order", "message stock.reserved.v1/order",
           "message payment.captured.v1/order", "message order.confirmed.v1/order",
           "message inventory.reserve.v1/order",
           "message payment.charge.v1/order", "published bus.cmd/order", "published bus.event/order",
           "published bus.reply/order", "transactions/order", "round trips/order", "messages a transaction",
           "psp calls/order", "wal bytes/order", "fsyncs/order", "broker fsyncs/order",
           *(f"{what} MiB {name}" for what in ("RssAnon", "RSS") for name in cpu.SERVICES)}
MANY = 2000


def test_a_short_run_has_every_figure(dev, folder):
    """Whichever build there is: what it shows is that all of it is measured, also with orders made by SQL."""
    assert os.path.exists(build.programs(PRESET))
    result = os.path.join(folder, "result.json")
    done = dev("bench", "--only", "closed", "--only", "filled", "--fill", str(MANY), "--runs", "1", "--seconds", "2",
               "--connections", "8", "--preset", PRESET, "--json", result)
    assert done.returncode == 0, done.stderr
    with open(result, encoding="utf-8") as file:
        results = json.load(file)
    found, many = results["closed"], results["filled"]
    assert many["orders there"]["median"] > MANY
    assert all(many[f"{which} orders: {name}"]["median"] > 0 for which in ("few", "many") for name in filled.SHOWN[:4])
    assert {name for name in FIGURES if found.get(name, {"median": 0})["median"] <= 0} == set()
    # Six of the flow; notify-svc takes order.confirmed, too, and data-svc that and order.created.
    assert found["messages/order"]["median"] == pytest.approx(9, abs=.5)
    assert found["psp calls/order"]["median"] == pytest.approx(1, abs=.1)
    assert {line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")} >= FIGURES
