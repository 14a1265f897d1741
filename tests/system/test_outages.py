"""Outages of a server or service: orders are accepted while the broker is up, and no request hangs."""
import concurrent.futures
import os
import re
import signal
import time
import uuid

import psycopg2
import pytest
import requests

from dev import manifests
from testkit.client import Load, item, wait_until

LOADED = ("LOAD-1", "LOAD-2", "LOAD-3")
WITH_DATABASE = [one.name for one in manifests.WITH_DATABASE]
SERVICES = {name: name.removesuffix("-svc") + "_service" for name in WITH_DATABASE}  # as the edge's /health names them
HEALTH = ("message_queue", *SERVICES.values(), "commands", "order_intake")  # what the edge's /health names


def timed(call):
    begin = time.monotonic()
    answer = call()
    return answer, time.monotonic() - begin


def only_accepted(answer):
    """The id of an order that the answer calls ACCEPTED, and of which it says no more."""
    said = {name: value for name, value in answer.json().items() if value is not None}
    assert said == {"order_id": said["order_id"], "status": "ACCEPTED"} and answer.headers["Retry-After"] == "1"
    return said["order_id"]


def answered(call):
    """The answer of order-svc: for a second after an outage the edge answers on the confirm alone, so ask again."""
    return wait_until(lambda: (answer := call()).status_code != 202 and answer, 5, "an answer of order-svc")


def check_accepted(api, answer, key, quantity):
    """A 202 on the confirm alone, and what the edge then says about the order."""
    assert answer.status_code == 202, answer.text
    order = answer.json()
    path = f"/api/orders/{only_accepted(answer)}"
    assert answer.headers["Location"] == path
    read = api.get(path)
    assert read.status_code == 200 and only_accepted(read) == order["order_id"]
    other = api.place(item("A", quantity + 1), key=key)
    assert other.status_code == 422
    again = api.place(item("A", quantity), key=key)
    assert again.status_code == 202 and again.json()["order_id"] == order["order_id"]
    return order["order_id"]


def test_orders_are_accepted_while_order_svc_is_stopped(api, stack):
    stack.stop_service("order-svc")
    key = str(uuid.uuid4())
    answer, took = timed(lambda: api.place(item("A", 2), key=key))
    assert took < 2
    first = check_accepted(api, answer, key, 2)
    more = []
    for _ in range(20):
        answer, took = timed(lambda: api.place(item("A")))
        assert answer.status_code == 202 and took < 2
        more.append(answer.json()["order_id"])
    assert took < 0.4, "after five timeouts in a row the confirm alone is enough at once"
    assert api.get("/health").status_code == 503
    stack.start_service("order-svc")
    for order_id in (first, *more):
        assert api.wait_final(order_id)["status"] == "CONFIRMED"
    assert api.place(item("A", 2), key=key).status_code == 200


def test_answers_come_again_after_order_svc_is_back(api, stack):
    """One request at a time looks, so that soon all are answered by order-svc itself."""
    def answered():
        answer = api.place(item("A"))
        assert answer.status_code == 202
        return answer.json()["status"] != "ACCEPTED"
    assert wait_until(answered, 10, "an answer of order-svc")
    assert all(answered() for _ in range(10))


def test_orders_are_accepted_while_postgres_is_stopped(api, stack):
    stack.stop_service("postgres")
    key = str(uuid.uuid4())
    answer, took = timed(lambda: api.place(item("A", 3), key=key))
    assert took < 2.5
    first = check_accepted(api, answer, key, 3)
    orders = [api.place(item("A")) for _ in range(10)]
    assert {answer.status_code for answer in orders} == {202}
    assert api.get("/api/products/A").status_code == 503
    stack.start_service("postgres")
    for order_id in (first, *[answer.json()["order_id"] for answer in orders]):
        assert api.wait_final(order_id, 60)["status"] == "CONFIRMED"


def test_an_order_whose_cancel_was_taken_while_order_svc_was_away_is_cancelled(api, stack, ledger):
    """Both commands wait in queues of their own; whichever is taken up first, nothing is reserved or charged."""
    stack.stop_service("order-svc")
    stock = api.product("A")
    keys = {api.place(item("A", 3), key=key).json()["order_id"]: key for key in (str(uuid.uuid4()) for _ in range(5))}
    for order_id in keys:
        answer = api.cancel(order_id, "changed my mind")
        assert answer.status_code == 202 and only_accepted(answer) == order_id, answer.text
    twice = next(iter(keys))
    assert api.cancel(twice, "really").status_code == 202
    assert api.place(item("A", 3), key=keys[twice]).status_code == 202, "the request again"
    stack.start_service("order-svc")
    for order_id, key in keys.items():
        order = api.wait_final(order_id)
        assert order["status"] == "CANCELLED" and order["reason"] == "customer: changed my mind", order
        assert api.event_types(order_id) == ["order.created", "order.compensating", "stock.returned", "order.cancelled"]
        again = answered(lambda key=key: api.place(item("A", 3), key=key))
        assert again.status_code == 200 and again.json()["status"] == "CANCELLED"
        assert answered(lambda order_id=order_id: api.cancel(order_id)).status_code == 200
    assert not [line for line in ledger() if line.get("order_id") in keys]
    assert api.product("A")["reserved"] == stock["reserved"] and api.product("A")["on_hand"] == stock["on_hand"]


