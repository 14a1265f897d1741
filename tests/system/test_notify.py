"""Webhooks on the whole stack: receivers of this test are told of orders, signed, again after failures and kills."""
import concurrent.futures
import contextlib
import http.server
import json
import os
import re
import ssl
import subprocess
import threading
import time
import uuid

import pytest

from dev import paths
from testkit.client import item, wait_until

ORDERS = 500
SECONDS = 30


class Receiver:
    """A server of a customer. `behave` is called with the number of requests of that webhook-id so far, and returns
    status and headers; every request is kept."""

    def __init__(self, behave=lambda count: (204, {}), certificate=None):
        self.requests = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = behave(receiver.note(dict(self.headers), body))
                self.send_response(status)
                for name, value in ({"Content-Length": "0"} | headers).items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def note(self, headers, body):
        with self._lock:
            self.requests.append((headers, body, time.monotonic()))
            return sum(one[0]["webhook-id"] == headers["webhook-id"] for one in self.requests)

    def of_order(self, order_id):
        return [one for one in list(self.requests) if json.loads(one[1])["data"]["order_id"] == order_id]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receivers():
    with contextlib.ExitStack() as made:
        def make(*given, **named):
            receiver = Receiver(*given, **named)
            made.callback(receiver.close)
            return receiver
        yield make


@pytest.fixture
def customer():
    return f"webhooks-{uuid.uuid4()}"


