"""orderctl pay and simulate: the ledger beside the provider's records, and orders at a rate with a mix."""
import json
import uuid

import pytest

from testkit.client import item, wait_until
from test_redrive import audited, run


def objects(stack, *words):
    status, text = run(stack, "--json", *words)
    return status, [json.loads(line) for line in text.splitlines() if line[:1] == "{" and '"at"' not in line[:6]]


# ---- pay ----

@pytest.fixture
def planted(api, stack):
    """A movement of an hour ago that the provider lacks, and one of another amount. → (its order, the other one's)"""
    wrong, _ = [api.complete(item("A"), token="pm_card_visa")["order_id"] for _ in range(2)]
    here = str(uuid.uuid4())
    stack.sql("payments", "INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id, at) VALUES "
                          f"('{here}', 'captured', 5, 'EUR', 'pi_of_nobody', now() - interval '1 hour'); "
                          f"UPDATE payments.ledger SET amount = 998 WHERE order_id = '{wrong}'")
    yield here, wrong
    stack.sql("payments", f"DELETE FROM payments.ledger WHERE order_id = '{here}'; "
                          f"UPDATE payments.ledger SET amount = 999 WHERE order_id = '{wrong}'")


def test_pay_names_each_difference_between_ledger_and_provider(api, stack, planted):
    here, wrong = planted
    status, text = run(stack, "pay")
    lines = text.splitlines()
    assert status == 1 and lines[:-1] == [f"{here}: missing there: capture pi_of_nobody of 5 EUR"], text
    assert lines[-1].endswith(" orders, 1 differences, 1 under way")  # the other one is younger than a minute
    status, found = objects(stack, "pay")
    assert status == 1 and {"order_id": here, "text": "missing there: capture pi_of_nobody of 5 EUR"} in found
    stack.sql("payments", f"UPDATE payments.ledger SET amount = 999 WHERE order_id = '{wrong}'; "
                          f"UPDATE payments.ledger SET at = now() - interval '3 days' WHERE order_id = '{here}'")
    status, text = run(stack, "--days", "1", "pay")
    assert status == 0 and text.endswith(" orders, 0 differences, 0 under way\n"), text
    assert run(stack, "pay")[0] == 1


def test_pay_does_not_call_a_side_that_is_away_a_difference(api, stack):
    for given, what in (({"PSP_KEY": ""}, "PSP_URL and PSP_KEY must name"),
                        ({"PSP_KEY": "sk_test_wrong_key"}, "payment provider: GET /v1/payment_intents"),
                        ({"PSP_URL": "http://psp.example"}, "PSP_URL must be https://"),
                        ({"PAYMENTS_DATABASE_URL": ""}, "payments database: ")):
        status, text = run(stack, "pay", given=given)
        assert status == 2 and what in text, (given, text)


# ---- simulate ----

MIX = "happy=2,declined=1,cancelled=1,pay-later=1"


def test_simulate_places_orders_of_each_kind_at_a_rate(api, stack):
    words = ("--rate", "10", "--seconds", "2", "--mix", MIX)
    before = len(api.get("/api/orders?limit=100").json()["items"])
    status, text = run(stack, *words, "--dry-run", "simulate")
    assert status == 0 and "20 orders would be placed at " in text
    assert ": 8 happy, 4 declined, 4 cancelled, 4 pay-later; of " in text, text
    assert len(api.get("/api/orders?limit=100").json()["items"]) == before
    status, (found,) = objects(stack, *words, "simulate")
    assert status == 0 and (found["sent"], found["accepted"], found["late"], found["refused"]) == (20, 20, 0, [])
    kinds = {one["kind"]: one for one in found["kinds"]}
    assert {name: one["accepted"] for name, one in kinds.items()} == {
        "happy": 8, "declined": 4, "cancelled": 4, "pay-later": 4}
    assert kinds["pay-later"]["followed"] == 4
    orders = api.get("/api/orders?limit=20").json()["items"]

    def ends():
        seen = [api.order(one["order_id"])["status"] for one in orders]
        return seen if set(seen) <= {"CONFIRMED", "CANCELLED"} else None

    seen = wait_until(ends, 60, "the end of all orders")
    assert seen.count("CANCELLED") >= 4 and seen.count("CONFIRMED") >= 12  # a cancel may come too late
    begin, end = [one for one in audited(stack) if one["action"] == "simulate"][-2:]
    assert (begin["mark"], begin["messages"], end["mark"], end["messages"]) == ("begin", 20, "end", 20)
    assert begin["run"] == end["run"] and "20 orders sent, 20 accepted" in end["text"]


def test_simulate_refuses_wrong_words_and_places_that_are_away(api, stack):
    for words, given, what in (
            (("--mix", "sad=1"), {}, "--mix sad=1: no such kind of order"),
            (("--seconds", "0"), {}, "--seconds is a number"),
            ((), {"EDGE_URL": ""}, "EDGE_URL must name the edge"),
            ((), {"EDGE_URL": "http://127.0.0.1:1"}, "the edge does not answer"),
            ((), {"ORDERCTL_AUDIT_FILE": ""}, "ORDERCTL_AUDIT_FILE must name")):
        status, text = run(stack, "--rate", "1", "--seconds", "1", *words, "simulate", given=given)
        assert status == 2 and what in text, (words, given, text)
