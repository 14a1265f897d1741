"""Starts the sandbox on a free port with a ledger of its own."""

import json
import os
import signal
import subprocess
import time

import pytest
import requests

from dev.ports import pick_one

KEY = "sk_test_sandbox_key"


class Sandbox:
    """One process, and calls to it as its clients make them."""

    def __init__(self, folder, **settings):
        self.ledger_file = folder / "ledger.jsonl"
        self.log_file = folder / "log"
        self.settings = settings
        self.process = None
        self.start()

    def start(self):
        self.port = pick_one()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(self.port),
            "PSP_KEY": KEY,
            "LEDGER_FILE": str(self.ledger_file),
            "HTTP_THREADS": "64",
            "SANDBOX_TIMEOUT_MS": "1500",
            **self.settings,
        }
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([os.environ["PSP_SANDBOX"]], env=environment, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                requests.get(self.url + "/health", timeout=1)
                return
            except requests.RequestException:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        self.process.kill()
        self.process.wait()
        raise AssertionError("the sandbox did not come up: " + self.log_file.read_text())

    def stop(self, number=signal.SIGTERM):
        """Returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=15)

    def restart(self, number=signal.SIGTERM):
        self.stop(number)
        self.start()

    def post(self, path, fields, key=None, timeout=10):
        headers = {"Authorization": f"Bearer {KEY}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return requests.post(self.url + path, data=fields, headers=headers, timeout=timeout)

    def get(self, path):
        return requests.get(self.url + path, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)

    def charge(self, method="pm_card_visa", key=None, amount=1998, order="order-1", timeout=10):
        fields = {
            "amount": amount,
            "currency": "eur",
            "payment_method": method,
            "confirm": "true",
            "metadata[order_id]": order,
        }
        return self.post("/v1/payment_intents", fields, key, timeout)

    def ledger(self):
        answer = self.get("/sandbox/ledger")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    """A function that starts sandboxes; they end with the test, and must end cleanly."""
    running = []

    def start(**settings):
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(Sandbox(folder, **settings))
        return running[-1]

    yield start
    for sandbox in running:
        status = sandbox.stop()
        assert status in (0, -signal.SIGKILL), sandbox.log_file.read_text()
        assert "Sanitizer" not in sandbox.log_file.read_text()


@pytest.fixture(name="sandbox")
def fixture_sandbox(start):
    return start()