def add(api, customer, url, events=("order.confirmed",), key=None):
    answer = api.post("/api/webhooks", {"customer_id": customer, "url": url, "events": list(events),
                                        "idempotency_key": key or str(uuid.uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


def deliveries(api, hook):
    return api.get(f"/api/webhooks/{hook['webhook_id']}/deliveries?limit=50").json()["items"]


def wait_status(api, hook, status, seconds=SECONDS):
    """Until all of its deliveries are so; → them."""
    def found():
        items = deliveries(api, hook)
        return items if items and all(one["status"] == status for one in items) else None
    return wait_until(found, seconds, f"deliveries {status}")


def documented(language):
    """The code of docs/webhooks.md."""
    with open(os.path.join(paths.ROOT, "docs", "webhooks.md"), encoding="utf-8") as file:
        return re.search(rf"^```{language}\n(.*?)^```", file.read(), re.M | re.S)[1]


def verify_of_the_docs():
    names = {}
    exec(documented("python"), names)  # pylint: disable=exec-used
    return names["verify"]


def assert_verified(secret, request):
    headers, body, _ = request
    verify = verify_of_the_docs()
    assert verify(secret, headers, body)
    assert not verify(secret, headers, body + b" ")
    assert not verify("whsec_" + "A" * 43 + "=", headers, body)
    assert not verify(secret, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3600)}, body)


def test_an_order_is_told_signed_and_once(api, receivers, customer, stack):
    receiver = receivers()
    hook = add(api, customer, receiver.url)
    order = api.complete(item("A", 2), customer=customer)
    (request,) = wait_until(lambda: receiver.of_order(order["order_id"]), SECONDS, "the webhook")
    assert_verified(hook["secret"], request)
    body = json.loads(request[1])
    assert (body["type"], body["data"]["status"], body["data"]["total"], body["data"]["currency"]) == (
        "order.confirmed", "CONFIRMED", order["total"], "EUR")
    (delivery,) = wait_status(api, hook, "delivered")
    assert delivery["delivery_id"] == request[0]["webhook-id"] and delivery["order_id"] == order["order_id"]
    assert [one["status"] for one in delivery["attempts"]] == [204] and delivery["next_attempt_at"] is None
    shown = api.get(f"/api/webhooks/{hook['webhook_id']}")
    assert "secret" not in shown.json() and shown.json()["status"] == "enabled"
    rows = stack.sql("webhooks", "SELECT t::text FROM webhooks.endpoints t")
    assert hook["secret"] not in shown.text + json.dumps(rows)
    with open(stack.log("notify-svc"), encoding="utf-8", errors="replace") as log:
        assert hook["secret"] not in (text := log.read()) and receiver.url not in text


def test_only_what_was_asked_for_and_only_ones_own(api, receivers, customer):
    mine, others = receivers(), receivers()
    hook = add(api, customer, mine.url, ["order.rejected", "order.refunded"])
    add(api, customer + "-2", others.url, ["order.confirmed", "order.rejected"])
    rejected = api.complete(item("NONE"), customer=customer)
    paid = api.complete(item("A"), customer=customer)
    assert api.post("/api/payments/refund", {"order_id": paid["order_id"], "amount": 5,
                                             "idempotency_key": str(uuid.uuid4())}).status_code == 202
    (refund,) = wait_until(lambda: mine.of_order(paid["order_id"]), SECONDS, "the refund")
    assert json.loads(refund[1])["type"] == "order.refunded" and json.loads(refund[1])["data"]["refunded"] == 5
    (refusal,) = wait_until(lambda: mine.of_order(rejected["order_id"]), SECONDS, "the rejection")
    assert json.loads(refusal[1])["data"]["reason"].startswith("out_of_stock")
    assert len(wait_status(api, hook, "delivered")) == 2 and not others.requests


def test_a_failure_is_tried_again_under_the_same_id(api, receivers, customer):
    receiver = receivers(lambda count: (500 if count < 3 else 200, {}))
    hook = add(api, customer, receiver.url)
    order = api.complete(item("A"), customer=customer)
    (delivery,) = wait_status(api, hook, "delivered")
    requests = receiver.of_order(order["order_id"])
    assert len({one[0]["webhook-id"] for one in requests}) == 1 and len({one[1] for one in requests}) == 1
    assert [one["status"] for one in delivery["attempts"]] == [500, 500, 200]
    assert api.get(f"/api/webhooks/{hook['webhook_id']}").json()["failing_since"] is None


def test_gone_disables_and_enabling_goes_on(api, receivers, customer):
    answers = {"status": 410}
    receiver = receivers(lambda count: (answers["status"], {}))
    hook = add(api, customer, receiver.url)
    path = f"/api/webhooks/{hook['webhook_id']}"
    order = api.complete(item("A"), customer=customer)
    wait_until(lambda: api.get(path).json()["status"] == "disabled", SECONDS, "the end of the webhook")
    shown = api.get(path).json()
    assert shown["cause"] == "gone" and shown["disabled_at"] is not None
    time.sleep(3)
    assert len(receiver.requests) == 1 and deliveries(api, hook)[0]["status"] == "waiting"
    assert api.post(path + "/replay", {"since": "2026-01-01T00:00:00.000Z"}).status_code == 409
    answers["status"] = 200
    assert api.call("POST", path + "/enable").json()["status"] == "enabled"
    wait_status(api, hook, "delivered")
    assert len(receiver.of_order(order["order_id"])) == 2


def test_failing_for_long_disables_with_its_cause(api, receivers, customer):
    receiver = receivers(lambda count: (503, {"Retry-After": "1"}))
    hook = add(api, customer, receiver.url)
    path = f"/api/webhooks/{hook['webhook_id']}"
    until = time.monotonic() + SECONDS
    while api.get(path).json()["status"] == "enabled":  # DISABLE_AFTER_S is a few seconds here
        assert time.monotonic() < until
        api.complete(item("A"), customer=customer)
    assert api.get(path).json()["cause"] == "failing"


def test_a_hanging_endpoint_delays_no_other(api, receivers, customer):
    def hang(_):
        time.sleep(20)
        return 200, {}
    slow, fast = receivers(hang), receivers()
    slow_hook = add(api, customer, slow.url)
    add(api, customer, fast.url)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        orders = list(pool.map(lambda _: api.complete(item("A"), customer=customer)["order_id"], range(40)))
    final = time.monotonic()
    wait_until(lambda: all(fast.of_order(one) for one in orders), 10, "the fast one")
    assert time.monotonic() - final < 8
    wait_until(lambda: any(one["attempts"] for one in deliveries(api, slow_hook)), 20, "a time-out")
    noted = [one for delivery in deliveries(api, slow_hook) for one in delivery["attempts"]]
    assert noted[0]["status"] is None and noted[0]["duration_ms"] >= 3900
    assert api.call("DELETE", f"/api/webhooks/{slow_hook['webhook_id']}").status_code == 200
    assert api.get(f"/api/webhooks/{slow_hook['webhook_id']}").status_code == 404


def test_P6_a_redirect_is_a_failure_and_not_followed(api, receivers, customer):
    secret = receivers()
    receiver = receivers(lambda count: (307, {"Location": secret.url}))
    hook = add(api, customer, receiver.url)
    api.complete(item("A"), customer=customer)
    wait_status(api, hook, "failed")
    assert not secret.requests and {one["status"] for one in deliveries(api, hook)[0]["attempts"]} == {307}


@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "https://169.254.169.254/latest/meta-data/",
                                 "ftp://example.org/", "https://ann:secret@example.org/", "https://[fd00::1]/x",
                                 "https://0x7f000001/"])
