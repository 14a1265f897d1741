"""orderctl dead: a thousand dead letters are sent again at a rate behind a canary, none twice; it stops by itself."""
import datetime
import json
import time
import uuid

import pytest

from testkit.amqp import Publisher
from testkit.client import wait_until
from dev import orderctl

QUEUE, MANY, RATE = "inventory-svc", 1000, 50
LAME = "ALTER TABLE inventory.products ADD CONSTRAINT lame CHECK (price <> 4242) NOT VALID"
NOT_LAME = "ALTER TABLE inventory.products DROP CONSTRAINT IF EXISTS lame"


def run(stack, *words, seconds=300, given=None):
    done = orderctl.run(stack, *words, given=given, capture_output=True, text=True, timeout=seconds)
    return done.returncode, done.stdout + done.stderr


def put_dead(stack, service, kind, bodies, sender="operator"):
    """Puts dead letters into the queue as the service does. → their ids"""
    ids = [str(uuid.uuid4()) for _ in bodies]
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=60)
    history = f"{at:%Y-%m-%dT%H:%M:%S.000Z} 0 {service}/0.1.0 BUS_E_DB_DATA SQLSTATE 23514: constraint lame"
    with Publisher(stack.amqp_url(service)) as publisher:
        for message_id, body in zip(ids, bodies):
            properties = {"type": kind, "message_id": message_id, "user_id": service, "app_id": service}
            headers = {"bus-sender": sender, "bus-history": history}
            text = json.dumps(body).encode()
            assert publisher.publish("bus.dead." + service, service, properties, headers, text) == "ack"
    return ids


def bury(stack, count, name, price=100):
    """Dead letters of inventory-svc: products to be put. → their ids"""
    return put_dead(stack, QUEUE, "inventory.put-product.v1", [
        {"product_id": f"{name}-{number}", "name": name, "price": price, "currency": "EUR", "on_hand": 1}
        for number in range(count)])


def dead(stack):
    status, text = run(stack, "dead", "list", QUEUE)
    assert status == 0, text
    return sum(int(line.split()[0]) for line in text.splitlines() if line[:6].strip().isdigit())


def products(stack, name):
    return int(stack.sql("inventory", f"SELECT count(*) FROM inventory.products WHERE name = '{name}'")[0][0])


def audited(stack):
    with open(orderctl.audit_file(stack), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture
def empty(stack):
    yield
    stack.sql("inventory", NOT_LAME)
    stack.start_services()
    run(stack, "--all", "dead", "drop", QUEUE)
    assert dead(stack) == 0


def test_a_thousand_are_sent_again_at_a_rate_and_none_twice(stack, empty):
    ids = bury(stack, MANY, "many")
    status, text = run(stack, "dead", "list", QUEUE)
    assert status == 0 and f"{MANY}  inventory-svc  inventory.put-product.v1  BUS_E_DB_DATA" in text, text
    status, text = run(stack, "--all", "--dry-run", "dead", "retry", QUEUE)
    assert (status, text) == (0, f"{MANY} messages would be sent again, in {QUEUE}\n") and dead(stack) == MANY
    begin = time.monotonic()
    status, text = run(stack, "--all", "--canary", "5", "--rate", str(RATE), "--watch", "60", "dead", "retry", QUEUE)
    took = time.monotonic() - begin
    assert status == 0 and "done: 1000 sent" in text and "0 came back" in text, text
    assert took >= (MANY - 5) / RATE
    wait_until(lambda: products(stack, "many") == MANY, 60, "all products")
    assert dead(stack) == 0
    lines = [one for one in audited(stack) if one.get("message_id") in set(ids)]
    assert sorted(one["message_id"] for one in lines) == sorted(ids)
    successors = [one["successor"] for one in lines]
    assert len(set(successors)) == MANY
    rows = stack.sql("inventory", "SELECT count(*), count(DISTINCT message_id) FROM bus.inbox WHERE message_id IN ("
                     + ", ".join(f"'{one}'" for one in successors) + ")")
    assert rows == [[str(MANY), str(MANY)]]
    marks = [(one["mark"], one["messages"]) for one in audited(stack) if one.get("mark")]
    assert marks[-2:] == [("begin", MANY), ("end", MANY)]


def test_it_stops_by_itself_when_the_canary_comes_back(stack, empty):
    stack.sql("inventory", LAME)
    ids = bury(stack, 50, "lame", price=4242)
    status, text = run(stack, "--type", "inventory.put-product.v1", "--canary", "5", "--watch", "60", "dead", "retry",
                       QUEUE)
    assert status == 1 and "stopped by itself, messages came back: 5 sent, " in text, text
    wait_until(lambda: dead(stack) == 50, 60, "the canary in the dead queue")
    assert len([one for one in audited(stack) if one.get("message_id") in set(ids)]) == 5
    assert products(stack, "lame") == 0


def test_it_stops_by_itself_when_nobody_takes_the_canary(stack, empty):
    stack.stop_service(QUEUE)
    bury(stack, 20, "silent")
    status, text = run(stack, "--all", "--canary", "5", "--watch", "3", "dead", "retry", QUEUE)
    assert status == 1 and "stopped by itself: 5 sent, 0 taken, 0 came back" in text, text
    assert dead(stack) == 15
    stack.start_service(QUEUE)
    wait_until(lambda: products(stack, "silent") == 5, 60, "the five that were sent")
    status, text = run(stack, "--all", "--canary", "0", "--rate", "1000", "dead", "retry", QUEUE)
    assert status == 0 and "done: 15 sent" in text, text
    wait_until(lambda: products(stack, "silent") == 20, 60, "the rest")


def test_single_ones_are_shown_and_dropped(stack, empty):
    first, second = bury(stack, 2, "single")
    status, text = run(stack, "dead", "show", QUEUE, first)
    assert status == 0 and first in text and second not in text and "  try " not in text.splitlines()[0]
    status, text = run(stack, "dead", "drop", QUEUE, first)
    assert status == 0 and "1 dropped" in text and dead(stack) == 1
    assert [one["action"] for one in audited(stack) if one.get("message_id") == first] == ["dead.drop"]
    assert run(stack, "--error", "BUS_E_OTHER", "dead", "drop", QUEUE)[0] == 0 and dead(stack) == 1


def test_no_action_without_an_audit_file_or_a_choice(stack, empty):
    bury(stack, 1, "careful")
    for words, given, what in (
            (("--all", "dead", "retry", QUEUE), {"ORDERCTL_AUDIT_FILE": ""}, "ORDERCTL_AUDIT_FILE must name"),
            (("--all", "dead", "drop", QUEUE), {"ORDERCTL_AUDIT_FILE": "/absent/file"}, "cannot open the audit file"),
            (("dead", "drop", QUEUE), {}, "name the messages"),
            (("--all", "--type", "x", "dead", "drop", QUEUE), {}, "name the messages"),
            (("--all", "dead", "drop"), {}, "name the queue"),
            (("--all", "dead", "drop", "nothing"), {}, "no such work queue"),
            (("--rate", "0", "--all", "dead", "retry", QUEUE), {}, "--rate is a number from 1")):
        done = orderctl.run(stack, *words, given=given, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and what in done.stderr, (words, done.stderr)
    assert dead(stack) == 1
