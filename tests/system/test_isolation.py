"""Who may do what: databases and broker refuse a service what is not its own; programs are hardened."""
import itertools
import json
import os
import re
import subprocess
import uuid

import psycopg2
import pytest
import requests

from testkit.amqp import Publisher, Refused
from testkit.client import item, wait_until
from conftest import SERVICES
from test_dead_letters import dead_ids, work_queues
from dev import build, manifests
from dev.broker import USERS

ROLE = {one.database: one.roles["runtime"] for one in manifests.WITH_DATABASE}


def sqlstate(url, sql):
    """None when the server let it happen; it is rolled back."""
    connection = psycopg2.connect(url, connect_timeout=5)
    connection.autocommit = sql.startswith("ALTER SYSTEM")  # which runs in no transaction
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
        return None
    except psycopg2.Error as error:
        return error.pgcode
    finally:
        connection.rollback()
        connection.close()


def as_role(stack, database, role):
    """The database's URL with another service's role and password."""
    own = next(name for name, owner in ROLE.items() if owner == role)
    url = stack.database_url(own, role)
    head, _, tail = url.rpartition("/" + own)
    return f"{head}/{database}{tail}"


# Databases

@pytest.mark.parametrize("database, role", [pair for pair in itertools.product(ROLE, ROLE.values())
                                            if ROLE[pair[0]] != pair[1]])
def test_D1_no_service_reads_anothers_database(stack, api, database, role):
    with pytest.raises(psycopg2.OperationalError, match="permission denied|not permitted"):
        psycopg2.connect(as_role(stack, database, role), connect_timeout=5)


@pytest.mark.parametrize("database", ROLE)
def test_D1_service_has_no_more_than_it_needs(stack, api, database):
    url = stack.database_url(database, ROLE[database])
    for sql in ("CREATE TABLE public.x (x int)", f"CREATE TABLE {database}.x (x int)", "CREATE SCHEMA x",
                "CREATE ROLE x", f"DROP SCHEMA {database} CASCADE", "CREATE TABLE bus.x (x int)", "TRUNCATE bus.inbox",
                "SELECT * FROM pg_authid", "COPY (SELECT 1) TO PROGRAM 'true'", "ALTER SYSTEM SET fsync = off",
                "SET ROLE postgres"):
        assert sqlstate(url, sql) in ("42501", "3F000", "22023"), sql
    assert sqlstate(url, "SELECT 1 FROM bus.outbox LIMIT 1") is None


def test_D2_history_cannot_be_changed(stack, api):
    url = stack.database_url("orders", "order_svc")
    for sql in ("UPDATE orders.order_events SET seq = seq", "DELETE FROM orders.order_events",
                "DELETE FROM orders.orders"):
        assert sqlstate(url, sql) == "42501", sql
    for database, table in (("inventory", "inventory.reservations"), ("payments", "payments.payments")):
        assert sqlstate(stack.database_url(database, ROLE[database]), f"DELETE FROM {table}") == "42501", table
    for database, role in ROLE.items():
        assert sqlstate(stack.database_url(database, role), "UPDATE bus.inbox SET received_at = now()") == "42501"


def test_D3_owners_do_not_log_in(stack, api):
    rows = {row[0]: row[1:] for row in stack.sql("orders", "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles")}
    for service in manifests.WITH_DATABASE:
        assert {kind: rows[role] for kind, role in service.roles.items()} == {
            kind: ["f" if kind == "owner" else "t", "f"] for kind in service.roles}


def test_D6_timeouts_of_the_roles(stack, api):
    for database, role in ROLE.items():
        connection = psycopg2.connect(stack.database_url(database, role))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout'), "
                           "current_setting('idle_in_transaction_session_timeout')")
            assert cursor.fetchone() == ("3s", "10s", "5s")
        connection.close()


SQL = ("'", "''", "\\'", "'; DROP TABLE orders.orders; --", "' OR '1'='1", "\" OR 1=1 --", "1; SELECT pg_sleep(5)",
       "$$;", "\\x00", "%27%20OR%201=1", "{}", "{1,2}", "\\", "/*", "*/", "--", "NULL", "\u00e4\u20ac\U0001f642", "a,b",
       "\"", "{\"a\"", "a\\\"b")