def test_P6_private_addresses_and_odd_urls_are_refused(api, customer, url):
    answer = api.post("/api/webhooks", {"customer_id": customer, "url": url, "events": ["order.confirmed"],
                                        "idempotency_key": str(uuid.uuid4())})
    assert answer.status_code == 400 and "url must" in answer.json()["detail"], answer.text


def test_a_rotated_secret_signs_beside_the_old_one(api, receivers, customer):
    receiver = receivers()
    hook = add(api, customer, receiver.url)
    path, key = f"/api/webhooks/{hook['webhook_id']}", {"Idempotency-Key": str(uuid.uuid4())}
    rotated = api.call("POST", path + "/rotate", headers=key).json()
    assert rotated["secret"] != hook["secret"] and rotated["old_secret_until"] is not None
    assert api.call("POST", path + "/rotate", headers=key).json()["secret"] == rotated["secret"]
    order = api.complete(item("A"), customer=customer)
    (request,) = wait_until(lambda: receiver.of_order(order["order_id"]), SECONDS, "the webhook")
    assert len(request[0]["webhook-signature"].split()) == 2
    assert_verified(hook["secret"], request)
    assert_verified(rotated["secret"], request)


def test_a_replay_sends_again_under_the_same_id(api, receivers, customer):
    receiver = receivers()
    hook = add(api, customer, receiver.url)
    path = f"/api/webhooks/{hook['webhook_id']}/replay"
    orders = [api.complete(item("A"), customer=customer)["order_id"] for _ in range(3)]
    (first, *_) = wait_until(lambda: len(one := wait_status(api, hook, "delivered")) == 3 and one, SECONDS, "all")
    assert api.post(path, {"delivery_id": first["delivery_id"]}).status_code == 202
    wait_until(lambda: len(receiver.requests) == 4, SECONDS, "one again")
    assert api.post(path, {"since": "2026-01-01T00:00:00.000Z"}).status_code == 202  # nothing has failed
    assert api.post(path, {"since": "2026-01-01T00:00:00.000Z", "delivered": True}).status_code == 202
    wait_until(lambda: len(receiver.requests) == 7, SECONDS, "all again")
    assert {one[0]["webhook-id"] for one in receiver.requests} == {one["delivery_id"] for one in deliveries(api, hook)}
    assert len(orders) == 3 and api.post(path, {"delivery_id": str(uuid.uuid4())}).status_code == 404


def test_requests_are_idempotent_and_bounded(api, customer):
    key, url = str(uuid.uuid4()), "http://127.0.0.1:9/x"
    hook = add(api, customer, url, key=key)
    body = {"customer_id": customer, "url": url, "events": ["order.confirmed"], "idempotency_key": key}
    again = api.post("/api/webhooks", body)
    assert again.status_code == 200 and again.json() == hook and again.headers["Idempotent-Replayed"] == "true"
    assert api.post("/api/webhooks", body | {"url": url + "y"}).status_code == 422
    for _ in range(9):
        add(api, customer, url)
    assert api.post("/api/webhooks", body | {"idempotency_key": str(uuid.uuid4())}).status_code == 409
    listed = api.get(f"/api/webhooks?customer_id={customer}").json()["items"]
    assert len(listed) == 10 and listed[0] == {name: value for name, value in hook.items() if name != "secret"}
    assert api.call("DELETE", f"/api/webhooks/{hook['webhook_id']}").status_code == 200
    assert api.post("/api/webhooks", body).status_code == 422, "a deleted one stays deleted"
    assert add(api, customer, url)["status"] == "enabled"


