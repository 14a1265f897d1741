"""The checker itself: for each invariant, what breaks it is found, and what does not is not; it runs as a program."""
import copy
import os
import subprocess
import sys
import threading

import pytest

from chaos import invariants
from dev import cli, manifests, paths
from testkit.client import item

ID = "01000000-0000-5000-8000-000000000001"


def healthy():
    """One CONFIRMED order, as the databases, the ledger and the broker tell it."""
    created = {"customer_id": "c", "items": [{"product_id": "A", "quantity": 2}], "request_hash": "0" * 64}
    reserved = {"items": [{"product_id": "A", "quantity": 2, "unit_price": 5}], "total": 10, "currency": "EUR"}
    return {
        "order_list": [{"id": ID, "status": "CONFIRMED", "customer_id": "c", "total": 10, "currency": "EUR",
                        "reason": None, "captured": 10, "refunded": 0, "version": 3, "updated_at": "now", "age": 1,
                        "payment_settled": True}],
        "order_items": [{"id": ID, "product_id": "A", "quantity": 2, "unit_price": 5}],
        "order_events": [{"id": ID, "seq": 1, "type": "order.created", "data": created},
                         {"id": ID, "seq": 2, "type": "order.reserved", "data": reserved},
                         {"id": ID, "seq": 3, "type": "order.confirmed", "data": {"amount": 10}}],
        "= 'AWAITING_PAYMENT' GROUP": [],
        "i.product_id": [{"product_id": "A", "quantity": 2}],
        "payments.ledger": [{"order_id": ID, "type": "captured", "amount": 10}],
        "payments.refunds": [],
        "payments.audit": [],
        "stock_audit": [],
        "inventory.reservation_items": [],
        "inventory.products": [{"product_id": "A", "received": 100, "on_hand": 98, "reserved": 0, "sold": 2,
                                "own_reserved": 0, "own_sold": 0}],
        "bus.outbox": [],
        "bus.inbox": [{"rows": 7, "ids": 7}],
        "ledger": [{"type": "captured", "order_id": ID, "amount": 10}],
        "queues": [{"name": "order-svc", "messages": 0}, {"name": "order-svc.dead", "messages": 0}],
        "dead": [],
        "accepted": [ID],
    }


class Told:
    """Sources that say what they are told."""

    def __init__(self, facts, monkeypatch):
        self.facts = facts
        self.urls = {"orders": "", "inventory": "", "payments": ""}
        self.ledger = "ledger"
        self.vhost = "test"
        self.accepted = facts["accepted"]
        self.cancelled = facts.get("cancelled", [])
        self.lost = frozenset(facts.get("lost", ()))
        self.management = self
        monkeypatch.setattr(invariants, "COUNTED_SECONDS", 0)
        monkeypatch.setattr(invariants, "read_ledger", lambda _: facts["ledger"])

    def rows(self, _database, sql):
        tables = ["= 'AWAITING_PAYMENT' GROUP", "i.product_id", "order_items", "order_events", "order_list",
                  "payments.ledger", "payments.refunds", "payments.audit", "stock_audit", "inventory.products",
                  "inventory.reservation_items", "bus.outbox", "bus.inbox"]
        return copy.deepcopy(self.facts[next(name for name in tables if name in sql)])

    def snapshot(self, database, *queries):
        return [self.rows(database, sql) for sql in queries]

    def queues(self):
        return self.facts["queues"]

    def must(self, *_path, body=None, seconds=15):
        assert seconds > 15, "a long queue takes its time"
        return [{"properties": {"headers": headers}} for headers in self.facts["dead"][:body["count"]]]


def lost(facts):
    facts["accepted"] = [ID, "02000000-0000-5000-8000-000000000002"]


def stuck(facts):
    facts["order_list"][0].update(status="RESERVED", captured=0)
    facts["order_events"].pop()
    facts["order_list"][0]["version"] = 2


def confirmed_after_its_cancel(facts):
    facts["cancelled"] = [ID]


def charged_twice(facts):
    facts["ledger"] *= 2


def charged_too_little(facts):
    facts["ledger"][0]["amount"] = 9


def charged_and_cancelled(facts):
    facts["order_list"][0].update(status="CANCELLED", reason="why")
    facts["order_events"][2].update(type="payment.captured")
    facts["order_events"].insert(2, {"id": ID, "seq": 3, "type": "order.compensating", "data": {"reason": "why"}})
    facts["order_events"].append({"id": ID, "type": "order.cancelled", "data": {}})
    facts["order_events"][3]["seq"], facts["order_events"][4]["seq"] = 4, 5
    facts["order_list"][0]["version"] = 5
    facts["i.product_id"].clear()
    facts["inventory.products"][0].update(on_hand=100, sold=0)


