#!/usr/bin/python3 -B
"""Stands in for any service in the tests of the tooling: takes its variables, gets ready, and drains on SIGTERM."""
import http.server
import json
import os
import signal
import sys
import threading

ORDER = {"order_id": "0190c0de-0000-5000-8000-000000000001", "status": "PENDING", "total": 1998, "currency": "EUR"}
asked = {"products": 0}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/auth/login":
            return self.answer(200, {"access_token": "head.claims.signature"})
        return self.answer(202, ORDER)

    def do_GET(self):
        if self.path.startswith("/api/products/"):
            asked["products"] += 1
            return self.answer(200 if asked["products"] > 2 else 404, {})
        if self.path.startswith("/api/orders/"):
            return self.answer(200, ORDER | {"status": "CONFIRMED"})
        return self.answer(200, {"status": "UP", "environment": sorted(os.environ)})


def settings():
    with open(sys.argv[sys.argv.index("--env-file") + 1], encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file)


def main():
    found = settings()
    if found.get("LOG_LEVEL") == "debug":  # in these tests: one that does not want to drain
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for name in ("PORT", "ADMIN_PORT"):
        if name in found:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", int(found[name])), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"level": "info", "msg": "ready"}), flush=True)
    signal.pause()
    threading.Event().wait()


main()