def test_a_second_body_under_a_key_is_never_shown_as_the_order(api, stack):
    """An edge that was restarted does not know the first one: its 202 repeats nothing of the second."""
    stack.stop_service("order-svc")
    key = str(uuid.uuid4())
    order_id = only_accepted(api.place(item("A", 2), key=key))
    stack.stop_service("edge")
    stack.start_service("edge")
    second = api.place(item("A", 5), key=key)
    assert second.status_code == 202 and only_accepted(second) == order_id
    stack.start_service("order-svc")
    assert api.wait_final(order_id)["items"][0]["quantity"] == 2, "the body that was stored first wins"
    assert api.place(item("A", 5), key=key).status_code == 422


def test_a_stock_update_on_the_confirm_alone_claims_nothing_and_keeps_its_key(api, stack):
    keys = [str(uuid.uuid4()) for _ in range(2)]
    before = api.product("B")["on_hand"]
    stack.stop_service("inventory-svc")
    for name, key in (("B", keys[0]), ("NOT-THERE", keys[1])):
        answer = api.set_stock(name, 7, key)
        assert answer.status_code == 202 and answer.headers["Retry-After"] == "1"
        assert answer.json() == {"idempotency_key": key, "status": "ACCEPTED"}
    for other in (("B", 9), ("A", 7)):
        answer, took = timed(lambda: api.set_stock(*other, keys[0]))
        assert answer.status_code == 422 and took < 0.4, "refused at once, and not sent"
    assert api.set_stock("B", 7, keys[0]).status_code == 202
    stack.start_service("inventory-svc")
    answer = wait_until(lambda: settled(api.set_stock("B", 7, keys[0])), 10, "an answer of inventory-svc")
    assert answer.status_code == 200 and answer.json()["on_hand"] == 7
    assert api.set_stock("NOT-THERE", 7, keys[1]).status_code == 404
    assert api.set_stock("B", 9, keys[0]).status_code == 422
    assert api.set_stock("B", before).status_code == 200


def settled(answer):
    return answer if answer.status_code != 202 else None


def test_a_cancel_of_an_order_that_the_edge_does_not_know_is_never_taken_on_the_confirm(api, stack):
    """order-svc may refuse it later, and nobody would hear of that."""
    confirmed = api.complete(item("A"))["order_id"]
    stack.stop_service("order-svc")
    for order_id in (confirmed, str(uuid.uuid4())):
        answer, took = timed(lambda: api.cancel(order_id))
        assert answer.status_code == 503 and answer.headers["Retry-After"] and took < 3, (answer.text, took)
    stack.start_service("order-svc")
    assert wait_until(lambda: api.cancel(confirmed).status_code == 409, 10, "an answer of order-svc")
    answer = api.cancel(str(uuid.uuid4()))
    assert answer.status_code == 404 and answer.headers["Retry-After"] == "1"


def read_products(api, names):
    """All at once."""
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(lambda name: timed(lambda: api.get("/api/products/" + name)), names))


def test_queries_fail_fast_behind_an_open_breaker(api, stack):
    wait_until(lambda: api.get("/api/products/A").status_code == 200, 10, "a closed breaker")
    stack.signal("inventory-svc", signal.SIGSTOP)
    try:
        opened = changes(stack, "open")
        while changes(stack, "open") == opened:  # what was read before the stop still counts for ten seconds
            for answer, took in read_products(api, [f"P-{n}" for n in range(40)]):
                assert answer.status_code == 503 and answer.headers["Retry-After"] and took < 3
        seen = wait_until(lambda: [found for found in read_products(api, ["B"] * 4) if found[1] < 0.5], 10,
                          "an answer of the breaker")
        assert all(answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1 for answer, _ in seen)
        wait_until(lambda: 'circuit_breaker_state{dependency="inventory_service"} 2' in metrics(stack, "edge-admin"),
                   10, "the metric")
        assert api.get("/api/orders?limit=1").status_code == 200, "the other service's breaker is its own"
    finally:
        stack.signal("inventory-svc", signal.SIGCONT)
    wait_until(lambda: api.get("/api/products/A").status_code == 200, 3, "a read")
    assert api.get("/api/products/A").status_code == 200


