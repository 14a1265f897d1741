"""OrderService over gRPC: the same orders, tokens, limits and errors as over REST, by a real client."""
import signal
import threading
import uuid

import grpc
import pytest
import requests

from dev import ports
from testkit.client import item, wait_until
from testkit.edges import Edge
from testkit.grpc_client import Client, Messages

HEALTH = "grpc.health.v1.Health"


@pytest.fixture(scope="module")
def messages():
    return Messages()


@pytest.fixture(scope="module")
def edge(stack, api, tmp_path_factory):
    port = ports.pick_one()
    made = Edge(stack, str(tmp_path_factory.mktemp("grpc")), GRPC_PORT=str(port), AUTH="off", RATE_LIMIT="0")
    made.grpc_port = port
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(edge, messages):
    with Client(edge.grpc_port, messages) as made:
        wait_until(lambda: is_serving(made), 30, "health by gRPC")
        yield made


def is_serving(client):
    try:
        return client.method("Check", HEALTH)({}, timeout=5).get("status") == "SERVING"
    except grpc.RpcError:
        return False


def refusal(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value


def test_an_order_is_placed_and_confirmed(client, api):
    placed = client.place(item("A", 2), wait_seconds=20)
    order = placed["order"]
    api.note_accepted(order["order_id"], 202)
    assert order["status"] == "ORDER_STATUS_CONFIRMED" and order["total"] == str(2 * 999)
    assert order["items"] == [{"product_id": "A", "quantity": "2", "unit_price": "999"}]
    assert order["created_at"].endswith("Z") and not placed.get("replayed")


def test_rest_and_grpc_show_the_same_order(client, api, edge):
    order = client.place(item("A"), wait_seconds=20)["order"]
    api.note_accepted(order["order_id"], 202)
    shown = requests.get(f"{edge.url}/api/orders/{order['order_id']}", timeout=10).json()
    got = client.method("GetOrder")({"order_id": order["order_id"]})["order"]
    assert (got["status"], int(got["total"]), got["currency"], int(got["version"]), got["customer_id"]) == (
        "ORDER_STATUS_" + shown["status"], shown["total"], shown["currency"], shown["version"], shown["customer_id"])


def test_a_key_means_the_same_order_over_both(client, api, edge):
    key = str(uuid.uuid4())
    first = client.place(item("A"), key=key)
    api.note_accepted(first["order"]["order_id"], 202)
    again = client.place(item("A"), key=key)
    assert again["replayed"] and again["order"]["order_id"] == first["order"]["order_id"]
    answer = edge.place(None, key=key)
    assert answer.status_code == 200 and answer.headers["Idempotent-Replayed"] == "true"
    error = refusal(client.place, item("A", 3), key=key)
    assert error.code() == grpc.StatusCode.ALREADY_EXISTS and "idempotency key" in error.details()


def test_every_wrong_field_is_named(client, messages):
    error = refusal(client.place, {"product_id": "A", "quantity": 0}, {"product_id": "A", "quantity": 1}, key="x" * 256)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    fields = {row["field"]: row["description"] for row in messages.details(error)["BadRequest"]["field_violations"]}
    assert fields["items[0].quantity"] == "is required", fields
    assert "255" in fields["idempotency_key"]


def test_an_order_that_is_not_there(client):
    for order_id in (str(uuid.uuid4()), "", "../admin", "no uuid", "%2e%2e"):
        assert refusal(client.method("GetOrder"), {"order_id": order_id}).code() == grpc.StatusCode.NOT_FOUND


def test_orders_are_listed_page_by_page(client, api):
    customer = "grpc-" + uuid.uuid4().hex[:8]
    made = []
    for _ in range(3):
        made.append(client.place(item("A"), customer_id=customer, wait_seconds=20)["order"]["order_id"])
        api.note_accepted(made[-1], 202)
    first = client.method("ListOrders")({"customer_id": customer, "limit": 2, "status": "ORDER_STATUS_CONFIRMED"})
    rest = client.method("ListOrders")({"customer_id": customer, "cursor": first["next_cursor"]})
    assert [order["order_id"] for order in first["items"] + rest["items"]] == made[::-1]
    error = refusal(client.method("ListOrders"), {"limit": 101})
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT and "limit" in error.details()


def test_a_cancel_that_is_too_late(client, api):
    order = client.place(item("A"), wait_seconds=20)["order"]
    api.note_accepted(order["order_id"], 202)
    error = refusal(client.method("CancelOrder"), {"order_id": order["order_id"], "reason": "changed my mind"})
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION and "CONFIRMED" in error.details()


def test_a_cancel_of_an_order_that_awaits_its_payment(client, api):
    order = client.place(item("A"), payment={"when": "PAYMENT_WHEN_LATER"})["order"]
    api.note_accepted(order["order_id"], 202)
    wait_until(lambda: client.method("GetOrder")({"order_id": order["order_id"]})["order"]["status"]
               == "ORDER_STATUS_AWAITING_PAYMENT", 20, "an order that awaits its payment")
    client.method("CancelOrder")({"order_id": order["order_id"]})
    assert api.wait_final(order["order_id"])["status"] == "CANCELLED"


def test_a_watch_sends_every_event_until_the_order_is_final(client, api):
    order = client.place(item("A"))["order"]
    api.note_accepted(order["order_id"], 202)
    watch = client.method("WatchOrder")
    events = [answer["event"] for answer in watch({"order_id": order["order_id"]})]
    assert [event["type"] for event in events] == api.event_types(order["order_id"])
    assert events[-1]["type"] == "order.confirmed" or "confirmed" in events[-1]["type"]
    after = int(events[0]["seq"])
    assert [answer["event"] for answer in watch({"order_id": order["order_id"], "after": after})] == events[1:]
    assert not list(watch({"order_id": order["order_id"], "after": int(events[-1]["seq"])}))


def test_a_watch_that_is_cancelled_frees_its_place(client, api):
    order = client.place(item("A"), payment={"when": "PAYMENT_WHEN_LATER"})["order"]
    api.note_accepted(order["order_id"], 202)
    watch = client.method("WatchOrder")
    for _ in range(12):  # more than one customer may have at once
        error = refusal(list, watch({"order_id": order["order_id"]}, timeout=0.5))
        assert error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)
    client.method("CancelOrder")({"order_id": order["order_id"]})
    api.wait_final(order["order_id"])


