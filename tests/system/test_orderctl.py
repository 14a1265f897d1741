"""orderctl order: where an order stands, what it waits for and what to do, read from the running system."""
import json
import uuid

import psycopg2
import pytest

from test_dead_letters import LAME, bus_dead
from testkit.client import item, wait_until
from dev import orderctl

TOKEN = "pm_card_chargeDeclined"
# The customer, the token of the payment, and the customer's own words: never part of a story.
CUSTOMER, WORDS = "c-secret-name", "I moved to 7 Secret Street"


def story_of(stack, order_id, **options):
    """→ (status, decoded story)"""
    done = orderctl.run(stack, "order", order_id, "--json", capture_output=True, text=True, timeout=60, **options)
    assert done.returncode in (0, 1, 3), done.stderr
    return done.returncode, json.loads(done.stdout)


def sentence(stack, order_id, **options):
    """→ (status, code, sentence, what to do)"""
    status, story = story_of(stack, order_id, **options)
    verdict = story["verdict"]
    return status, verdict["code"], verdict["text"], verdict["action"]


def wait_sentence(stack, order_id, code):
    return wait_until(lambda: (lambda found: found if found[1] == code else None)(sentence(stack, order_id)), 30, code)


def test_the_story_of_a_confirmed_order(api, stack):
    order_id = api.place(item("A", 2)).json()["order_id"]
    api.wait_final(order_id)
    status, code, text, action = wait_sentence(stack, order_id, "done")
    assert (status, text, action) == (0, "ended as CONFIRMED: nothing is left to do", "")
    _, story = story_of(stack, order_id)
    assert [event["type"] for event in story["events"]] == ["order.created", "order.reserved", "order.confirmed"]
    assert story["order"]["captured"] == story["order"]["total"] == 2 * 999
    assert story["reservation"]["state"] == "COMMITTED" and story["payments"][0]["state"] == "captured"
    assert [(one["entry"], one["amount"]) for one in story["movements"]] == [("captured", 2 * 999)]
    taken = [(one["place"], one["type"]) for one in story["taken"]]
    assert taken == [("orders", "order.place"), ("payments", "a command")]
    whats = [step["what"] for step in story["steps"]]
    assert whats[0].startswith("sent order.place ") and any(what.startswith("captured 1998 EUR") for what in whats)
    assert [one["problem"] for one in story["sources"]] == [None] * 4
    times = [step["at"] for step in story["steps"]]
    assert times == sorted(times) and all(step["after"] >= 0 for step in story["steps"][1:])


def test_the_story_as_text(api, stack):
    order_id = api.place(item("A")).json()["order_id"]
    api.wait_final(order_id)
    wait_sentence(stack, order_id, "done")
    done = orderctl.run(stack, "order", order_id, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"order {order_id} CONFIRMED, total 999, captured 999, refunded 0 EUR",
                         "  ended as CONFIRMED: nothing is left to do"]
    assert "timeline" in lines and "queues, of all orders" in lines


def test_a_declined_order_has_ended(api, stack):
    order_id = api.place(item("A"), token=TOKEN).json()["order_id"]
    assert api.wait_final(order_id)["status"] == "CANCELLED"
    status, _, text, action = wait_sentence(stack, order_id, "done")
    assert status == 0 and action == ""
    assert text.startswith("ended as CANCELLED (payment_declined: ") and text.endswith("): nothing is left to do")


def test_an_order_behind_a_stopped_service_names_it(api, stack):
    stack.stop_service("payment-svc")
    order_id = api.place(item("A")).json()["order_id"]
    api.wait_status(order_id, "RESERVED")
    found = wait_sentence(stack, order_id, "no_consumer")
    assert found == (1, "no_consumer", "waits for payment-svc: its queue payment-svc has 1 message and no consumer",
                     "start payment-svc")
    stack.start_service("payment-svc")
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    assert wait_sentence(stack, order_id, "done")[0] == 0


def test_an_order_whose_message_lies_dead_says_how_it_goes_on(api, stack):
    stack.sql("inventory", LAME)
    try:
        order_id = api.place(item("A")).json()["order_id"]
        status, _, text, action = wait_sentence(stack, order_id, "dead")
    finally:
        stack.sql("inventory", "ALTER TABLE inventory.reservations DROP CONSTRAINT lame")
    assert status == 1 and text.startswith("its inventory.reserve.v1 lies dead in inventory-svc.dead since ")
    assert "BUS_E_DB_DATA" in text and "lame" in text
    _, story = story_of(stack, order_id)
    assert len(story["dead"]) == 1 and story["dead"][0]["history"].count("\n") >= 0
    assert [one["queue"] for one in story["parked"]] == ["inventory-svc"]
    words = action.partition("bus-dead ")[2].split()
    assert words[:2] == ["replay", "inventory-svc"] and words[2] == story["dead"][0]["message_id"]
    assert bus_dead(stack, *words)[0] == 0  # the advice, word for word
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    assert wait_sentence(stack, order_id, "done")[0] == 0


