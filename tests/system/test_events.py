"""Events that an edge takes from the services: streams go on at once, cached products are forgotten, gaps are told."""
import re
import statistics
import threading
import time
import uuid
from datetime import datetime, timezone

import requests

from testkit.client import item, wait_until
from test_streams import parse, stream
from dev import build, manifests


def counter(stack, name, label=""):
    text = requests.get(stack.url("edge-admin") + "/metrics", timeout=10).text
    (value,) = re.findall(rf"^{name}{re.escape(label)} (\d+)$", text, re.MULTILINE) or ["0"]
    return int(value)


def age(text):
    return (datetime.now(timezone.utc) - datetime.fromisoformat(text.replace("Z", "+00:00"))).total_seconds()


def test_a_stream_goes_on_as_soon_as_the_order_does(api):
    ages = []
    for _ in range(8):
        order = api.place(item("A")).json()["order_id"]
        with stream(api, order) as response:
            for name, kind, data in parse(response.iter_lines(decode_unicode=True, chunk_size=1)):
                if name and int(name) > 1 and kind != "end":
                    ages.append(age(data["at"]))
    assert ages and statistics.median(ages) < 0.2, ages


def event_connections(stack):
    management, vhost = stack.broker.management, stack.broker.admin.path
    return [one["name"] for one in management.must("GET", "vhosts", vhost, "connections")
            if one.get("user_provided_name") == "edge events"]


def cut_events(stack):
    names = wait_until(lambda: event_connections(stack), 20, "the connection to appear")
    for name in names:
        stack.broker.management.must("DELETE", "connections", name)


def test_a_stream_says_resync_after_the_connection_was_cut_and_misses_nothing(api, stack):
    stack.signal("payment-svc", 19)
    try:
        order = api.place(item("A")).json()["order_id"]
        seen = []

        def listen():
            with stream(api, order) as response:
                seen.extend(parse(response.iter_lines(decode_unicode=True, chunk_size=1)))

        listener = threading.Thread(target=listen)
        listener.start()
        before = counter(stack, "edge_resyncs_total")
        cut_events(stack)
        wait_until(lambda: counter(stack, "edge_resyncs_total") > before, 20, "a new connection")
    finally:
        stack.signal("payment-svc", 18)
    listener.join(40)
    kinds = [kind for _, kind, _ in seen]
    assert "resync" in kinds and kinds[-1] == "end"
    told = [data for name, _, data in seen if name]
    assert told == api.get(f"/api/orders/{order}/events?limit=100").json()["items"]


def hits(stack):
    return counter(stack, "edge_product_cache_total", '{result="hit"}')


def test_a_product_is_read_from_the_cache(api, stack):
    first, before = api.get("/api/products/B"), hits(stack)
    again = api.get("/api/products/B")
    assert hits(stack) == before + 1
    assert again.json() == first.json() and again.headers["ETag"] == first.headers["ETag"]
    assert api.get("/api/products/B", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert hits(stack) == before + 2


def soon(read, wanted):
    """As soon as the event came: much earlier than the entry would end."""
    until = time.monotonic() + 2
    while read() != wanted and time.monotonic() < until:
        time.sleep(0.01)
    assert read() == wanted


def test_a_change_that_this_edge_did_not_make_is_seen(api, stack):
    name = f"Product B {uuid.uuid4()}"
    known = api.product("B")
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1",
                         [{"product_id": "B", "name": name, "price": known["price"], "currency": known["currency"]}])
    soon(lambda: api.product("B")["name"], name)
    api.product("B")
    api.complete(item("B", 3))
    soon(lambda: api.product("B")["on_hand"], known["on_hand"] - 3)
    soon(lambda: api.product("B")["reserved"], known["reserved"])


def test_who_sets_stock_or_puts_a_product_reads_it_at_once(api):
    for on_hand in (4711, 4712, 100000):
        api.product("C")
        assert api.set_stock("C", on_hand).status_code == 200
        assert api.product("C")["on_hand"] == on_hand
    product = api.product("C")
    for name in ("another name", product["name"]):
        body = {"name": name, "price": product["price"], "currency": product["currency"]}
        assert api.call("PUT", "/api/products/C", body).status_code == 200
        assert api.product("C")["name"] == name


