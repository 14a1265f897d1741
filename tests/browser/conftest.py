"""One stack with users for all cases, and what they need of it: a catalogue, an operator, a browser."""
import os
import shutil
import uuid

import pytest
import requests

from dev import admin, build, demo, manifests, paths, ports, private
from dev.contract import BROWSER_PROGRAMS
from dev.stack import Stack
from testkit.amqp import Publisher
from testkit.client import wait_until

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
OPERATOR, PASSWORD = "olga@example.org", "canary-correct-horse-battery"
# A password takes seconds on a busy machine. A refund that is pending at the provider is seen meanwhile.
PATIENT = {"edge": {"QUERY_TIMEOUT_MS": "15000"}, "psp-sandbox": {"SANDBOX_PENDING_MS": "20000"}}
HOSTILE_NAME = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def call(stack, method, path, body=None):
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, stack.url("edge") + path, json=body, timeout=60)


@pytest.fixture(scope="session")
def stack():
    with private.stack("browser", lambda folder: Stack(folder, preset=PRESET, auth="own", overrides=PATIENT)) as made:
        demo.seed(made)
        hostile = {"product_id": "Z-HOSTILE", "name": HOSTILE_NAME, "price": 100, "currency": "EUR", "on_hand": 7}
        made.broker.publish(build.programs(PRESET), "inventory.put-product.v1", [hostile])
        wait_until(lambda: call(made, "GET", "/api/products/Z-HOSTILE").status_code == 200, 30, "the hostile product")
        token = admin.make(made.database_url("users"), OPERATOR, "operator")
        wait_until(lambda: call(made, "POST", "/api/auth/reset", {"token": token, "password": PASSWORD}).ok, 60,
                   "the operator's password")
        yield made


@pytest.fixture(scope="session")
def dead_letter(stack):
    """A command that payment-svc cannot read."""
    envelope = {"type": "payment.charge.v1", "message_id": str(uuid.uuid4()), "user_id": "order-svc",
                "app_id": "order-svc"}
    with Publisher(stack.amqp_url("order-svc")) as publisher:
        assert publisher.publish("bus.cmd", "payment.charge", envelope, {}, b"{}") == "ack"


@pytest.fixture(scope="session")
def environment(stack, tmp_path_factory):
    """For the cases. Pictures are kept in the folder that ORDERBUS_PICTURES names."""
    pictures = os.environ.get("ORDERBUS_PICTURES")
    failed = os.path.join(paths.ROOT, "build", "test-logs", "browser")
    os.makedirs(failed, exist_ok=True)
    return os.environ | {
        "PAGE_URL": stack.url("edge"), "PAGE_OPERATOR": OPERATOR, "PAGE_HOSTILE_NAME": HOSTILE_NAME,
        "PAGE_SERVICES": " ".join(one.name for one in manifests.ON_BUS),
        "PAGE_MODULES": os.path.join(BROWSER_PROGRAMS.folder, "node_modules"), "PAGE_FAILED": failed,
        "PAGE_CHROMIUM": shutil.which("chromium"), "PAGE_DEBUG_PORT": str(ports.pick_one()),
        "PAGE_IMAGES": os.path.join(paths.ROOT, pictures) if pictures else str(tmp_path_factory.mktemp("pictures"))}