def test_D7_text_is_never_sql(api, stack):
    """Everywhere that a client's text goes: it is stored as it is, or refused; never more."""
    for text in SQL:
        reason = api.cancel(str(uuid.uuid4()), text)
        assert reason.status_code in (400, 404), (text, reason.text)
        key = api.place_body({"idempotency_key": "k" + text, "items": [item("A")]})
        assert key.status_code in (202, 200, 400), (text, key.text)
        customer = api.place_body({"idempotency_key": str(uuid.uuid4()), "customer_id": text, "items": [item("A")]})
        assert customer.status_code in (202, 400), (text, customer.text)
        if customer.status_code == 202:
            assert api.wait_final(customer.json()["order_id"])["customer_id"] == text
            found = api.get("/api/orders?customer_id=" + requests.utils.quote(text)).json()["items"]
            assert customer.json()["order_id"] in [order["order_id"] for order in found]
        product = api.place_body({"idempotency_key": str(uuid.uuid4()), "items": [item(text)]})
        assert product.status_code == 400 or text == "NULL" or text == "--", (text, product.text)
    assert int(stack.sql("orders", "SELECT count(*) FROM orders.orders")[0][0]) > 0


def test_D7_reasons_of_any_text_survive(api):
    for text in SQL:
        order_id = api.place(item("A")).json()["order_id"]
        answer = api.cancel(order_id, text)
        assert answer.status_code in (202, 409), answer.text
        api.wait_final(order_id)


# The broker

def send(stack, user, kind, body):
    program = os.path.join(build.programs(stack.preset), "bus-send")
    return subprocess.run([program, "--url", stack.amqp_url(user), kind], input=json.dumps(body) + "\n",
                          capture_output=True, text=True, timeout=20, check=False)


FOREIGN = "018f0000-0000-7000-8000-00000000f001"
COMMANDS = {
    "payment.charge.v1": ("order-svc", {"order_id": FOREIGN, "amount": 1, "currency": "EUR", "token": "pm_card_visa"}),
    "payment.refund.v1": ("order-svc", {"order_id": FOREIGN}),
    "payment.check.v1": ("edge", {"order_id": FOREIGN, "psp_id": "pi_1"}),
    "inventory.release.v1": ("order-svc", {"order_id": FOREIGN}),
    "inventory.set-stock.v1": ("edge", {"request_id": FOREIGN, "product_id": "A", "on_hand": 1}),
    "inventory.put-product.v1": ("operator", {"product_id": "FOREIGN", "name": "x", "price": 1, "currency": "EUR"}),
    "order.cancel.v1": ("edge", {"order_id": FOREIGN}),
}


@pytest.mark.parametrize("user, kind", [pair for pair in itertools.product(USERS, COMMANDS)
                                        if COMMANDS[pair[1]][0] != pair[0]])
def test_Q1_broker_refuses_foreign_publishes(stack, api, user, kind):
    done = send(stack, user, kind, COMMANDS[kind][1])
    assert done.returncode != 0, f"{user} published {kind}"
    assert "403" in done.stderr or "refused" in done.stderr.lower() or "ACCESS_REFUSED" in done.stderr, done.stderr


def test_Q1_foreign_publishes_left_no_trace(stack, api):
    assert api.product("A")["on_hand"] > 1
    assert api.get("/api/products/FOREIGN").status_code == 404
    for database, table in (("orders", "orders.orders"), ("inventory", "inventory.reservations"),
                            ("payments", "payments.payments")):
        assert stack.sql(database, f"SELECT count(*) FROM {table} WHERE order_id = '{FOREIGN}'") == [["0"]]


def test_Q1_permissions_are_narrow(stack, api):
    """configure is nothing, but for the edge's own answers and events; the default exchange is nobody's."""
    found = stack.broker.management.must("GET", "permissions")
    seen = {entry["user"]: entry for entry in found if entry["vhost"] == stack.broker.admin.path}
    for user in USERS:
        entry = seen[user]
        asks = all(re.fullmatch(entry["configure"], f"edge.{kind}.x") for kind in ("reply", "event"))
        assert asks if user == "edge" else entry["configure"] in ("^$", "")
        for exchange in ("", "amq.default", "amq.topic"):
            assert not (exchange and re.search(entry["write"], exchange)), (user, exchange)
        for queue in work_queues(stack):
            if not queue.startswith(user):
                assert not re.search(entry["read"], queue), (user, queue)
    assert "guest" not in [user["name"] for user in stack.broker.management.must("GET", "users")]