def test_an_order_that_is_only_accepted_waits_for_order_svc(api, stack):
    stack.stop_service("order-svc")
    answer = api.place(item("A"))
    assert answer.status_code == 202
    order_id = answer.json()["order_id"]
    found = wait_sentence(stack, order_id, "accepted")
    assert found == (1, "accepted", "not in the database; if the edge accepted it (202), it waits for order-svc: its "
                     "queue order-svc.place has 1 message and no consumer", "start order-svc")
    stack.start_service("order-svc")
    assert api.wait_final(order_id)["status"] == "CONFIRMED"


def test_an_unknown_order_is_nowhere(api, stack):
    status, code, text, _ = sentence(stack, str(uuid.uuid4()))
    assert (status, code) == (3, "unknown")
    assert text == "no database knows this order, and order-svc.place has no message"


def test_a_place_that_is_away_is_named_and_the_story_goes_on(api, stack):
    order_id = api.place(item("A")).json()["order_id"]
    api.wait_final(order_id)
    wait_sentence(stack, order_id, "done")
    away = orderctl.variables(stack)["PAYMENTS_DATABASE_URL"].replace("/payments", "/absent")
    status, story = story_of(stack, order_id, given={"PAYMENTS_DATABASE_URL": away, "RABBITMQ_URL": ""})
    assert status == 0 and story["verdict"]["text"] == "ended as CONFIRMED: nothing is left to do"
    problems = {one["place"]: one["problem"] for one in story["sources"]}
    assert "absent" in problems["payments"] and problems["broker"] == "no URL of it is set"
    assert problems["orders"] is None and story["payments"] == [] and story["queues"] == []
    secret = stack.state.secret("postgres-payments_operator")
    assert secret not in json.dumps(story)


def test_a_story_holds_no_data_of_its_customer(api, stack):
    stack.stop_service("inventory-svc")
    body = {"idempotency_key": str(uuid.uuid4()), "customer_id": CUSTOMER, "items": [item("A")],
            "payment": {"token": TOKEN}}
    order_id = api.place_body(body).json()["order_id"]
    api.wait_status(order_id, "PENDING")
    assert api.cancel(order_id, WORDS).status_code == 202
    found = [orderctl.run(stack, "order", order_id, *words, capture_output=True, text=True, timeout=60).stdout
             for words in ((), ("--json",))]
    stack.start_service("inventory-svc")
    api.wait_final(order_id)
    found += [orderctl.run(stack, "order", order_id, *words, capture_output=True, text=True, timeout=60).stdout
              for words in ((), ("--json",))]
    assert json.loads(found[1])["order"]["reason"] == "customer" and "ended as CANCELLED (customer)" in found[2]
    for text in found:
        assert order_id in text
        assert not any(secret in text for secret in (CUSTOMER, TOKEN, WORDS, "Secret"))


READS = {"orders": ("SELECT customer_id FROM orders.orders", "SELECT data FROM orders.order_events",
                    "SELECT * FROM orders.order_list", "SELECT customer_id FROM orders.tombstones"),
         "inventory": ("SELECT product_ids FROM inventory.reservations",),
         "payments": ("SELECT token FROM payments.payments", "SELECT reason FROM payments.refunds")}


@pytest.mark.parametrize("database", READS)
def test_D1_the_operators_role_reads_states_alone(api, stack, database):
    url = stack.database_url(database, database + "_operator")
    for sql in (*READS[database], "SELECT body FROM bus.outbox", "SET default_transaction_read_only = off; "
                "DELETE FROM bus.parked", "SET default_transaction_read_only = off; CREATE TABLE x (x int)"):
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            with pytest.raises(psycopg2.Error) as refused:
                cursor.execute(sql)
        assert refused.value.pgcode in ("42501", "25006"), sql
        connection.close()
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        other = "inventory" if database == "orders" else "orders"
        psycopg2.connect(url.rpartition("/")[0] + "/" + other)


def test_wrong_words_are_refused(stack):
    for words in ((), ("order",), ("order", "x"), ("order", str(uuid.uuid4()), "y"), ("--nothing",), ("dance",)):
        done = orderctl.run(stack, *words, capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr, words
