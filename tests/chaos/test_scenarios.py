"""Each scenario in its short form, one after the other on one stack; and a checker that sees what it must see."""
import contextlib
import os

import pytest

from dev import toxiproxy
from harness import catalogue, scenario
from harness.stack import KEPT, chaos_stack
from harness.traffic import Traffic
from harness.verdict import Judge

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
RATE = 30  # two cores carry clients, sanitized services and servers
ALL = [one for one in catalogue.scenarios().values() if one.in_suite]

pytestmark = pytest.mark.skipif(not toxiproxy.installed(), reason="toxiproxy is not installed: ./dev chaos install")


@pytest.fixture(scope="module")
def shared():
    with contextlib.ExitStack() as stack:
        system = stack.enter_context(chaos_stack(PRESET))
        yield system, Judge(system)
    reports = [line for name in os.listdir(KEPT) for line in _lines(name) if "Sanitizer:" in line]
    assert not reports, reports


def _lines(name):
    with open(os.path.join(KEPT, name), encoding="utf-8", errors="replace") as file:
        return file.readlines()


@pytest.mark.parametrize("one", ALL, ids=[one.name for one in ALL])
def test_scenario(request, one):
    if one.stack is None:
        run(*request.getfixturevalue("shared"), one)
    else:
        with one.stack(PRESET) as system:
            run(system, Judge(system), one)


def run(system, judge, one):
    report = scenario.run(system, judge, one, short=True, rate=RATE)
    print(*report.text(), sep="\n")
    assert report.good(), "\n".join(report.text())


def test_an_order_that_is_gone_is_found_out(shared):
    """Last, since the stack is not whole afterwards: an accepted order is deleted, and another left as it was."""
    system, judge = shared
    with Traffic(system.url("edge")) as load:
        load.run_for(1.5)
    assert judge.judge(load, least_share=0).good()
    gone, stuck = list(load.accepted)[:2]
    system.sql("orders", f"DELETE FROM orders.order_events WHERE order_id = '{gone}';"
                         f"DELETE FROM orders.orders WHERE order_id = '{gone}';")
    system.sql("orders", f"UPDATE orders.orders SET status = 0, reason = NULL, total = NULL, unit_prices = NULL, "
                         f"currency = NULL, captured = 0, payment_token = 'x', deadline = '2099-01-01', "
                         f"due_at = '2099-01-01' WHERE order_id = '{stuck}';")
    verdict = judge.judge(load, rest_seconds=1, least_share=0)
    assert sorted(verdict.lost) == sorted([f"{gone} was accepted and is not there", f"{stuck} is still PENDING"])
    assert verdict.word() == "FAILED"