def not_charged(facts):
    facts["ledger"].clear()


def charged_for_nothing(facts):
    facts["ledger"].append({"type": "captured", "order_id": "03000000-0000-5000-8000-000000000003", "amount": 1})


def books_differ_from_the_provider(facts):
    facts["payments.ledger"].clear()


def audit_of_payments_speaks(facts):
    facts["payments.audit"].append({"order_id": ID})


def stock_does_not_add_up(facts):
    facts["inventory.products"][0]["received"] = 101


def stock_is_negative(facts):
    facts["inventory.products"][0].update(on_hand=-1, received=1)


def stock_stays_reserved(facts):
    facts["inventory.products"][0].update(on_hand=97, reserved=1)


def sold_without_an_order(facts):
    facts["inventory.products"][0].update(on_hand=97, sold=3)


def sold_what_is_no_product(facts):
    facts["i.product_id"].append({"product_id": "B", "quantity": 1})


def audit_of_stock_speaks(facts):
    facts["stock_audit"].append({"product_id": "A"})


def event_is_missing(facts):
    del facts["order_events"][2]


def event_stands_twice(facts):
    facts["order_events"].append(facts["order_events"][2])


def row_differs_from_its_events(facts):
    facts["order_list"][0]["currency"] = "USD"


def price_differs_from_its_event(facts):
    facts["order_items"][0]["unit_price"] = 6


def events_without_an_order(facts):
    facts["order_events"].append({"id": "04000000-0000-5000-8000-000000000004", "seq": 1, "type": "x", "data": {}})


def outbox_is_not_empty(facts):
    facts["bus.outbox"].append({"id": "x", "type": "t", "attempts": 0, "unroutable": False})


def inbox_id_stands_twice(facts):
    facts["bus.inbox"][0]["ids"] = 6


def message_is_left_over(facts):
    facts["queues"][0]["messages"] = 1


def dead_without_a_cause(facts):
    facts["queues"][1]["messages"] = 1
    facts["dead"] = [{"bus-attempt": 3}]


def dead_without_a_cause_behind_many(facts):
    facts["queues"][1]["messages"] = 1501
    facts["dead"] = [{invariants.CAUSE: "it could not be decoded"}] * 1500 + [{"bus-attempt": 3}]


BROKEN = [
    (1, lost), (1, stuck), (1, confirmed_after_its_cancel),
    (2, charged_twice), (2, charged_too_little), (2, charged_and_cancelled), (2, not_charged), (2, charged_for_nothing),
    (2, books_differ_from_the_provider), (2, audit_of_payments_speaks),
    (3, stock_does_not_add_up), (3, stock_is_negative), (3, stock_stays_reserved), (3, sold_without_an_order),
    (3, sold_what_is_no_product), (3, audit_of_stock_speaks),
    (4, event_is_missing), (4, event_stands_twice), (4, row_differs_from_its_events), (4, price_differs_from_its_event),
    (4, events_without_an_order),
    (5, outbox_is_not_empty), (5, inbox_id_stands_twice), (5, message_is_left_over), (5, dead_without_a_cause),
    (5, dead_without_a_cause_behind_many),
]


def test_healthy_system_has_no_violations(monkeypatch):
    found = invariants.check(Told(healthy(), monkeypatch))
    assert not found.violations()
    assert len([line for line in found.lines() if " holds " in line]) == 5


@pytest.mark.parametrize("number, break_it", BROKEN, ids=[case.__name__ for _, case in BROKEN])
def test_broken_system_is_found_out(monkeypatch, number, break_it):
    facts = healthy()
    break_it(facts)
    violations = invariants.check(Told(facts, monkeypatch)).violations()
    assert violations
    assert {line.split(":")[0] for line in violations} == {f"invariant {number}"}, violations


def test_dead_with_a_cause_is_no_violation(monkeypatch):
    facts = healthy()
    facts["queues"][1]["messages"] = 1
    facts["dead"] = [{invariants.CAUSE: "it could not be decoded"}]
    assert not invariants.check(Told(facts, monkeypatch)).violations()


def test_a_dead_queue_that_is_too_long_to_read_is_said(monkeypatch):
    monkeypatch.setattr(invariants, "DEAD_MAX", 3)
    facts = healthy()
    facts["queues"][1]["messages"] = 3
    facts["dead"] = [{invariants.CAUSE: "it could not be decoded"}] * 4
    with pytest.raises(invariants.DevError, match="order-svc.dead holds 3 messages or more"):
        invariants.check(Told(facts, monkeypatch))


