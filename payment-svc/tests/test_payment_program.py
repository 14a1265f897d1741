"""payment-svc with a real Postgres, a real RabbitMQ and the PSP sandbox: what it tells order-svc, what it stores, and
what the PSP really did; also while something is down, dies or answers too late."""
import random
import signal
import subprocess
import time
import uuid

import pytest

from conftest import PSP_KEY, QUICK, Program, program_path
from dev.ports import pick_one
from testkit.client import wait_until

CAPTURED, REFUNDED = "payment.captured.v1", "payment.refunded.v1"
DECLINED, FAILED = "payment.declined.v1", "payment.failed.v1"
MONEY = {"amount": 1998, "currency": "EUR"}
BREAKER = 'circuit_breaker_state{dependency="payment_provider"}'


def test_a_charge_is_captured(world):
    order = world.charge()
    assert world.expect(1) == {order: [(CAPTURED, MONEY)]}
    state, token, psp_id, attempts, due, trace = world.row(
        order, "state, token, psp_id, attempts, next_attempt_at, traceparent")
    assert (state, token, attempts, due) == ("captured", None, 1, None)
    assert trace is not None
    assert [(line["type"], line["amount"], line["currency"], line["idempotency_key"])
            for line in world.ledger(order)] == [("captured", 1998, "eur", f"charge-{order}")]
    assert world.sql("SELECT entry, amount, currency, psp_id FROM payments.ledger WHERE order_id = %s", (order,)) == [
        ("captured", 1998, "EUR", psp_id)]


def test_a_repeated_charge_is_answered_as_it_is(world):
    order = world.charge()
    world.expect(1)
    world.charge_again(order, amount=5)
    assert world.expect(1) == {order: [(CAPTURED, MONEY)]}
    assert len(world.ledger(order)) == 1


def test_a_free_order_never_meets_the_psp(world):
    order = world.charge(amount=0)
    assert world.expect(1) == {order: [(CAPTURED, {"amount": 0, "currency": "EUR"})]}
    world.refund(order)
    assert world.expect(1) == {order: [(REFUNDED, {"amount": 0, "currency": "EUR"})]}
    assert world.ledger(order) == []


def test_a_declined_card(world):
    order = world.charge("pm_card_visa_chargeDeclinedInsufficientFunds")
    assert world.expect(1) == {order: [(DECLINED, {"reason": "insufficient_funds"})]}
    assert world.row(order, "state, token, reason") == ("declined", None, "insufficient_funds")
    world.refund(order)
    assert world.expect(1) == {order: [(DECLINED, {"reason": "insufficient_funds"})]}


def test_a_token_that_the_psp_does_not_know(world):
    order = world.charge("pm_nobody")
    assert world.expect(1) == {order: [(FAILED, {"reason": "resource_missing"})]}


def test_a_refund_gives_all_back_and_is_answered_again(world):
    order = world.charge()
    world.expect(1)
    for _ in range(2):
        world.refund(order)
        assert world.expect(1) == {order: [(REFUNDED, MONEY)]}
    assert [line["type"] for line in world.ledger(order)] == ["captured", "refunded"]
    assert world.row(order, "state, refunds, refunded_amount") == ("refunded", 1, 1998)


def test_a_refund_before_its_charge(world):
    late = str(uuid.uuid4())
    world.refund(late)
    assert world.expect(1) == {late: [(REFUNDED, {"amount": 0})]}
    world.charge_again(late)
    assert world.expect(1) == {late: [(FAILED, {"reason": "voided"})]}
    assert world.ledger(late) == []
    assert world.row(late, "state, currency, amount") == ("voided", None, 0)


def test_a_psp_that_fails_once_is_asked_again(world):
    orders = [world.charge("pm_sandbox_error_once"), world.charge("pm_sandbox_429_once")]
    told = world.expect(2)
    for order in orders:
        assert told[order] == [(CAPTURED, MONEY)]
        assert world.row(order, "attempts") == (2,)
        assert len(world.ledger(order)) == 1


def test_an_answer_that_comes_too_late_charges_once(world):
    """The PSP captures at once and answers after our time-out: the same key again gets the first answer."""
    order = world.charge("pm_sandbox_timeout")
    wait_until(lambda: world.ledger(order), 10, "the PSP to capture")
    assert world.row(order) == ("processing",)
    assert world.expect(1, 30) == {order: [(CAPTURED, MONEY)]}
    assert [line["type"] for line in world.ledger(order)] == ["captured"]


def test_a_refund_while_the_charge_hangs_waits_for_it(world):
    order = world.charge("pm_sandbox_timeout")
    wait_until(lambda: world.ledger(order), 10, "the PSP to capture")
    world.refund(order)
    assert world.expect(1, 30) == {order: [(REFUNDED, MONEY)]}
    assert [line["type"] for line in world.ledger(order)] == ["captured", "refunded"]