def test_certificates_are_verified(api, receivers, customer, stack, tmp_path):
    certificate = [str(tmp_path / name) for name in ("cert.pem", "key.pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate[0], "-keyout", certificate[1]],
                   check=True, capture_output=True)
    os.chmod(tmp_path, 0o755)
    receiver = receivers(certificate=certificate)
    hook = add(api, customer, receiver.url)
    order = api.complete(item("A"), customer=customer)
    wait_until(lambda: any(one["attempts"] for one in deliveries(api, hook)), SECONDS, "an attempt")
    assert not receiver.requests and "certificate" in deliveries(api, hook)[0]["attempts"][0]["note"]
    before = stack.overrides["notify-svc"]
    stack.overrides["notify-svc"] = before | {"DELIVERY_CA_FILE": certificate[0]}
    try:
        stack.stop_service("notify-svc")
        stack.start_service("notify-svc")
        wait_until(lambda: receiver.of_order(order["order_id"]), SECONDS, "the webhook over TLS")
    finally:
        stack.overrides["notify-svc"] = before
        stack.stop_service("notify-svc")
        stack.start_service("notify-svc")


def order_surely(api, customer):
    """The id of an order that is placed under one key until it is accepted: a busy machine answers 503."""
    key = str(uuid.uuid4())
    answer = wait_until(lambda: (one := api.place(item("A"), customer=customer, key=key)).ok and one, 60, "an order")
    return api.wait_final(answer.json()["order_id"], 120)["order_id"]


@pytest.mark.long
def test_no_event_of_500_orders_is_lost_by_kills(api, receivers, customer, stack):
    receiver = receivers(lambda count: (500, {}) if count == 1 and time.monotonic() % 5 < 1 else (204, {}))
    hook = add(api, customer, receiver.url)
    ended = threading.Event()

    def kill():
        while not ended.wait(2):
            stack.kill("notify-svc")
            stack.start_service("notify-svc", wait=False)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            orders = list(pool.map(lambda _: order_surely(api, customer), range(ORDERS)))
    finally:
        ended.set()
        killer.join()
    stack.part("notify-svc").wait_ready()
    wait_until(lambda: len({json.loads(one[1])["data"]["order_id"] for one in list(receiver.requests)}) == ORDERS, 120,
               "all orders")
    ids = {}
    for headers, body, _ in receiver.requests:
        ids.setdefault(json.loads(body)["data"]["order_id"], set()).add(headers["webhook-id"])
    assert set(ids) == set(orders) and all(len(one) == 1 for one in ids.values())
    assert len(set.union(*ids.values())) == ORDERS

    def waiting():
        return stack.sql("webhooks", "SELECT count(*) FROM webhooks.deliveries WHERE endpoint_id = "
                                     f"'{hook['webhook_id']}' AND status <> 'delivered'") == [["0"]]
    wait_until(waiting, 120, "the last results")


def test_the_c_of_the_docs_verifies(tmp_path):
    """The vector of the specification's reference libraries."""
    main = (
        'int main(void) {\n'
        '  const char *said = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\\"test\\": 2432232314}";\n'
        '  const char *good = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";\n'
        '  unsigned char key[64];\n'
        '  int len = EVP_DecodeBlock(key, (const unsigned char *)"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32);\n'
        '  size_t size = strlen(said);\n'
        '  return !(verify(key, len, said, size, good) && !verify(key, len, said, size - 1, good));\n'
        '}\n')
    (tmp_path / "verify.c").write_text(documented("c") + main)
    subprocess.run(["cc", "-Wall", "-Werror", "-o", tmp_path / "verify", tmp_path / "verify.c", "-lcrypto"], check=True)
    assert subprocess.run([tmp_path / "verify"], check=False).returncode == 0
