"""orderctl replay: events of orders made again from their log, sent to one queue, and taken once."""
import datetime

from testkit.client import item, wait_until
from test_redrive import QUEUE, audited, run


def inbox(stack, message_id):
    return int(stack.sql("inventory", f"SELECT count(*) FROM bus.inbox WHERE message_id = '{message_id}'")[0][0])


def sold(stack):
    return stack.sql("inventory", "SELECT on_hand, reserved FROM inventory.products WHERE product_id = 'A'")


def test_events_of_an_order_are_sent_again_and_taken_once(api, stack):
    order_id = api.complete(item("A"))["order_id"]
    wait_until(lambda: stack.sql("inventory", "SELECT state FROM inventory.reservations WHERE order_id = "
                                 f"'{order_id}'") == [["COMMITTED"]], 30, "the stock to be sold")
    before = sold(stack)
    status, text = run(stack, "--order", order_id, "--dry-run", "replay", QUEUE)
    assert (status, text) == (0, f"1 events of 1 orders would be sent to {QUEUE}\n")
    status, text = run(stack, "--order", order_id, "replay", QUEUE)
    assert status == 2 and f"the service of {QUEUE} took messages before the end of that time" in text, text
    for _ in range(2):
        status, text = run(stack, "--order", order_id, "--force", "replay", QUEUE)
        assert status == 0 and "done: 1 of 1 events sent" in text, text
    lines = [one for one in audited(stack) if one["action"] == "replay" and "message_id" in one]
    assert [one["order_id"] for one in lines[-2:]] == [order_id] * 2
    assert lines[-1]["message_id"] == lines[-2]["message_id"]
    wait_until(lambda: inbox(stack, lines[-1]["message_id"]) == 1, 30, "the event in the inbox")
    assert sold(stack) == before
    assert stack.sql("inventory", f"SELECT count(*) FROM bus.parked WHERE correlation_id = '{order_id}'") == [["0"]]


def test_a_queue_that_is_new_gets_the_events_of_a_time(api, stack):
    since = datetime.datetime.now(datetime.timezone.utc)
    ids = [api.complete(item("A"))["order_id"] for _ in range(3)]
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
    stack.sql("inventory", "UPDATE bus.inbox SET received_at = now() + interval '1 hour'")  # as if it were new
    words = ("--since", since.isoformat(), "--until", until.isoformat(), "--rate", "1000")
    status, text = run(stack, *words, "replay", QUEUE)
    assert status == 0 and "done: 3 of 3 events sent" in text, text
    lines = [one for one in audited(stack) if one["action"] == "replay" and "message_id" in one]
    assert sorted(one["order_id"] for one in lines[-3:]) == sorted(ids)
    for one in lines[-3:]:
        wait_until(lambda one=one: inbox(stack, one["message_id"]) == 1, 30, "the event in the inbox")
    status, text = run(stack, *words, "--type", "order.created.v1", "--dry-run", "replay", QUEUE)
    assert (status, text) == (0, f"0 events of 3 orders would be sent to {QUEUE}\n")


def test_wrong_words_of_a_replay_are_refused(stack):
    some = ("--since", "2026-03-01T12:00:00Z")
    for words, given, what in (
            ((), {}, "replay takes the queue"), (("payment-svc",), {}, "takes events of orders"),
            ((QUEUE,), {}, "name the events by --order"),
            ((*some, "--order", "x", QUEUE), {}, "name the events by --order"),
            (("--order", "x", QUEUE), {}, "--order is a UUID"), (("--since", "noon", QUEUE), {}, "are times like"),
            ((*some, QUEUE), {"ORDERS_LOG_DATABASE_URL": ""}, "ORDERS_LOG_DATABASE_URL must name"),
            ((*some, "--force", QUEUE), {"ORDERCTL_AUDIT_FILE": ""}, "ORDERCTL_AUDIT_FILE must name")):
        status, text = run(stack, "replay", *words, given=given)
        assert status == 2 and what in text, (words, given, text)