PENDING = {  # token: what it becomes
    "pm_sandbox_processing": (CAPTURED, MONEY),
    "pm_sandbox_requires_action": (CAPTURED, MONEY),
    "pm_sandbox_requires_confirmation": (CAPTURED, MONEY),
    "pm_sandbox_requires_capture": (CAPTURED, MONEY),
    "pm_sandbox_processing_declined": (DECLINED, {"reason": "insufficient_funds"}),
    "pm_sandbox_requires_action_declined": (DECLINED, {"reason": "generic_decline"}),
    "pm_sandbox_processing_canceled": (FAILED, {"reason": "canceled"}),
    "pm_sandbox_requires_capture_canceled": (FAILED, {"reason": "canceled"}),
    "pm_sandbox_requires_payment_method": (DECLINED, {"reason": "generic_decline"}),
    "pm_sandbox_canceled": (FAILED, {"reason": "canceled"}),
}


def test_a_charge_in_every_status_that_is_not_final_is_read_back(world):
    posts = world.psp_requests("POST /v1/payment_intents")
    reads = world.psp_requests("GET /v1/payment_intents/{id}")
    orders = {token: world.charge(token) for token in PENDING}
    told = world.expect(len(orders))
    assert {token: told[order] for token, order in orders.items()} == {
        token: [event] for token, event in PENDING.items()}
    assert world.psp_requests("POST /v1/payment_intents") - posts == len(PENDING)  # each once
    assert world.psp_requests("GET /v1/payment_intents/{id}") - reads >= 8
    for token, order in orders.items():
        assert [line["type"] for line in world.ledger(order)].count("captured") == (PENDING[token][0] == CAPTURED)


REFUNDS = {  # token: how often the refund is asked for
    "pm_sandbox_refund_pending": 1,
    "pm_sandbox_refund_requires_action": 1,
    "pm_sandbox_refund_fails_later": 2,
    "pm_sandbox_refund_canceled_later": 2,
    "pm_sandbox_refund_failed": 2,
}


def test_a_refund_that_is_pending_is_read_back_and_one_that_fails_later_is_made_again(world):
    orders = {token: world.charge(token) for token in REFUNDS}
    world.expect(len(orders))
    posts, reads = world.psp_requests("POST /v1/refunds"), world.psp_requests("GET /v1/refunds/{id}")
    world.refund(*orders.values())
    assert world.expect(len(orders)) == {order: [(REFUNDED, MONEY)] for order in orders.values()}
    assert world.psp_requests("POST /v1/refunds") - posts == sum(REFUNDS.values())
    assert world.psp_requests("GET /v1/refunds/{id}") - reads >= 4
    for token, order in orders.items():
        assert world.row(order, "state, refunds, refunded_amount, psp_refund_id") == (
            "refunded", REFUNDS[token], 1998, None)
        assert [line["type"] for line in world.ledger(order)].count("refunded") == 1


def test_a_refund_of_a_charge_that_is_pending_waits_for_both(world):
    order = world.charge("pm_sandbox_processing_refund_pending")
    wait_until(lambda: world.row(order, "psp_id") not in (None, (None,)), 10, "the intent's id")
    world.refund(order)
    assert world.expect(1) == {order: [(REFUNDED, MONEY)]}
    assert [line["type"] for line in world.ledger(order)] == ["pending", "captured", "refund_pending", "refunded"]


def test_killed_while_a_charge_is_pending_reads_it_back(world):
    order = world.charge("pm_sandbox_processing")
    wait_until(lambda: world.row(order, "psp_id") not in (None, (None,)), 10, "the intent's id")
    posts = world.psp_requests("POST /v1/payment_intents")
    world.service.end(signal.SIGKILL)
    world.service.start("/health/ready")
    assert world.expect(1) == {order: [(CAPTURED, MONEY)]}
    assert world.psp_requests("POST /v1/payment_intents") == posts


def wait_for_ledger(world, order, kind):
    """Waits until the PSP has that fact of the order; → the id of its object."""
    found = []
    wait_until(lambda: found.extend(line["id"] for line in world.ledger(order) if line["type"] == kind) or found, 10,
               kind)
    return found[0]


def test_an_event_of_the_psp_ends_a_pending_charge_and_refund_early(world):
    """Each would be read back after 30 s at the earliest."""
    world.service.end()
    world.service.start("/health/ready", RETRY_INITIAL_MS="60000", RETRY_SLOW_MS="60000", RETRY_SLOW_MAX_MS="600000")
    order = world.charge("pm_sandbox_processing_refund_pending")
    intent = wait_for_ledger(world, order, "captured")
    world.check_at_psp(str(uuid.uuid4()), intent)  # of an order that there is not
    world.check_at_psp(order, "pi_another")
    time.sleep(0.3)
    assert world.row(order) == ("processing",)
    world.check_at_psp(order, intent)
    assert world.expect(1, 10) == {order: [(CAPTURED, MONEY)]}
    world.refund(order)
    refund = wait_for_ledger(world, order, "refunded")
    for _ in range(3):
        world.check_at_psp(order, refund)
    assert world.expect(1, 10) == {order: [(REFUNDED, MONEY)]}
    assert [line["type"] for line in world.ledger(order)] == ["pending", "captured", "refund_pending", "refunded"]
    world.service.end()
    world.service.start("/health/ready", **QUICK)


