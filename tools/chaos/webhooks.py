"""A customer's server beside the orders of a stack: it is told of each, and fails now and then. In the end every final
order must have been told, by one webhook-id."""
import contextlib
import http.server
import json
import threading
import time

from dev import demo, manifests
from dev.report import DevError

CUSTOMER = "anonymous"  # the customer of all orders without authentication
EVENTS = ["order.confirmed", "order.cancelled", "order.rejected"]
FAILS_EACH = 7   # so many webhooks later the first attempt of one gets 500
TOLD_SECONDS = 90
SENDERS = [one.name for one in manifests.ALL if one.calls_strangers]


class Receiver:
    """Keeps {order id: the webhook-ids by which it was told}."""

    def __init__(self):
        self.told, self._first, self._lock = {}, 0, threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                good = receiver.take(body["data"]["order_id"], body["type"], self.headers["webhook-id"])
                answer = b'{"taken":true}' if good else b'{"taken":false}'
                self.send_response(200 if good else 500)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # the sender is killed again and again
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, order_id, event, webhook_id):
        """→ whether it is taken."""
        with self._lock:
            known = self.told.setdefault((order_id, event), set())
            self._first += not known
            fails = not known and self._first % FAILS_EACH == 0
            known.add(webhook_id)
            return not fails

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def told(system):
    """The receiver, and its webhook in the stack; None in a tree without a sender of webhooks."""
    if not SENDERS:
        yield None
        return
    receiver = Receiver()
    try:
        status, answer = demo.call(system, "POST", "/api/webhooks", {
            "customer_id": CUSTOMER, "url": receiver.url, "events": EVENTS, "idempotency_key": receiver.url})
        if status != 201:
            raise DevError(f"POST /api/webhooks answered {status}: {json.dumps(answer)}")
        yield receiver
    finally:
        receiver.close()


def problems(system, receiver):
    """At rest: what is wrong with what the receiver was told."""
    if receiver is None:
        return []
    final = "SELECT order_id, CASE status WHEN 4 THEN 'order.confirmed' WHEN 5 THEN 'order.rejected' " \
            "ELSE 'order.cancelled' END FROM orders.orders WHERE status IN (4, 5, 6)"
    deadline = time.monotonic() + TOLD_SECONDS
    while missing := {tuple(row) for row in system.sql("orders", final)} - set(receiver.told):
        if time.monotonic() > deadline:
            return [f"webhooks: {len(missing)} final orders were not told, such as {sorted(missing)[0]}"]
        time.sleep(0.5)
    doubled = [one for one, ids in receiver.told.items() if len(ids) > 1]
    return [f"webhooks: {len(doubled)} events came by several ids, such as {doubled[0]}"] if doubled else []