def test_a_queue_length_that_is_told_late_is_no_violation(monkeypatch):
    facts = healthy()
    facts["queues"][0]["messages"] = 1
    told = Told(facts, monkeypatch)
    lengths = iter([1, 1, 1])
    monkeypatch.setattr(invariants, "is_at_rest", lambda _: True)
    monkeypatch.setattr(told, "queues", lambda: [{"name": "order-svc", "messages": next(lengths, 0)}])
    assert not invariants.check_at_rest(told, 0).violations()


def test_a_message_that_stays_is_a_violation(monkeypatch):
    facts = healthy()
    facts["queues"][0]["messages"] = 1
    monkeypatch.setattr(invariants, "TOLD_LATE", 2)
    monkeypatch.setattr(invariants, "is_at_rest", lambda _: True)
    assert invariants.check_at_rest(Told(facts, monkeypatch), 0).violations()


def test_refunded_order_is_no_violation(monkeypatch):
    facts = healthy()
    charged_and_cancelled(facts)
    for name in ("ledger", "payments.ledger"):
        facts[name].append({"order_id": ID, "type": "refunded", "amount": 10})
    facts["order_list"][0].update(refunded=10, version=6)
    facts["order_events"].append({"id": ID, "seq": 6, "type": "payment.refunded", "data": {"amount": 10}})
    assert not invariants.check(Told(facts, monkeypatch)).violations()


def test_an_order_that_a_restore_lost_is_no_violation_once_its_money_is_back(monkeypatch):
    facts = healthy()
    lost = ID.replace("1", "2")
    for name in ("ledger", "payments.ledger"):
        facts[name].append({"order_id": lost, "type": "captured", "amount": 5})
    facts["lost"] = [lost]
    assert invariants.check(Told(facts, monkeypatch)).violations()
    for name in ("ledger", "payments.ledger"):
        facts[name].append({"order_id": lost, "type": "refunded", "amount": 5})
    assert not invariants.check(Told(facts, monkeypatch)).violations()
    facts["lost"] = []
    assert invariants.check(Told(facts, monkeypatch)).violations()


def test_what_reservations_without_an_order_hold_is_no_violation(monkeypatch):
    facts = healthy()
    facts["inventory.products"][0].update(on_hand=91, reserved=4, own_reserved=4, sold=5, own_sold=3)
    assert not invariants.check(Told(facts, monkeypatch)).violations()
    facts["inventory.products"][0].update(own_sold=2)
    assert invariants.check(Told(facts, monkeypatch)).violations()


def refunded_by_an_operator(facts, amount=4):
    """A part came back, and everyone knows."""
    for name in ("ledger", "payments.ledger"):
        facts[name].append({"order_id": ID, "type": "refunded", "amount": amount})
    facts["payments.refunds"].append({"order_id": ID, "amount": amount})
    facts["order_list"][0].update(refunded=amount, version=4)
    facts["order_events"].append({"id": ID, "seq": 4, "type": "payment.refunded", "data": {"amount": amount}})


def test_refund_of_an_operator_is_no_violation(monkeypatch):
    facts = healthy()
    refunded_by_an_operator(facts)
    assert not invariants.check(Told(facts, monkeypatch)).violations()


@pytest.mark.parametrize("name", ["ledger", "payments.ledger", "payments.refunds"])
def test_refund_of_an_operator_that_one_does_not_know_is_a_violation(monkeypatch, name):
    facts = healthy()
    refunded_by_an_operator(facts)
    facts[name].pop()
    assert invariants.check(Told(facts, monkeypatch)).violations()


def test_refund_of_an_operator_may_be_under_way_in_a_running_system(monkeypatch):
    facts = healthy()
    facts["payments.refunds"].append({"order_id": ID, "amount": 4})
    assert not invariants.check(Told(facts, monkeypatch), at_rest=False).violations()
    assert invariants.check(Told(facts, monkeypatch)).violations()


def test_stock_that_was_put_back_is_not_held(monkeypatch):
    facts = healthy()
    facts["inventory.reservation_items"].append({"order_id": ID, "product_id": "A", "quantity": 2})
    assert invariants.check(Told(facts, monkeypatch)).violations()
    facts["inventory.products"][0].update(on_hand=100, sold=0)
    assert not invariants.check(Told(facts, monkeypatch)).violations()


def awaits_payment(facts, age=-60):
    """The order is to be paid later, and its stock is reserved; age: since its deadline."""
    facts["order_list"][0].update(status="AWAITING_PAYMENT", captured=0, version=2, age=age)
    facts["order_events"].pop()
    facts["order_events"][0]["data"]["payment"] = "later"
    facts["inventory.products"][0].update(reserved=2, sold=0)
    facts["i.product_id"].clear()
    facts["= 'AWAITING_PAYMENT' GROUP"].append({"product_id": "A", "quantity": 2})
    for name in ("ledger", "payments.ledger"):
        facts[name].clear()


