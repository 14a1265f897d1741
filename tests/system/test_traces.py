"""One trace through everything: what an observer of all messages sees of one order."""
from testkit.client import item, wait_until

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01", "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}
FROM_OUTSIDE = {"order.place.v1", "order.cancel.v1"}  # an HTTP request caused them, no message


class Observer:
    """A queue of the administrator that gets every command and event."""

    def __init__(self, stack):
        self.management, self.vhost = stack.broker.management, stack.broker.admin.path.lstrip("/")
        self.queue = ("queues", self.vhost, "test.observer")

    def __enter__(self):
        self.management.must("PUT", *self.queue, body={"durable": True, "arguments": {"x-queue-type": "quorum"}})
        for exchange in ("bus.cmd", "bus.event"):
            self.management.must("POST", "bindings", self.vhost, "e", exchange, "q", "test.observer",
                                 body={"routing_key": "#"})
        return self

    def __exit__(self, *_):
        self.management.must("DELETE", *self.queue)

    def take(self):
        return self.management.must("POST", *self.queue, "get",
                                    body={"count": 1000, "ackmode": "ack_requeue_false", "encoding": "auto"})


def of_order(messages, order_id):
    """A notice tells of a whole batch, and belongs to no trace."""
    return {message["properties"]["type"]: message["properties"] for message in messages
            if message["properties"]["type"] != "order.changed.v1"
            and (message["properties"].get("correlation_id") == order_id or order_id in message["payload"])}


def test_every_message_of_an_order_has_its_trace_and_its_cause(api, stack):
    with Observer(stack) as observer:
        paid = api.place(item("A"), headers=HEADERS).json()["order_id"]
        declined = api.place(item("A"), token="pm_card_chargeDeclined", headers=HEADERS).json()["order_id"]
        assert api.wait_final(paid)["status"] == "CONFIRMED"
        assert api.wait_final(declined)["status"] == "CANCELLED"
        seen = []

        def all_there():
            seen.extend(observer.take())
            return "order.confirmed.v1" in of_order(seen, paid) and "order.cancelled.v1" in of_order(seen, declined)

        wait_until(all_there, 10, "the last message of both orders")
    for order_id, expected in ((paid, "payment.captured.v1"), (declined, "payment.declined.v1")):
        messages = of_order(seen, order_id)
        assert expected in messages and len(messages) >= 7, sorted(messages)
        ids = {properties["message_id"] for properties in messages.values()}
        for kind, properties in messages.items():
            headers = properties["headers"]
            assert headers["traceparent"].split("-")[1] == TRACE_ID, kind
            assert headers["tracestate"] == HEADERS["tracestate"], kind
            assert kind in FROM_OUTSIDE or headers["causation-id"] in ids, (kind, headers)


def test_a_malformed_tracestate_is_dropped_and_the_trace_kept(api, stack):
    with Observer(stack) as observer:
        headers = {**HEADERS, "tracestate": "rojo=1,,rojo=2"}
        order_id = api.complete(item("A"), headers=headers)["order_id"]
        seen = []

        def confirmed():
            seen.extend(observer.take())
            return "order.confirmed.v1" in of_order(seen, order_id)

        wait_until(confirmed, 10, "the last message")
    for kind, properties in of_order(seen, order_id).items():
        assert properties["headers"]["traceparent"].split("-")[1] == TRACE_ID, kind
        assert "tracestate" not in properties["headers"], kind