@pytest.mark.parametrize("name, paths", [("order-svc", ["/api/orders?limit=1"]), ("inventory-svc", ["/api/products"])])
def test_reads_are_back_within_3_s_after_a_stall(api, stack, name, paths):
    """However long it was: the breaker opened meanwhile, and its rest is short, or a ping's answer ends it."""
    stack.signal(name, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        while time.monotonic() < begun + 4:
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                list(pool.map(lambda _: api.get(paths[0]).status_code, range(20)))
    finally:
        stack.signal(name, signal.SIGCONT)
    wait_until(lambda: api.get(paths[0]).status_code == 200, 3, "a read")
    answers = [api.get(paths[0]).status_code for _ in range(10)]
    assert answers == [200] * 10


def test_reads_are_back_as_soon_as_a_lock_on_the_table_is_gone(api, stack):
    with psycopg2.connect(stack.database_url("orders")) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE orders.orders IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        while time.monotonic() < begun + 2.5:
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                list(pool.map(lambda _: api.get("/api/orders?limit=1").status_code, range(20)))
    wait_until(lambda: api.get("/api/orders?limit=1").status_code == 200, 3, "a read")


def changes(stack, state):
    """How often the breaker of inventory-svc came into a state."""
    name = f'circuit_breaker_transitions_total{{dependency="inventory_service",state="{state}"}} '
    return int(re.search(re.escape(name) + r"(\d+)", metrics(stack, "edge-admin"))[1])


def metrics(stack, name):
    return requests.get(stack.url(name) + "/metrics", timeout=5).text


@pytest.mark.parametrize("name, service", SERVICES.items())
def test_health_names_the_service_that_is_down(api, stack, name, service):
    stack.stop_service(name)
    answer, took = timed(lambda: api.get("/health"))
    assert answer.status_code == 503 and took < 5
    health = answer.json()
    assert health["status"] == "DOWN"
    assert health["services"] == {**{other: "UP" for other in HEALTH}, service: "DOWN"}
    assert api.get("/health/live").status_code == 200
    assert api.get("/health/ready").status_code == 200
    stack.start_service(name)
    wait_until(lambda: api.get("/health").status_code == 200, 10, "health")


def test_health_when_all_is_well(api, stack):
    answer = api.get("/health")
    assert answer.status_code == 200
    health = answer.json()
    assert health["status"] == "UP"
    assert health["services"] == {name: "UP" for name in HEALTH}
    for name in WITH_DATABASE:
        status, health = stack.services[name].health()
        assert status == 200 and health["services"]["database"] == "UP" and health["services"]["message_queue"] == "UP"


def test_health_names_the_service_whose_workers_have_no_database(api, stack):
    """Its thread for queries has a session, answers pings, and reads are served."""
    workers = "FROM pg_stat_activity WHERE usename = 'order_svc' AND query = 'COMMIT'"  # queries have no transaction
    wait_until(lambda: stack.sql("orders", f"SELECT count(*) {workers}") == [["1"]], 10, "the worker's session")
    stack.sql("orders", "ALTER ROLE order_svc CONNECTION LIMIT 1")  # the thread for queries has it
    try:
        stack.sql("orders", f"SELECT pg_terminate_backend(pid) {workers}")
        answer = wait_until(lambda: down(api), 15, "DOWN")
        assert answer["services"] == {**{name: "UP" for name in HEALTH}, "order_service": "DOWN"}
        assert api.get("/api/orders?limit=1").status_code == 200
    finally:
        stack.sql("orders", "ALTER ROLE order_svc CONNECTION LIMIT -1")
    wait_until(lambda: api.get("/health").status_code == 200, 30, "UP")


def down(api):
    """The faults that /health reports while it is DOWN."""
    answer = api.get("/health")
    return answer.json() if answer.status_code == 503 else None


def test_health_names_the_command_that_no_queue_takes(api, stack):
    """The binding is gone: no order can be placed, and every one of them says so."""
    before = api.complete(item("A"))["order_id"]
    where = ("bindings", stack.broker.admin.path, "e", "bus.cmd", "q", "order-svc.place")
    stack.broker.management.must("DELETE", *where, "order.place")
    try:
        assert api.place(item("A")).status_code == 503
        answer = api.get("/health")
        assert answer.status_code == 503 and answer.json()["status"] == "DOWN"
        assert answer.json()["services"] == {**{name: "UP" for name in HEALTH}, "commands": "DOWN"}
        assert answer.json()["causes"] == {"commands": "no queue is bound for order.place"}
        assert 'edge_unroutable{command="order.place"} 1' in metrics(stack, "edge-admin")
        assert api.get("/health/ready").status_code == 200 and api.order(before)["status"] == "CONFIRMED"
    finally:
        stack.broker.management.must("POST", *where, body={"routing_key": "order.place"})
    assert api.get("/health").status_code == 503, "until one is routed again"
    assert api.complete(item("A"))["status"] == "CONFIRMED"
    assert api.get("/health").status_code == 200


def test_service_without_its_database_is_not_ready(api, stack):
    stack.stop_service("postgres")
    wait_until(lambda: stack.services["order-svc"].health()[0] == 503, 15, "order-svc's health")
    _, health = stack.services["order-svc"].health()
    assert health["services"]["database"] == "DOWN" and health["services"]["message_queue"] == "UP"
    stack.start_service("postgres")
    wait_until(lambda: stack.services["order-svc"].health()[0] == 200, 30, "order-svc's health")
    assert api.complete(item("A"), seconds=60)["status"] == "CONFIRMED"


def check_everything_is_refused(api):
    """Each with 503 and Retry-After, within 2 s."""
    for call in (lambda: api.place(item("A")), lambda: api.get(f"/api/orders/{uuid.uuid4()}"),
                 lambda: api.get("/api/products"), lambda: api.cancel(str(uuid.uuid4())),
                 lambda: api.set_stock("A", 5), lambda: api.get("/api/orders")):
        answer, took = timed(call)
        assert answer.status_code == 503 and took < 2, (answer.status_code, took)
        assert answer.headers["Retry-After"]
        assert answer.headers["Content-Type"] == "application/problem+json"
    answer, took = timed(lambda: api.get("/health"))
    assert answer.status_code == 503 and took < 5 and answer.json()["services"]["message_queue"] == "DOWN"
    assert api.get("/health/live").status_code == 200
    assert api.get("/health/ready").status_code == 503


@pytest.mark.long
def test_without_a_broker_503_within_2_s(api, stack):
    """It stops under load: what was answered 2xx is there afterwards, and everything else was a 503."""
    with Load(api, LOADED) as load:
        load.wait_orders(50)
        stack.stop_service("rabbitmq")
        check_everything_is_refused(api)
        stack.start_service("rabbitmq")
        stack.wait_ready()
        load.wait_orders(50)
    assert set(load.statuses()) == {202, 503}, load.statuses()


def test_broker_that_is_killed_under_load(api, stack):
    with Load(api, LOADED) as load:
        load.wait_orders(30)
        assert stack.kill("rabbitmq")
        stack.start_service("rabbitmq")
        stack.wait_ready()
        load.wait_orders(30)
    assert set(load.statuses()) <= {0, 202, 503}, load.statuses()


def test_postgres_that_is_killed_under_load(api, stack):
    with Load(api, LOADED) as load:
        load.wait_orders(30)
        assert stack.kill("postgres")
        time.sleep(1)
        stack.start_service("postgres")
        load.wait_orders(30)
    assert set(load.statuses()) <= {202, 503}, load.statuses()


def test_payment_provider_that_is_away(api, stack):
    """Orders wait as RESERVED and go on when it is back: within their deadline nothing is cancelled."""
    stack.stop_service("psp-sandbox")
    order_id = api.place(item("A")).json()["order_id"]
    api.wait_status(order_id, "RESERVED", 40)
    time.sleep(1)
    assert api.order(order_id)["status"] == "RESERVED"
    stack.start_service("psp-sandbox")
    assert api.wait_final(order_id, 60)["status"] == "CONFIRMED"


def test_all_services_stopped_and_started_in_another_order(api, stack):
    for name in WITH_DATABASE:
        stack.stop_service(name)
    orders = [api.place(item("A")).json()["order_id"] for _ in range(5)]
    for name in reversed(WITH_DATABASE):
        stack.start_service(name)
    for order_id in orders:
        assert api.wait_final(order_id, 60)["status"] == "CONFIRMED"


@pytest.mark.long
def test_services_started_before_their_servers_wait(api, stack):
    """Alive, not ready, and carrying on by themselves when database and broker come."""
    stack.stop_service("order-svc")
    stack.stop_service("postgres")
    stack.stop_service("rabbitmq")
    stack.start_service("order-svc", wait=False)
    service = stack.services["order-svc"]
    wait_until(lambda: service.health()[0] == 503, 10, "a live order-svc")
    assert not service.ready()
    assert stack.pid("order-svc") and os.path.exists(f"/proc/{stack.pid('order-svc')}")
    stack.start_service("postgres")
    stack.start_service("rabbitmq")
    stack.wait_ready()
    assert api.complete(item("A"), seconds=60)["status"] == "CONFIRMED"