# CC and BCC: further routing keys, which the topic permissions of RabbitMQ 3 do not cover

SHARED = ("bus.cmd", "bus.event", "bus.query", "bus.reply")
FOREIGN_TYPE = "payment.charge.v1"  # for a user without a queue


def taken_type(bindings, user, own):
    """A type that the user's own queue takes; of an operator, the queue to which its exchange of retries leads."""
    queue = own.get("bus.retry." + user, "").partition(".")[2]
    return next((entry["routing_key"] + ".v1" for entry in bindings
                 if entry["destination"] == queue and entry["source"] in ("bus.cmd", "bus.event")), FOREIGN_TYPE)


def first_key(pattern):
    """A key that one of our patterns, such as ^(1s|30s)\\.(order-svc)$, allows."""
    text = re.sub(r"\(([^|)]*)[^)]*\)", r"\1", pattern[1:-1])
    return text.replace("\\.", ".").replace(".*", "x")


def service_of(queue):
    return queue.partition(".")[0]


def send_everywhere(stack, user):
    """To every exchange by a key that is the user's, with the broker's other keys in CC, and in BCC: of a shared
    exchange all of them, of the user's own one those that it does not lead to.
    → ({message id: exchange} of what the broker took, how many copies reach work queues through shared exchanges)."""
    management, vhost = stack.broker.management, stack.broker.admin.path
    bindings = management.must("GET", "bindings", vhost)
    keys = sorted({entry["routing_key"] for entry in bindings})
    reached = {exchange: {service_of(entry["destination"]) for entry in bindings
                          if entry["source"] == exchange and ".event." not in entry["destination"]}
               for exchange in ("bus.cmd", "bus.event")}  # who listens drops it
    own = {entry["exchange"]: first_key(entry["write"]) for entry in management.must("GET", "topic-permissions")
           if (entry["user"], entry["vhost"]) == (user, vhost)}
    taken, copies = {}, set()
    exchanges = [entry["name"] for entry in management.must("GET", "exchanges", vhost)]
    assert len(exchanges) > 13
    for exchange, header in itertools.product(exchanges, ("CC", "BCC")):
        message_id = str(uuid.uuid4())
        led = {entry["routing_key"] for entry in bindings if entry["source"] == exchange and exchange not in SHARED}
        properties = {"type": taken_type(bindings, user, own), "message_id": message_id, "user_id": user}
        try:
            with Publisher(stack.amqp_url(user)) as publisher:
                publisher.publish(exchange, own.get(exchange, keys[0]), properties,
                                  {header: [key for key in keys if key not in led], "bus-cause": "this test"}, b"{")
                taken[message_id] = exchange
                copies |= {(service, message_id) for service in reached.get(exchange, ())}
        except Refused as refused:
            assert refused.args[0] == 403, refused
    return taken, copies


def parked_of(stack, ids):
    """{(queue, message id): cause}"""
    listed = ", ".join(f"'{message_id}'" for message_id in ids)
    return {(row[0], row[1]): row[2] for name in ROLE for row in stack.sql(
        name, f"SELECT queue, message_id, cause FROM bus.parked WHERE message_id IN ({listed})")}


def taken_from(management, vhost, tier):
    """{(service, message id)} of what waits in a tier; it waits no more."""
    service = service_of(tier.removeprefix("bus.retry.10m."))
    return {(service, message["properties"]["message_id"]) for message in management.must(
        "POST", "queues", vhost, tier, "get", body={"count": 100, "ackmode": "ack_requeue_false", "encoding": "auto"})}


def checks_further_keys(management):
    """RabbitMQ 4 asks the topic permissions for each of a message's keys."""
    return int(management.must("GET", "overview")["rabbitmq_version"].split(".")[0]) >= 4


@pytest.mark.parametrize("user", [pytest.param(one, marks=() if one in ("edge", "order-svc") else pytest.mark.long)
                                  for one in USERS])
