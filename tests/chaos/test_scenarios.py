"""Each scenario in its short form, one after the other on one stack; and a checker that sees what it must see."""
import os

import pytest

from dev.gotool import TOXIPROXY
from chaos import catalogue, scenario
from chaos.stack import KEPT, chaos_stack
from chaos.traffic import Traffic
from chaos.verdict import Judge

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
RATE = 30  # two cores carry clients, sanitized services and servers
ALL = [one for one in catalogue.scenarios().values() if one.in_suite]
SHARED = [one for one in ALL if one.stack is None]
OWN = [one for one in ALL if one.stack is not None]

pytestmark = pytest.mark.skipif(not TOXIPROXY.installed(), reason=TOXIPROXY.missing())


@pytest.fixture(scope="module")
def system():
    with chaos_stack(PRESET) as made:
        yield made
    reports = [line for name in os.listdir(KEPT) for line in _lines(name) if "Sanitizer:" in line]
    assert not reports, reports


@pytest.fixture(scope="module")
def judge(system):
    return Judge(system)


@pytest.fixture(scope="module")
def tour(system):
    """One stream of orders under all scenarios, so that they need no calm, no rest and no judgement each."""
    with scenario.Tour(system, short=True, rate=RATE) as made:
        yield made


def _lines(name):
    with open(os.path.join(KEPT, name), encoding="utf-8", errors="replace") as file:
        return file.readlines()


@pytest.mark.parametrize("one", SHARED, ids=[one.name for one in SHARED])
def test_scenario(tour, one):
    check(tour.visit(one))


def test_nothing_was_lost_or_doubled(tour, judge):
    """Behind all of them."""
    verdict = tour.verdict(judge)
    print(*verdict.lines(), sep="\n")
    assert verdict.good(), "\n".join(verdict.lines())


def check(report):
    print(*report.text(), sep="\n")
    assert report.good(), "\n".join(report.text())


def test_an_order_that_is_gone_is_found_out(system, judge):
    """Behind those that need a whole stack: an accepted order is deleted, and another left as it was."""
    with Traffic(system.url("edge")) as load:
        load.run_for(1.5)
    assert judge.judge(load, least_shares={}).good()
    gone, stuck = list(load.accepted)[:2]
    system.sql("orders", f"DELETE FROM orders.order_events WHERE order_id = '{gone}';"
                         f"DELETE FROM orders.orders WHERE order_id = '{gone}';")
    system.sql("orders", f"UPDATE orders.orders SET status = 0, reason = NULL, total = NULL, unit_prices = NULL, "
                         f"currency = NULL, captured = 0, payment_token = 'x', deadline = '2099-01-01', "
                         f"due_at = '2099-01-01' WHERE order_id = '{stuck}';")
    verdict = judge.judge(load, rest_seconds=1, least_shares={})
    assert sorted(verdict.lost) == sorted([f"{gone} was accepted and is not there", f"{stuck} is still PENDING"])
    assert verdict.word() == "FAILED"


if OWN:
    @pytest.mark.parametrize("one", OWN, ids=[one.name for one in OWN])
    def test_scenario_on_a_stack_of_its_own(one):
        with one.stack(PRESET) as made:
            check(scenario.run(made, Judge(made), one, short=True))