def test_an_order_awaits_its_payment_until_its_deadline(monkeypatch):
    facts = healthy()
    awaits_payment(facts)
    assert not invariants.check(Told(facts, monkeypatch)).violations()
    facts["order_list"][0]["age"] = 1
    assert invariants.check(Told(facts, monkeypatch)).violations()
    assert not invariants.check(Told(facts, monkeypatch), at_rest=False).violations()
    facts["order_list"][0]["age"] = invariants.OPEN_SECONDS + 1
    assert invariants.check(Told(facts, monkeypatch), at_rest=False).violations()


def test_stock_of_an_order_that_awaits_its_payment_must_be_reserved(monkeypatch):
    facts = healthy()
    awaits_payment(facts)
    facts["inventory.products"][0].update(on_hand=100, reserved=0)
    assert invariants.check(Told(facts, monkeypatch)).violations()


def under_way(facts):
    """The order is CONFIRMED and not yet sold; its messages lie in queue and outbox."""
    facts["inventory.products"][0].update(reserved=2, sold=0)
    facts["accepted"].append("02000000-0000-5000-8000-000000000002")
    outbox_is_not_empty(facts)
    message_is_left_over(facts)


def test_an_order_under_way_is_no_violation_of_a_running_system(monkeypatch):
    facts = healthy()
    under_way(facts)
    told = Told(facts, monkeypatch)
    monkeypatch.setattr(told, "rows", lambda database, sql, rows=told.rows: [] if "bus.outbox WHERE" in sql else
                        rows(database, sql))
    assert not invariants.check_running(told, pause=0).violations()
    assert invariants.check(told).violations()


@pytest.mark.parametrize("number, break_it", [case for case in BROKEN if case[1] not in (
    lost, stuck, stock_stays_reserved, outbox_is_not_empty, message_is_left_over)],
    ids=lambda case: getattr(case, "__name__", None))
def test_a_broken_system_is_found_out_while_it_runs(monkeypatch, number, break_it):
    facts = healthy()
    break_it(facts)
    violations = invariants.check_running(Told(facts, monkeypatch), pause=0).violations()
    assert {line.split(":")[0] for line in violations} == {f"invariant {number}"}, violations


def test_a_saga_that_takes_too_long_is_found_out_while_it_runs(monkeypatch):
    facts = healthy()
    stuck(facts)
    facts["order_list"][0]["age"] = invariants.OPEN_SECONDS + 1
    assert invariants.check_running(Told(facts, monkeypatch), pause=0).violations()


def test_what_one_pass_alone_finds_is_no_violation(monkeypatch):
    facts = healthy()
    told = Told(facts, monkeypatch)
    answers = iter([[{"product_id": "A"}], []])
    monkeypatch.setattr(told, "rows", lambda database, sql, rows=told.rows: next(answers) if "stock_audit" in sql else
                        rows(database, sql))
    assert not invariants.check_running(told, pause=0).violations()


def run_program(stack, *words):
    program = os.path.join(paths.ROOT, "chaos-testing", "invariants.py")
    return subprocess.run([program, "--state", stack.state.path, *words], cwd="/",
                          capture_output=True, text=True, timeout=60, check=False,
                          env={name: value for name, value in os.environ.items() if not name.startswith("ORDERBUS_")})


def test_a_missing_package_is_installed():
    """./dev up does not need psycopg2, so a user may not have it."""
    program = """
import sys
from dev import cli, packages
sys.modules["psycopg2"] = None
def ensure(names):
    print(*names)
    sys.modules.pop("psycopg2")
packages.ensure = ensure
sys.exit(cli.main(["invariants", "--state", "/nonexistent"]))
"""
    done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": paths.TOOLS})
    assert (done.returncode, done.stdout) == (2, "python3-psycopg2\n"), done.stderr
    assert "/nonexistent is no state folder" in done.stderr


def test_a_system_without_a_state_folder_needs_every_place(capsys):
    assert cli.main(["invariants", "--orders", "postgresql://a:b@127.0.0.1/orders"]) == 2
    others = [name for name in manifests.DATABASES if name != "orders"]
    missing = " ".join("--" + name for name in [*others, "ledger", "management"])
    assert missing + " not given" in capsys.readouterr().err


def test_a_stack_under_load_has_no_violations(stack, api):
    """The program is started while orders are under way, and more come."""
    ended = threading.Event()

    def place():
        while not ended.is_set():
            api.place(item("A"))
    clients = [threading.Thread(target=place) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        done = run_program(stack)
    finally:
        ended.set()
        for client in clients:
            client.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not at rest" in done.stdout


def test_it_runs_as_a_program(stack, api):
    api.complete(item("A"))
    done = run_program(stack, "--wait", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line[0] for line in done.stdout.splitlines()] == ["1", "2", "3", "4", "5"]