def follow(api, is_enough, ready=None, headers=None):
    """Reads /api/events until is_enough(seen); → (id, event, data)."""
    seen = []
    with api._session().get(f"{api.base}/api/events", headers=headers, stream=True, timeout=40) as response:
        assert response.status_code == 200
        if ready:
            ready.set()
        for one in parse(response.iter_lines(decode_unicode=True, chunk_size=1)):
            seen.append(one)
            if is_enough(seen):
                break
    return seen


def finals(seen):
    return {data["order_id"] for _, kind, data in seen
            if kind == "order" and data["status"] in ("CONFIRMED", "REJECTED", "CANCELLED")}


def test_all_orders_changes_are_followed_and_resumed(api):
    ready, placed, seen = threading.Event(), set(), []

    def is_enough(events):
        return bool(placed) and placed <= finals(events)

    listener = threading.Thread(target=lambda: seen.extend(follow(api, is_enough, ready)))
    listener.start()
    assert ready.wait(20)
    placed.update([api.place(item("A")).json()["order_id"] for _ in range(3)])
    api.complete(item("A"))  # an event, at which the listener compares
    listener.join(40)
    assert not listener.is_alive()
    versions = {}
    for _, kind, data in seen:
        assert kind == "order" and data["version"] > versions.get(data["order_id"], 0)
        versions[data["order_id"]] = data["version"]
    again = follow(api, is_enough, headers={"Last-Event-ID": seen[0][0]})
    assert len(again) >= len(placed) and again == seen[1:1 + len(again)]


def test_who_comes_from_another_edge_is_told_to_read_again(api):
    (first,) = follow(api, len, headers={"Last-Event-ID": "other-1"})
    assert first[1] == "resync"


def test_a_new_process_of_order_svc_has_the_followers_read_again(api, stack):
    """The one that was killed may have committed a change that it told nobody."""
    ready, seen = threading.Event(), []
    listener = threading.Thread(
        target=lambda: seen.extend(follow(api, lambda events: events[-1][1] == "resync", ready)))
    listener.start()
    assert ready.wait(20)
    stack.kill("order-svc")
    stack.start_service("order-svc")
    listener.join(40)
    assert not listener.is_alive() and seen[-1][1] == "resync"


def test_services_say_that_they_are_there(api, stack):
    def states():
        return {(one["service"], one["instance"]): one["state"] for one in api.get("/api/services").json()["items"]}

    def services():
        return {service for service, _ in states()}

    every = {one.name for one in manifests.ON_BUS}
    wait_until(lambda: every <= services(), 30, "all services")
    wait_until(lambda: set(states().values()) == {"ready"}, 30, "all of them ready")
    listed = api.get("/api/services").json()
    assert list(listed) == ["items", "next_cursor"]
    figures = ["messages", "retried", "dead_lettered", "batches", "batch_us", "outbox_messages", "outbox_age_ms",
               "outbox_unroutable", "held_messages", "stalled_workers"]
    assert list(listed["items"][0]) == ["service", "instance", "version", "state", "started_at", "seen_at", *figures,
                                        "breakers"]


def test_services_say_what_they_have_done(api):
    """Each figure comes from a metric of the process; the edge works no batches."""
    api.wait_final(api.place(item("A")).json()["order_id"])

    def working():
        found = {one["service"]: one for one in api.get("/api/services").json()["items"]}
        return found if found["order-svc"]["batches"] and found["order-svc"]["outbox_messages"] is not None else None

    found = wait_until(working, 30, "figures of order-svc")
    for name in ("order-svc", "inventory-svc", "payment-svc"):
        one = found[name]
        assert one["messages"] > 0 and one["batch_us"] > one["batches"] > 0, one
        assert min(one[figure] for figure in ("retried", "dead_lettered", "outbox_messages", "outbox_age_ms",
                                              "outbox_unroutable", "held_messages", "stalled_workers")) >= 0, one
    assert found["edge"]["messages"] is None and found["edge"]["outbox_messages"] is None
    breakers = {name: {breaker["dependency"] for breaker in one["breakers"]} for name, one in found.items()}
    assert {"order_service", "payment_service"} <= breakers["edge"] and breakers["payment-svc"] == {"payment_provider"}