def test_health_of_services(client):
    check = client.method("Check", HEALTH)
    assert check({"service": "orderbus.v1.OrderService"})["status"] == "SERVING"
    assert refusal(check, {"service": "nobody.v1.Nothing"}).code() == grpc.StatusCode.NOT_FOUND


def test_metrics_and_traces(client, edge, api):
    trace = uuid.uuid4().hex
    order = client.method("PlaceOrder")({"idempotency_key": trace, "items": [item("A")], "wait_seconds": 20},
                                        metadata=(("traceparent", f"00-{trace}-00f067aa0ba902b7-01"),))["order"]
    api.note_accepted(order["order_id"], 202)

    def lines():
        with open(edge.log, encoding="utf-8") as log:
            return [line for line in log if trace in line and '"request"' in line]
    wait_until(lines, 10, "the line of the access log")
    line = lines()[0]
    assert '"listener":"grpc"' in line and order["order_id"] in line
    metrics = requests.get(f"http://127.0.0.1:{edge.admin}/metrics", timeout=10).text
    assert 'grpc_server_handled_total{method="orderbus.v1.OrderService/PlaceOrder",code="OK"}' in metrics
    assert 'http_requests_total{listener="grpc",method="POST",route="/api/orders"' in metrics


def test_calls_of_a_stop_are_answered(stack, messages, api, tmp_path):
    """SIGTERM under calls: each that was sent before the last GOAWAY gets its answer, and no order is lost."""
    port = ports.pick_one()
    edge = Edge(stack, str(tmp_path), GRPC_PORT=str(port), AUTH="off", RATE_LIMIT="0", DRAIN_MS="500")
    placed, errors = [], []

    def run(number):
        with Client(port, messages) as client:
            wait_until(lambda: is_serving(client), 30, "health by gRPC")
            while True:
                try:
                    placed.append(client.place(item("A"), customer_id=f"stop-{number}")["order"]["order_id"])
                except grpc.RpcError as error:
                    errors.append((error.code(), error.details()))
                    return
    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(placed) > 40, 30, "forty orders")
    edge.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(30)
    assert edge.process.wait(30) == 0
    assert {code for code, _ in errors} == {grpc.StatusCode.UNAVAILABLE}, errors
    assert all("refused" in text or "connect" in text.lower() for _, text in errors), errors
    for order_id in placed:
        api.note_accepted(order_id, 202)
        api.wait_final(order_id)
