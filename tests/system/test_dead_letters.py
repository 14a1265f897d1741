"""Parked messages: an operator finds them with their cause, and sends them again when it is mended."""
import json
import os
import subprocess
import time
import uuid

from testkit.amqp import Publisher
from testkit.client import item, wait_until
from dev import build, manifests

LAME = "ALTER TABLE inventory.reservations ADD CONSTRAINT lame CHECK (state <> 'RESERVED') NOT VALID"


def bus_dead(stack, *words):
    program = os.path.join(build.programs(stack.preset), "bus-dead")
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=30, check=False,
                          env=os.environ | {"RABBITMQ_URL": stack.amqp_url("operator")})
    return done.returncode, done.stdout + done.stderr


def work_queues(stack):
    """The queues of commands and events: each has a dead queue."""
    names = {queue["name"] for queue in stack.broker.management.must("GET", "queues", stack.broker.admin.path)}
    return sorted(name for name in names if name + ".dead" in names)


def dead_ids(stack, queue="inventory-svc"):
    """The messages of a dead queue: {message id: line}."""
    status, text = bus_dead(stack, "list", queue)
    assert status == 0, text
    return {line.split()[0]: line for line in text.splitlines()}


def assert_shown(api, order_id, message_id, count):
    """The edge tells operators of it: with the order, by cause, and in the counts of its queue."""
    trail = wait_until(lambda: [found for found in [api.get(f"/api/orders/{order_id}/trail").json()]
                                if not found["outgoing"]], 10, "rows of outboxes to be deleted once confirmed")[0]
    assert trail["silent"] == []
    (dead,) = trail["dead"]
    assert (dead["service"], dead["message_id"], dead["queue"]) == ("inventory-svc", message_id, "inventory-svc")
    assert (dead["type"], dead["error"]) == ("inventory.reserve.v1", "BUS_E_DB_DATA") and "lame" in dead["cause"]
    causes = api.get("/api/dead-letters").json()
    (cause,) = [one for one in causes["items"] if "lame" in one["cause"]]
    assert causes["silent"] == [] and cause["count"] == 1 and cause["message_id"] == message_id
    time.sleep(2.1)  # counts are that old
    (queue,) = [one for one in api.get("/api/queues").json()["items"] if one["queue"] == "inventory-svc"]
    assert queue["dead"] == count and queue["consumers"] >= 1 and queue["service"] == "inventory-svc"


def test_order_whose_command_was_parked_is_finished_by_a_replay(api, stack):
    """A rule of the database that the code does not keep, as a bad release would have it."""
    before = dead_ids(stack)
    stack.sql("inventory", LAME)
    try:
        order_id = api.place(item("A", 2)).json()["order_id"]
        found = wait_until(lambda: {key: line for key, line in dead_ids(stack).items() if key not in before}, 20,
                           "a parked message")
    finally:
        stack.sql("inventory", "ALTER TABLE inventory.reservations DROP CONSTRAINT lame")
    (message_id, line), = found.items()
    assert order_id in line and "inventory.reserve.v1" in line and "BUS_E_DB_DATA" in line and "lame" in line
    assert api.order(order_id)["status"] == "PENDING"
    rows = stack.sql("inventory", "SELECT service_version <> '', history LIKE '%inventory-svc/%23514%lame%' "
                                  f"FROM bus.parked WHERE message_id = '{message_id}'")
    assert rows == [["t", "t"]]
    assert_shown(api, order_id, message_id, len(dead_ids(stack)))
    status, text = bus_dead(stack, "replay", "inventory-svc", message_id)
    assert status == 0 and "1 sent again" in text, text
    order = api.wait_final(order_id)
    assert order["status"] == "CONFIRMED" and order["total"] == 2 * 999
    assert message_id not in dead_ids(stack)


def test_a_forged_payment_does_not_become_true_by_a_replay(api, stack):
    """inventory-svc was broken into and says that an order was paid; an operator then replays the dead letters."""
    order_id = api.place(item("A"), token="pm_sandbox_timeout_declined").json()["order_id"]
    api.wait_status(order_id, "RESERVED")
    message_id = str(uuid.uuid4())
    forged = {"type": "payment.captured.v1", "message_id": message_id, "user_id": "inventory-svc",
              "app_id": "payment-svc", "correlation_id": order_id}
    body = json.dumps({"order_id": order_id, "amount": 999, "currency": "EUR"}).encode()
    with Publisher(stack.amqp_url("inventory-svc")) as publisher:
        assert publisher.publish("bus.event", "stock.released", forged, {"bus-sender": "payment-svc"}, body) == "ack"
    wait_until(lambda: message_id in dead_ids(stack, "order-svc"), 20, "the forged event in the dead queue")
    assert "payment.captured.v1 inventory-svc! " in dead_ids(stack, "order-svc")[message_id]
    for words in (message_id,), ("--all",):
        status, text = bus_dead(stack, "replay", "order-svc", *words)
        assert status == 1 and f"{message_id} is not sent again: sender inventory-svc" in text, text
    assert message_id in dead_ids(stack, "order-svc")
    assert api.wait_final(order_id)["status"] == "CANCELLED"


def test_every_dead_message_has_its_row(api, stack):
    """Compares the queues with the records of the databases, whatever else this suite dead-lettered."""
    owners = {one.broker_user: one.database for one in manifests.WITH_DATABASE}
    databases = {queue: owners[queue.partition(".")[0]] for queue in work_queues(stack)}
    status, text = bus_dead(stack, "list")
    assert status == 0, text
    counts = {name: int(count) for name, count in (line.split() for line in text.splitlines())}
    assert set(counts) == set(databases) and "order-svc.place" in databases
    for queue, database in databases.items():
        _, text = bus_dead(stack, "list", queue)
        lying = {line.split()[0]: line for line in text.splitlines() if not line.startswith("-")}
        rows = {row[0] for row in stack.sql(database, f"SELECT message_id FROM bus.parked WHERE queue = '{queue}'")}
        assert not {key: line for key, line in lying.items() if key not in rows}, queue


def test_what_waits_in_an_outbox_is_in_the_trail_of_its_order(api, stack):
    """A message alone and one of a bundle; nobody else's."""
    order_id, other, alone, bundle, inner = (str(uuid.uuid4()) for _ in range(5))
    element = [{"id": inner, "subject": order_id}, {"id": str(uuid.uuid4()), "subject": other}]
    rows = (f"('{alone}', 'order.cancelled.v1', '{order_id}', '{{}}', true, 1, 'infinity')",
            f"('{bundle}', 'order.created.v1', NULL, '{json.dumps(element)}', false, 2, 'infinity')")
    columns = "id, type, correlation_id, body, unroutable, messages, next_attempt_at"
    stack.sql("orders", f"INSERT INTO bus.outbox ({columns}) VALUES {', '.join(rows)}")
    try:
        found = api.get(f"/api/orders/{order_id}/trail").json()["outgoing"]
        others = api.get(f"/api/orders/{other}/trail").json()["outgoing"]
    finally:
        stack.sql("orders", f"DELETE FROM bus.outbox WHERE id IN ('{alone}', '{bundle}')")
    assert {(one["service"], one["message_id"], one["unroutable"]) for one in found} == {
        ("order-svc", alone, True), ("order-svc", inner, False)}
    assert len(others) == 1