def test_Q1_further_routing_keys_reach_nothing_foreign(stack, api, user):
    """The retry and dead exchanges of a user lead to its own queues, whatever the headers say. A message through a
    shared exchange is dead-lettered by the service that gets it, because of its sender; an unknown type waits in the
    last tier."""
    management, vhost = stack.broker.management, stack.broker.admin.path
    tiers = [queue["name"] for queue in management.must("GET", "queues", vhost)
             if queue["name"].startswith("bus.retry.10m.")]
    taken, copies = send_everywhere(stack, user)
    if checks_further_keys(management):
        assert not taken, f"the broker took {taken}"
        return
    private = {key for key, exchange in taken.items() if exchange not in SHARED}
    assert {taken[key] for key in private} == (
        {f"bus.retry.{user}", f"bus.dead.{user}"} if user in map(service_of, work_queues(stack)) else
        {"bus.retry.operator"} if user == "operator" else set())
    # A message that is back from the shortest tier is dead-lettered. A copy in another service's tier would be back,
    # too.
    back = {key for key in private if taken[key].startswith("bus.retry.")}
    wait_until(lambda: {key for _, key in parked_of(stack, taken)} >= back, 20, "what was retried, parked")
    # By service, not by queue: two copies that one batch takes from two queues are one message, and one row.
    waiting = set()

    def put_away():
        for tier in tiers:
            waiting.update(taken_from(management, vhost, tier))
        return waiting | {(service_of(queue), key) for queue, key in parked_of(stack, taken) if key not in private}

    wait_until(lambda: put_away() == copies, 20, f"{len(copies)} copies put away")
    for (queue, key), cause in parked_of(stack, taken).items():
        own = queue in (user, user + ".place")
        assert own or "CC or BCC" in cause or "may not send" in cause, (queue, taken[key], cause)
        assert own or key not in private or user == "operator", (queue, taken[key])
    for queue in work_queues(stack):
        assert queue.startswith(user) or user == "operator" or not private & set(dead_ids(stack, queue)), queue


def dropped_answers(stack):
    text = requests.get(stack.url("order-svc") + "/metrics", timeout=5).text
    found = {name: float(value) for name, value in re.findall(r"(?m)^([^# ]+) ([0-9.]+)$", text)}
    return found["bus_answers_dropped_total"], found['bus_reconnects_total{link="broker"}']


def test_a_forged_reply_address_closes_no_channel(stack, api):
    """An answer to it would be refused with 403, and every request on that channel would wait for a new one."""
    dropped, reconnects = dropped_answers(stack)
    addresses = ("order-svc", "payment-svc.reply.1", "edge.reply.", "bus.cmd")
    with Publisher(stack.amqp_url("edge")) as publisher:
        for address in addresses:
            properties = {"type": "order.ping.v1", "message_id": str(uuid.uuid4()), "user_id": "edge",
                          "reply_to": address}
            assert publisher.publish("bus.query", "order.ping", properties) == "ack"
    wait_until(lambda: dropped_answers(stack)[0] == dropped + len(addresses), 10, "the answers dropped")
    assert api.complete(item("A"))["status"] == "CONFIRMED"
    assert dropped_answers(stack)[1] == reconnects


def test_Q5_no_service_fills_the_broker(stack, api):
    """Each queue has a limit in bytes, all of them together fit on the disk, and nothing that was taken is dropped."""
    management, vhost = stack.broker.management, stack.broker.admin.path
    queues = management.must("GET", "queues", vhost)
    stored = 0
    for queue in queues:
        policy = queue["effective_policy_definition"]
        assert policy.get("max-length-bytes", 0) > 0, queue["name"]
        if queue["type"] == "quorum":
            stored += policy["max-length-bytes"]
            assert policy["overflow"] == "reject-publish", queue["name"]
    assert len(queues) >= 24 and stored <= max(1 << 30, min(
        node["disk_free"] for node in management.must("GET", "nodes")))
    (limits,) = management.must("GET", "vhost-limits", vhost)
    declared = [queue["name"] for queue in queues if not re.search(r"\.(reply|event)\.", queue["name"])]
    assert limits["value"] == {"max-connections": 100 * (len(USERS) + 1), "max-queues": len(declared) + 300}
    for user in USERS:
        (limits,) = management.must("GET", "user-limits", user)
        assert limits["value"] == {"max-connections": 100, "max-channels": 100}


