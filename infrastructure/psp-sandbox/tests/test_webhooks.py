"""Events of the sandbox as their receiver gets them."""
import hashlib
import hmac
import http.server
import json
import threading
import time

import pytest

SECRET = "whsec_sandbox_tests"


class Receiver(http.server.ThreadingHTTPServer):
    """Takes events, after it has refused each one so many times."""

    def __init__(self, refuse=0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.refuse = refuse
        self.got = []  # (signature header, body)
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/psp"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait_for(self, count, seconds=20):
        deadline = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.got) == count
        return [json.loads(body) for _, body in self.got]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Stripe-Signature"], body))
        self.send_response(500 if len(self.server.got) <= self.server.refuse else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(name="receive")
def fixture_receive():
    made = []

    def receive(**settings):
        made.append(Receiver(**settings))
        return made[-1]

    yield receive
    for receiver in made:
        receiver.shutdown()
        receiver.server_close()


def assert_signed(signature, body):
    members = dict(member.split("=") for member in signature.split(","))
    expected = hmac.new(SECRET.encode(), members["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert members["v1"] == expected
    assert abs(time.time() - int(members["t"])) < 60


def test_an_object_that_becomes_final_is_told(start, receive):
    receiver = receive()
    sandbox = start(WEBHOOK_URL=receiver.url, WEBHOOK_SECRET=SECRET, SANDBOX_PENDING_MS="200")
    sandbox.charge()  # final at once: there is nothing to tell
    intent = sandbox.charge("pm_sandbox_processing_refund_pending", order="order-2").json()
    [event] = receiver.wait_for(1)
    assert (event["object"], event["type"]) == ("event", "payment_intent.succeeded")
    assert event["data"]["object"] == sandbox.get(f"/v1/payment_intents/{intent['id']}").json()
    assert event["data"]["object"]["metadata"] == {"order_id": "order-2"}
    refund = sandbox.post("/v1/refunds", {"payment_intent": intent["id"]}).json()
    event = receiver.wait_for(2)[1]
    assert (event["type"], event["data"]["object"]["id"]) == ("refund.updated", refund["id"])
    for signature, body in receiver.got:
        assert_signed(signature, body)


def test_an_event_that_is_not_taken_comes_again(start, receive):
    receiver = receive(refuse=2)
    sandbox = start(WEBHOOK_URL=receiver.url, WEBHOOK_SECRET=SECRET, SANDBOX_PENDING_MS="100")
    sandbox.charge("pm_sandbox_processing_declined")
    events = receiver.wait_for(3)
    assert {event["id"] for event in events} == {events[0]["id"]}
    assert events[0]["type"] == "payment_intent.payment_failed"
    for signature, body in receiver.got:
        assert_signed(signature, body)
    time.sleep(1)
    assert len(receiver.got) == 3


def test_a_receiver_that_is_away_stops_nothing(start):
    sandbox = start(WEBHOOK_URL="http://127.0.0.1:1/", WEBHOOK_SECRET=SECRET, SANDBOX_PENDING_MS="100")
    for _ in range(5):
        assert sandbox.charge("pm_sandbox_processing").status_code == 200
    assert sandbox.charge().status_code == 200
    assert SECRET not in sandbox.log_file.read_text()
