"""An edge with settings of its own, beside the stack's."""
import os
import signal
import subprocess
import uuid

import requests

from dev import build, ports
from testkit.client import item, wait_until


class Edge:
    """An edge that checks tokens, beside the stack's own. preset: of its build, if it is another than the stack's."""

    def __init__(self, stack, folder, preset=None, **variables):
        self.port = ports.pick_one()
        self.admin = ports.pick_one((self.port,))
        self.url = f"http://127.0.0.1:{self.port}"
        self.program = os.path.join(build.programs(preset or stack.preset), "edge")
        self.log = os.path.join(folder, "edge.log")
        self.variables = {
            "PORT": str(self.port), "ADMIN_PORT": str(self.admin), "RABBITMQ_URL": stack.broker.url("edge"),
            "DRAIN_MS": "0", "DRAIN_KEPT_MS": "0", "ADDRESS_RATE_LIMIT": "0", "ADDRESS_CONNECTIONS": "0",
            "OIDC_KEYS_FILE": os.path.join(folder, "keys")} | variables
        self.start()

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([*build.launcher(self.program), self.program],
                                            env=os.environ | self.variables, stderr=log)
        wait_until(self.is_ready, 30, "the edge with tokens")

    def is_ready(self):
        assert self.process.poll() is None, "the edge ended: see " + self.log
        try:
            return requests.get(self.url + "/health/live", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def has_keys(self):
        return requests.get(self.url + "/health/ready", timeout=5).status_code == 200

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0

    def call(self, method, path, token=None, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, self.url + path, headers=headers | options.pop("headers", {}), timeout=35,
                                **options)

    def place(self, token, key=None, **members):
        body = {"idempotency_key": key or str(uuid.uuid4()), "items": [item("A")]} | members
        return self.call("POST", "/api/orders", token, json=body)
