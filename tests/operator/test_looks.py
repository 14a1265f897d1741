"""orderctl: stuck, outbox, topology diff and broker probe, on a stack where something is wrong."""
import json
import os
import re
import subprocess

import pytest

from testkit.client import item, wait_until
from dev import build, manifests, orderctl

MANY = 3
CONFIRMED = ("bus.event", "order.confirmed")


def run(stack, *words, **options):
    """→ (status, what it printed, what it said on stderr)"""
    done = orderctl.run(stack, *words, capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def objects(stack, *words, **options):
    """→ (status, the JSON objects that it printed, one a line)"""
    status, text, _ = run(stack, "--json", *words, **options)
    return status, [json.loads(line) for line in text.splitlines()]


# ---- stuck ----

def test_stuck_names_orders_behind_a_stopped_service_why_and_what_to_do(api, stack):
    stack.stop_service("payment-svc")
    ids = [api.place(item("A")).json()["order_id"] for _ in range(MANY)]
    for order_id in ids:
        api.wait_status(order_id, "RESERVED")
    wait_until(lambda: run(stack, "--older", "1", "stuck")[1].count(" RESERVED since ") == MANY, 60, "stuck orders")
    status, text, _ = run(stack, "--older", "1", "stuck")
    lines = text.splitlines()
    assert status == 1 and lines[1] == "-> start payment-svc"
    # The broker counts a message a moment after its order, and some may be sent again.
    assert re.fullmatch(rf"{MANY} orders: waits for payment-svc: its queue payment-svc has \d messages? and no "
                        "consumer", lines[0])
    assert {line.split()[0] for line in lines[2:]} == set(ids)
    status, found = objects(stack, "--older", "1", "stuck")
    assert status == 1 and {one["order_id"] for one in found} == set(ids)
    assert {(one["verdict"]["code"], one["verdict"]["action"]) for one in found} == {
        ("no_consumer", "start payment-svc")}
    assert len(objects(stack, "--older", "1", "--limit", "2", "stuck")[1]) == 2
    assert run(stack, "--older", "3600", "stuck") == (0, "no open order stands still for 3600 s\n", "")
    stack.start_service("payment-svc")
    for order_id in ids:
        assert api.wait_final(order_id)["status"] == "CONFIRMED"
    assert run(stack, "--older", "0", "stuck")[0] == 0


# ---- outbox and topology diff ----

@pytest.fixture
def applied(stack):
    yield
    subprocess.run([os.path.join(build.programs(stack.preset), "bus-topology"), "apply"], check=True, timeout=60,
                   env=os.environ | {"RABBITMQ_URL": stack.amqp_url()})
    status, text, _ = run(stack, "topology", "diff")
    assert (status, text) == (0, "no difference\n")


def outbox_of(stack, service):
    return objects(stack, "outbox", service)[1][0]


def code(outbox):
    return outbox["verdict"]["code"]


def age(stack):
    stack.sql("orders", "UPDATE bus.outbox SET created_at = created_at - interval '60 seconds'")


def test_outbox_says_what_waits_and_topology_diff_what_is_missing(api, stack, applied):
    assert run(stack, "outbox")[0] == 0
    listed = {one["service"] for one in objects(stack, "outbox")[1]}
    assert listed == {one.name for one in manifests.ON_BUS if one.database}
    management, vhost = stack.broker.management, stack.broker.admin.path
    source, key = CONFIRMED
    queues = sorted(one["destination"] for one in management.must("GET", "bindings", vhost)
                    if (one["source"], one["routing_key"]) == (source, key))
    for queue in queues:  # with one of them left the broker has a place for the message
        management.must("DELETE", "bindings", vhost, "e", source, "q", queue, key)
    status, text, _ = run(stack, "topology", "diff")
    assert (status, text) == (1, "".join(f"missing: binding {source} {key} -> {queue}\n" for queue in queues) +
                              "-> bus-topology apply, as an administrator, declares what is missing\n")
    order_id = api.place(item("A")).json()["order_id"]
    assert api.wait_final(order_id)["status"] == "CONFIRMED"
    wait_until(lambda: code(outbox_of(stack, "order-svc")) == "unroutable", 30, "a row that no queue takes")
    status, text, _ = run(stack, "outbox", "order-svc", "payment-svc")
    assert status == 1
    assert "order-svc: no queue takes 1 row of it, such as order.confirmed.v1\n" \
        "  -> orderctl topology diff names the missing queue or binding; bus-topology apply makes it\n" in text
    assert "payment-svc: " in text and "inventory-svc: " not in text
    stack.stop_service("order-svc")
    age(stack)
    stack.sql("orders", "UPDATE bus.outbox SET unroutable = false, next_attempt_at = now()")
    found = outbox_of(stack, "order-svc")
    assert code(found) == "no_consumer" and found["consumers"] == 0
    assert found["verdict"]["action"] == "start order-svc"
    group, = found["groups"]
    assert (group["type"], group["rows"], group["messages"], group["due"]) == ("order.confirmed.v1", 1, 1, 1)
    stack.sql("orders", "UPDATE bus.outbox SET attempts = 1, next_attempt_at = now() + interval '1 hour'")
    assert code(outbox_of(stack, "order-svc")) == "unpublished"
    assert outbox_of(stack, "order-svc")["groups"][0]["claimed"] == 1
    stack.sql("orders", "UPDATE bus.outbox SET next_attempt_at = now()")
    for queue in queues:
        management.must("POST", "bindings", vhost, "e", source, "q", queue, body={"routing_key": key})
    stack.start_service("order-svc")
    wait_until(lambda: code(outbox_of(stack, "order-svc")) == "done", 30, "an empty outbox")
    assert objects(stack, "outbox")[0] == 0


def test_outbox_names_a_database_that_is_away_and_refuses_other_words(stack):
    away = orderctl.variables(stack)["PAYMENTS_DATABASE_URL"].replace("/payments", "/absent")
    status, text, _ = run(stack, "outbox", given={"PAYMENTS_DATABASE_URL": away})
    assert status == 2 and "payment-svc: its database is not reachable: " in text and "order-svc: " in text
    status, text, said = run(stack, "outbox", "order-svc", given={"RABBITMQ_URL": ""})
    assert status == 0 and "order-svc: " in text and "broker: no URL of it is set" in said
    status, _, said = run(stack, "outbox", "edge")
    assert status == 2 and "no service edge has an outbox" in said


def test_topology_diff_names_what_is_surplus_and_what_differs(stack, applied):
    management, vhost = stack.broker.management, stack.broker.admin.path
    tier = "bus.retry.10m.payment-svc"
    declared = next(one for one in management.must("GET", "queues", vhost) if one["name"] == tier)
    try:
        management.must("PUT", "queues", vhost, "old", body={"durable": True})
        management.must("POST", "bindings", vhost, "e", "bus.event", "q", "old", body={"routing_key": "#"})
        management.must("DELETE", "queues", vhost, tier)
        management.must("PUT", "queues", vhost, tier,
                        body={"durable": True, "arguments": declared["arguments"] | {"x-message-ttl": 1000}})
        status, found = objects(stack, "topology", "diff")
        assert status == 1
        assert {(one["kind"], one["name"], one["detail"]) for one in found if one["kind"] != "missing"} == {
            ("differs", f"queue {tier}", "x-message-ttl is 1000, declared 600000"), ("surplus", "queue old", None),
            ("surplus", "binding bus.event # -> old", None)}
        assert {one["name"].partition(" ")[0] for one in found if one["kind"] == "missing"} == {"binding"}
    finally:
        for name in ("old", tier):
            management.call("DELETE", "queues", vhost, name)


def test_topology_diff_needs_the_management_api(stack):
    for given, what in (({"RABBITMQ_MANAGEMENT_URL": ""}, "RABBITMQ_MANAGEMENT_URL must name"),
                        ({"RABBITMQ_MANAGEMENT_URL": "ftp://x@y"}, "RABBITMQ_MANAGEMENT_URL must be http"),
                        ({"RABBITMQ_MANAGEMENT_URL": "http://u:p@127.0.0.1:1"}, "the management API does not answer"),
                        ({"RABBITMQ_MANAGEMENT_URL": stack.broker.management_url("edge")},
                         "the management API answered 401")):
        status, text, said = run(stack, "topology", "diff", given=given)
        assert (status, text) == (2, "") and what in said, (given, said)
    assert run(stack, "topology")[0] == 2 and run(stack, "topology", "apply")[0] == 2


# ---- broker probe ----

def test_a_probe_shows_whether_the_broker_takes_messages(stack):
    ctl = stack.servers.rabbitmq.ctl

    def depths():  # of work, tier and dead queues; queries come and go
        listed = ctl("-q", "list_queues", "-p", stack.broker.admin.path, "name", "messages", "type").splitlines()
        return sorted(line for line in listed if line.endswith("quorum"))

    before = depths()
    dead = [line for line in before if line.split("\t")[0].endswith(".dead")]
    assert dead and len(before) == 5 * len(dead)  # each work queue has three tiers and a dead queue
    status, text, _ = run(stack, "broker", "probe")
    assert status == 0 and " RabbitMQ 3." in text and ": takes messages: connected in " in text, text
    status, (found,) = objects(stack, "broker", "probe")
    assert status == 0 and found["verdict"]["code"] == "done" and found["alarm"] is None
    assert 0 < found["returned"] <= found["confirmed"] and found["queues"] == len(dead)
    assert depths() == before
    ctl("set_vm_memory_high_watermark", "0.0000001")
    try:
        wait_until(lambda: run(stack, "broker", "probe")[0] == 1, 30, "an alarm")
        _, (found,) = objects(stack, "broker", "probe")
        assert found["verdict"]["code"] == "paused" and "low on memory" in found["alarm"]
    finally:
        ctl("set_vm_memory_high_watermark", "absolute", "1GiB")
    wait_until(lambda: run(stack, "broker", "probe")[0] == 0, 30, "no alarm")


def test_a_probe_names_a_node_that_is_away_and_probes_the_others(stack):
    url = stack.amqp_url("operator")
    nodes = url.replace("@", "@127.0.0.1:1,")
    status, found = objects(stack, "broker", "probe", given={"RABBITMQ_URL": nodes})
    assert status == 1 and [one["verdict"]["code"] for one in found] == ["unreachable", "done"]
    assert "host 1 of the URL" == found[0]["node"] and stack.state.secret("amqp-operator") not in json.dumps(found)
    status, _, said = run(stack, "broker", "probe", given={"RABBITMQ_URL": ""})
    assert status == 2 and "RABBITMQ_URL must name the broker" in said
    assert run(stack, "broker", "poke")[0] == 2
