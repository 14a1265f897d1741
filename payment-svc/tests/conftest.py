"""payment-svc for real: its own database and virtual host on the servers of TEST_DATABASE_URL, TEST_AMQP_URL and
TEST_MGMT_URL, and the PSP sandbox. PROGRAMS is the folder of the built programs."""
import json
import os
import secrets
import signal
import subprocess
import time
import urllib.parse
import uuid
from pathlib import Path

import pytest
import requests

from dev.broker import Broker
from dev.ports import pick_one
from testkit import bundles, plans
from testkit.client import wait_until

PSP_KEY = "sk_test_payment_tests"
# Shorter than in production, so that a test sees them end.
QUICK = {"RETRY_INITIAL_MS": "100", "RETRY_SLOW_MS": "400", "RETRY_SLOW_MAX_MS": "1000", "PSP_READ_TIMEOUT_MS": "1500",
         "PSP_TIMEOUT_MS": "2000", "PSP_LEASE_MS": "4000"}


def program_path(name):
    return Path(os.environ["PROGRAMS"]) / name


class Program:
    """One process of ours, with a log."""

    def __init__(self, name, folder, environment):
        self.name, self.log = name, folder / f"{name}.log"
        self.environment = {"PATH": "/usr/bin:/bin", "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "exitcode=99",
                            "PORT": str(pick_one()), **environment}
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"
        self.process = None

    def start(self, path, **changes):
        self.environment |= changes
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program_path(self.name)], env=self.environment, stderr=log)
        wait_until(lambda: self.get(path), 30, f"{self.name}: {self.log.read_text()[-2000:]}")

    def get(self, path):
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        try:
            answer = requests.get(self.url + path, timeout=5, headers={"Authorization": f"Bearer {PSP_KEY}"})
        except requests.ConnectionError:
            return None
        return answer if answer.status_code == 200 else None

    def end(self, number=signal.SIGTERM):
        """The exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        assert "Sanitizer" not in self.log.read_text(), self.log.read_text()[-4000:]
        self.process = None
        return status


class Secrets:
    """Stands in for the state folder that Broker uses."""

    def __init__(self):
        self.known = {}

    def secret(self, name):
        return self.known.setdefault(name, secrets.token_hex(16))


class World:
    """The service, the PSP, and what one can do to them and see of them."""

    def __init__(self, folder):
        for name in ("TEST_DATABASE_URL", "TEST_AMQP_URL", "TEST_MGMT_URL", "PROGRAMS"):
            if name not in os.environ:
                pytest.skip(f"{name} is not set")
        self.folder = folder
        self.database = plans.Database("payments", "payment_svc")
        self.vhost = f"payment-{os.getpid()}-{secrets.token_hex(3)}"
        admin = urllib.parse.urlsplit(os.environ["TEST_AMQP_URL"])
        self.broker = Broker(Secrets(), admin._replace(path="/" + self.vhost).geturl(), os.environ["TEST_MGMT_URL"])
        self.broker.set_up(os.environ["PROGRAMS"])
        self.admin = self.database.superuser()
        self.psp = Program("psp-sandbox", folder, {"PSP_KEY": PSP_KEY, "LEDGER_FILE": str(folder / "ledger.jsonl"),
                                                   "SANDBOX_TIMEOUT_MS": "3000", "SANDBOX_PENDING_MS": "1000"})
        self.service = Program("payment-svc", folder, {
            **QUICK, "RABBITMQ_URL": self.broker.url("payment-svc"), "DATABASE_URL": self._login(),
            "PSP_KEY": PSP_KEY, "PSP_URL": self.psp.url})

    def _login(self):
        password = secrets.token_hex(16)
        self.sql(f"ALTER ROLE payment_svc LOGIN PASSWORD '{password}'")
        return self.database.url("payment_svc", password)

    def sql(self, text, values=()):
        with self.admin.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else []

    def start(self, **changes):
        self.psp.start("/sandbox/ledger")
        self.service.start("/health/ready", **changes)

    def management(self, method, path, body=None):
        url = f"{os.environ['TEST_MGMT_URL']}/api/{path}"
        answer = requests.request(method, url, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def send(self, kind, bodies, user="order-svc"):
        """Commands as that service sends them, confirmed by the broker."""
        lines = "".join(json.dumps(body) + "\n" for body in bodies)
        subprocess.run([program_path("bus-send"), kind], input=lines, text=True, check=True,
                       timeout=60, env={"RABBITMQ_URL": self.broker.url(user)})

    def charge(self, token="pm_card_visa", amount=1998, count=1):
        orders = [str(uuid.uuid4()) for _ in range(count)]
        self.send("payment.charge.v1", [{"order_id": order, "amount": amount, "currency": "EUR", "token": token}
                                        for order in orders])
        return orders if count > 1 else orders[0]

    def charge_again(self, order, amount=1998):
        self.send("payment.charge.v1", [{"order_id": order, "amount": amount, "currency": "EUR",
                                         "token": "pm_card_visa"}])

    def refund(self, *orders):
        self.send("payment.refund.v1", [{"order_id": order} for order in orders])

    def check_at_psp(self, order, psp_id):
        """As the edge does for an event of the PSP."""
        self.send("payment.check.v1", [{"order_id": order, "psp_id": psp_id}], "edge")

    def events(self):
        """Messages to order-svc since the last call: (type, body)."""
        got = self.management("POST", f"queues/{self.vhost}/order-svc/get",
                              {"count": 10000, "ackmode": "ack_requeue_false", "encoding": "auto"})
        return bundles.messages(got)

    def expect(self, count, seconds=20):
        """The next events, exactly that many, as {order: [(type, rest of the body)]}."""
        found = []

        def enough():
            found.extend(self.events())
            return len(found) >= count

        wait_until(enough, seconds, f"{count} events")
        time.sleep(0.1)
        found.extend(self.events())
        assert len(found) == count, found
        told = {}
        for kind, body in found:
            told.setdefault(body.pop("order_id"), []).append((kind, body))
        return told

    def states(self):
        return dict(self.sql("SELECT state, count(*) FROM payments.payments GROUP BY state"))

    def row(self, order, columns="state"):
        found = self.sql(f"SELECT {columns} FROM payments.payments WHERE order_id = %s", (order,))
        return found[0] if found else None

    def ledger(self, order=None):
        """The PSP's own: what it really did."""
        lines = [json.loads(line) for line in (self.folder / "ledger.jsonl").read_text().splitlines()]
        return [line for line in lines if order in (None, line["order_id"])]

    def metric(self, line):
        for found in self.service.get("/metrics").text.splitlines():
            if found.startswith(line + " "):
                return float(found.rsplit(" ", 1)[1])
        return 0

    def psp_requests(self, route):
        """How many requests of that kind the PSP has answered: \'POST /v1/refunds\'."""
        method, path = route.split()
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.psp.get("/metrics").text.splitlines()
                   if line.startswith("http_requests_total") and f'"{path}"' in line and f'"{method}"' in line)

    def check(self):
        """Checks the invariants of a service at rest."""
        assert self.sql("SELECT * FROM payments.audit") == []
        assert self.sql("SELECT cause FROM bus.parked") == []
        wait_until(lambda: self.sql("SELECT count(*) FROM bus.outbox") == [(0,)], 15, "an empty outbox")
        net = {}
        for line in self.ledger():
            sign = {"captured": 1, "refunded": -1}.get(line["type"], 0)
            taken = net.setdefault(line["order_id"], [0, 0])
            taken[0] += sign * line["amount"]
            taken[1] += line["type"] == "captured"
        for order, (amount, captures) in net.items():
            state, owed = self.row(order, "state, amount - refunded_amount")
            assert captures <= 1, order
            assert amount == (owed if state == "captured" else 0), (order, state, amount)

    def close(self):
        service, psp = self.service.end(), self.psp.end()
        self.admin.close()
        self.database.drop()
        self.management("DELETE", f"vhosts/{self.vhost}")
        assert (service, psp) == (0, 0), "not drained"


@pytest.fixture(name="made", scope="module")
def fixture_made(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@pytest.fixture(name="world")
def fixture_world(made):
    """Running, with nothing left of the test before, and whole after the test."""
    if made.psp.process is None or made.service.process is None:
        made.service.end()
        made.psp.end()
        made.start(**QUICK, PSP_KEY=PSP_KEY)
    made.events()
    yield made
    if made.service.process and made.psp.process:
        made.check()
