"""Parked messages: an operator finds them with their cause, and sends them again when it is mended."""
import json
import os
import subprocess
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