def test_a_charge_that_stays_pending_becomes_unknown_when_its_key_is_old(world):
    world.service.end()
    world.service.start("/health/ready", PSP_KEY_LIFE_S="2")
    posts = world.psp_requests("POST /v1/payment_intents")
    order = world.charge("pm_sandbox_processing_forever")
    wait_until(lambda: world.row(order) == ("unknown",), 20, "unknown")
    assert world.psp_requests("POST /v1/payment_intents") - posts == 1
    assert world.row(order, "psp_id") == (next(line["id"] for line in world.ledger(order)),)
    world.sql("SELECT payments.settle(%s, 'failed', p_reason => 'canceled_by_hand')", (order,))
    assert world.expect(1) == {order: [(FAILED, {"reason": "canceled_by_hand"})]}
    world.service.end()
    world.service.start("/health/ready", PSP_KEY_LIFE_S="72000")


def test_two_processes_share_the_work(world):
    """A second instance finds the same due payments; none is charged twice."""
    other = Program("payment-svc", world.folder, {**world.service.environment, "PORT": str(pick_one())})
    other.start("/health/ready")
    try:
        orders = world.charge("pm_sandbox_error_once", count=60)
        told = world.expect(60, 40)
        assert all(told[order] == [(CAPTURED, MONEY)] for order in orders)
    finally:
        assert other.end() == 0


def test_killed_with_calls_under_way(world):
    """A payment that was committed before its call is due again, with the same key."""
    world.psp.end()
    world.psp.start("/sandbox/ledger", LATENCY_MS="700")
    orders = world.charge(count=40)
    wait_until(lambda: world.states().get("processing") == 40, 10, "40 charges under way")
    time.sleep(0.4)
    world.service.end(signal.SIGKILL)
    world.service.start("/health/ready")
    told = world.expect(40, 40)
    assert all(told[order] == [(CAPTURED, MONEY)] for order in orders)
    world.psp.end()
    world.psp.start("/sandbox/ledger", LATENCY_MS="0")


def test_the_psp_is_down_for_a_while(world):
    """The breaker opens; nothing is lost, and nothing is said before it is known."""
    world.psp.end()
    orders = world.charge(count=30)
    wait_until(lambda: world.metric(BREAKER) > 0, 20, "an open breaker")
    world.refund(orders[0])
    time.sleep(1)
    told = {order: found for order, found in
            ((body["order_id"], kind) for kind, body in world.events())}
    assert set(told) <= {orders[0]}  # voided, if it was never sent; else it waits
    assert world.states()["processing"] >= 29
    world.psp.start("/sandbox/ledger")
    wait_until(lambda: "processing" not in world.states() and "refunding" not in world.states(), 40, "all to end")
    assert world.row(orders[0]) in (("voided",), ("refunded",))
    assert all(world.row(order) == ("captured",) for order in orders[1:])
    wait_until(lambda: world.metric(BREAKER) == 0, 10, "a closed breaker")
    world.events()


def test_a_few_bad_cards_delay_no_good_one(world):
    """Cards that fail or hang, again and again, and good ones among them: these are paid at once."""
    bad = [world.charge(token) for token in ("pm_sandbox_error", "pm_sandbox_hang") for _ in range(3)]
    good, told, begun = [], {}, time.monotonic()
    while time.monotonic() < begun + 6 or len(good) < 20:
        good += [world.charge()]
        told |= world.expect(1, 5)
    assert all(told[order] == [(CAPTURED, MONEY)] for order in good)
    assert all(world.row(order) == ("processing",) for order in bad)
    world.refund(*bad)
    world.sql("UPDATE payments.payments SET state = 'failed', token = NULL, reason = 'test', next_attempt_at = NULL"
              " WHERE order_id = ANY(%s::uuid[])", (bad,))