def test_Q5_a_user_at_its_limit_gets_no_further_connection(stack, api):
    management = stack.broker.management
    management.must("PUT", "user-limits", "operator", "max-connections", body={"value": 2})
    try:
        with Publisher(stack.amqp_url("operator")), Publisher(stack.amqp_url("operator")):
            with pytest.raises(Refused):
                Publisher(stack.amqp_url("operator"))
            with Publisher(stack.amqp_url("edge")):
                pass
    finally:
        management.must("PUT", "user-limits", "operator", "max-connections", body={"value": 100})


# Poison: published by the administrator, whom the broker lets do anything

POISON = [
    ("order-svc", "stock.reserved.v1", "{"),
    ("order-svc", "stock.reserved.v1", "[]"),
    ("order-svc", "payment.captured.v1", '{"order_id":"x","amount":1}'),
    ("order-svc", "payment.captured.v1", '{"order_id":"018f0000-0000-7000-8000-00000000f001","amount":1.5}'),
    ("inventory-svc", "order.confirmed.v1", ""),
    ("inventory-svc", "inventory.reserve.v1", '{"order_id":"018f0000-0000-7000-8000-00000000f001","items":[]}'),
    ("inventory-svc", "order.confirmed.v1", '{"order_id":"018f0000-0000-7000-8000-00000000f001"}'),
    ("payment-svc", "payment.charge.v1", "\u0000"),
    ("payment-svc", "payment.refund.v1", '{"order_id":"018f0000-0000-7000-8000-00000000f001"}'),
    ("order-svc.place", "order.place.v1", '{"order_id":"018f0000-0000-7000-8000-00000000f001"}'),
]


def publish_as_administrator(stack, queue, kind, body):
    """Past exchange and permissions, straight into a queue."""
    message = {"routing_key": queue, "payload": body, "payload_encoding": "string",
               "properties": {"type": kind, "message_id": str(uuid.uuid4()), "app_id": "order-svc", "delivery_mode": 2,
                              "content_type": "application/json"}}
    where = ("exchanges", stack.broker.admin.path, "amq.default", "publish")
    assert stack.broker.management.must("POST", *where, body=message)["routed"]


def test_Q6_poison_is_parked_with_its_cause(stack, api):
    """Every one ends in its dead queue, none holds up what comes behind it, and none has any effect."""
    before = dead_counts(stack)
    for queue, kind, body in POISON:
        publish_as_administrator(stack, queue, kind, body)
        assert api.complete(item("A"))["status"] == "CONFIRMED"
    expected = {queue: before.get(queue, 0) + [entry[0] for entry in POISON].count(queue) for queue, _, _ in POISON}
    wait_until(lambda: dead_counts(stack) == before | expected, 20, f"{expected} parked")
    parked = [row for name in ROLE for row in stack.sql(name, "SELECT cause_class, cause FROM bus.parked")]
    assert len(parked) >= len(POISON) and all(row[0] and row[1] for row in parked)


def dead_counts(stack):
    rows = [row for name in ROLE for row in stack.sql(name, "SELECT queue, count(*) FROM bus.parked GROUP BY queue")]
    return {queue: int(count) for queue, count in rows}


# Programs

def readelf(stack, name, what):
    words = ["readelf", what, os.path.join(build.programs(stack.preset), name)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_B1_programs_are_hardened(stack, api):
    for name in SERVICES:
        text = readelf(stack, name, "-lWd")
        assert "GNU_RELRO" in text and ("BIND_NOW" in text or "NOW" in text), name
        assert re.search(r"GNU_STACK.*RW ", text), f"{name} has an executable stack"
        assert "DYN (Position-Independent" in text or "PIE" in text or "Elf file type is DYN" in text, name


def test_curl_is_linked_only_where_it_is_used(stack, api):
    calls_out = {"edge"}  # to the issuer of tokens
    calls_out |= {one.name for one in manifests.ON_BUS if one.links or one.calls_strangers}
    for name in (one.name for one in manifests.ON_BUS if one.name not in calls_out):
        assert "libcurl" not in readelf(stack, name, "-dW"), name
        with open(f"/proc/{stack.services[name].process.pid()}/maps", encoding="utf-8") as maps:
            assert "libcurl" not in maps.read(), f"{name} opens it without an endpoint for spans"