def test_repeated_calls_that_hang_leave_half_of_the_slots(world):
    """More cards hang than there are slots for repeated calls; first ones, charges and refunds, go on."""
    world.service.end()
    world.service.start("/health/ready", PSP_CONCURRENCY="4")
    paid = world.charge(count=3)
    world.expect(3)
    bad = [world.charge("pm_sandbox_hang") for _ in range(6)]
    wait_until(lambda: all(world.row(order, "attempts")[0] > 1 for order in bad), 30, "repeated calls")
    begun = time.monotonic()
    for order in paid:
        new = world.charge()
        assert world.expect(1, 5) == {new: [(CAPTURED, MONEY)]}
        world.refund(order)
        assert world.expect(1, 5) == {order: [(REFUNDED, MONEY)]}
    print(f"6 answers beside hanging calls in {time.monotonic() - begun:.2f} s")
    world.sql("UPDATE payments.payments SET state = 'failed', token = NULL, reason = 'test', next_attempt_at = NULL"
              " WHERE order_id = ANY(%s::uuid[])", (bad,))
    world.service.end()
    world.service.start("/health/ready", PSP_CONCURRENCY="32")


def test_a_wrong_key_is_our_fault_and_heals(world):
    world.service.end()
    world.service.start("/health/ready", PSP_KEY="sk_test_revoked_key")
    order = world.charge()
    wait_until(lambda: world.row(order, "attempts") and world.row(order, "attempts")[0] >= 2, 10, "two attempts")
    assert world.row(order) == ("processing",)
    assert world.events() == []
    world.service.end()
    world.service.start("/health/ready", PSP_KEY=PSP_KEY)
    assert world.expect(1) == {order: [(CAPTURED, MONEY)]}


def test_what_stays_undecided_becomes_unknown_and_is_settled(world):
    world.service.end()
    world.service.start("/health/ready", PSP_KEY_LIFE_S="2")
    order = world.charge("pm_sandbox_error")
    wait_until(lambda: world.row(order) == ("unknown",), 20, "unknown")
    assert world.events() == []
    assert world.metric('payment_alarms_total{alarm="expired"}') == 1
    world.sql("SELECT payments.settle(%s, 'failed', p_reason => 'nothing_at_the_psp')", (order,))
    assert world.expect(1) == {order: [(FAILED, {"reason": "nothing_at_the_psp"})]}
    world.service.end()
    world.service.start("/health/ready", PSP_KEY_LIFE_S="72000")


def test_many_at_once(world):
    begun = time.monotonic()
    orders = world.charge(count=500)
    told = world.expect(500, 60)
    print(f"500 charges in {time.monotonic() - begun:.1f} s")
    assert set(told) == set(orders)
    world.refund(*orders[:100])
    assert set(world.expect(100, 60)) == set(orders[:100])
    assert world.metric('payment_psp_calls_pending') == 0
    assert world.metric('payment_psp_call_duration_seconds_count{call="charge"}') >= 500


def test_a_storm_of_charges_and_refunds_over_several_workers(world):
    """Repeated, in any order, each order's first messages racing each other: it all ends, and nobody pays twice."""
    world.service.end()
    world.service.start("/health/ready", WORKERS="3", BATCH_MAX="20")
    chance = random.Random(7)
    orders = [str(uuid.uuid4()) for _ in range(150)]
    for _ in range(3):
        chance.shuffle(orders)
        world.send("payment.charge.v1", [{"order_id": order, "amount": 1998, "currency": "EUR",
                                          "token": chance.choice(["pm_card_visa", "pm_sandbox_error_once",
                                                                  "pm_card_chargeDeclined"])} for order in orders])
        world.refund(*chance.sample(orders, 60))
    wait_until(lambda: world.sql("SELECT count(*) FROM payments.payments WHERE order_id = ANY(%s::uuid[])"
                                 " AND state NOT IN ('processing', 'refunding')", (orders,)) == [(150,)], 40, "the end")
    refunded = world.sql("SELECT state, count(*) FROM payments.payments WHERE refund_requested"
                         " AND order_id = ANY(%s::uuid[]) GROUP BY state", (orders,))
    assert {state for state, _ in refunded} <= {"refunded", "voided", "declined"}
    assert world.sql("SELECT count(*) FROM payments.payments WHERE state = 'captured' AND refund_requested") == [(0,)]
    world.events()
    world.service.end()
    world.service.start("/health/ready", WORKERS="1", BATCH_MAX="200")


@pytest.mark.parametrize("wrong", [{"PSP_URL": "http://psp.example"}, {"PSP_LEASE_MS": "1500"},
                                   {"PSP_CONCURRENCY": "0"}, {"PSP_KEY": "short"}])
def test_a_wrong_setting_stops_the_start_and_is_named(world, wrong):
    done = subprocess.run([program_path("payment-svc")], env={**world.service.environment, "PORT": str(pick_one()),
                                                              **wrong}, capture_output=True, text=True, timeout=30)
    assert done.returncode not in (0, 99)
    assert next(iter(wrong)) in done.stderr


def test_logs_hold_no_secret_and_no_token(world):
    world.charge("pm_card_visa")
    world.expect(1)
    text = world.service.log.read_text()
    assert PSP_KEY not in text
    assert "pm_card" not in text
    assert "password" not in text
