"""Faults on the private stack: which alerts each must cause, how it begins, and how it ends."""
import contextlib
import dataclasses
import json
import os
import re
import subprocess
import tempfile
import time
import uuid

import psycopg2
import requests

from chaos import root
from chaos.disk import Disk
from chaos.stack import PLENTY
from crowd import Crowd
from dev import build, reconcile
from testkit.amqp import Publisher
from testkit.client import item, wait_until

BUSY = 85  # connections to Postgres, of 100
BACKLOG = 10_100
DISK_MIB = 32
RESTARTS, SCRAPE_SECONDS = 3, 16
CROWD = 240
HALF_SECONDS = 300


@dataclasses.dataclass(frozen=True)
class Fault:
    """alerts: {alert: labels of the instance that must fire}. run(system): a context; the fault lasts as long as it.
    lingering: alerts whose window is longer than the test waits; that they end is not seen."""
    name: str
    alerts: dict
    run: object
    lingering: tuple = ()
    seconds: int = 240


class System:
    """The means of a fault. folder: a place of its own."""

    def __init__(self, stack, api, folder):
        self.stack = stack
        self.api = api
        self.folder = folder

    def bindings_of(self, key):
        """Paths, in the management API, of the bindings with a routing key."""
        vhost = self.stack.broker.admin.path
        found = [one for one in self.stack.broker.management.must("GET", "bindings", vhost)
                 if one["routing_key"] == key and one["source"]]
        assert found, key
        return [("bindings", vhost, "e", one["source"], "q", one["destination"], one["properties_key"])
                for one in found]

    def place(self, **options):
        answer = self.api.place(item(PLENTY[0]), **options)
        assert answer.status_code == 202, answer.text
        return answer.json()["order_id"]


@contextlib.contextmanager
def killed(system, *names):
    for name in names:
        system.stack.kill(name)
    yield
    for name in names:
        system.stack.start_service(name)


@contextlib.contextmanager
def parts_away(system):
    """A service, an exporter and the targets of another service, and a crowd of sessions at Postgres."""
    observers = system.stack.observers
    known = [group for group in observers.targets()["services"] if group["labels"]["service"] != "inventory-svc"]
    with killed(system, "user-svc", "node-exporter"), sessions(system):
        observers.write_targets(services=known)
        try:
            yield
        finally:
            observers.write_targets()


@contextlib.contextmanager
def sessions(system):
    held = []
    try:
        for _ in range(BUSY - int(system.stack.sql("orders", "SELECT count(*) FROM pg_stat_activity "
                                                             "WHERE datname IS NOT NULL")[0][0])):
            held.append(psycopg2.connect(system.stack.database_url("orders")))
        yield
    finally:
        for session in held:
            session.close()


@contextlib.contextmanager
def provider_away(system):
    """And a message that no version of a service can read."""
    with Publisher(system.stack.amqp_url("operator")) as operator:
        operator.publish("bus.cmd", "inventory.put-product", body=b"no JSON", headers={}, properties={
            "type": "inventory.put-product.v1", "message_id": "0198a0a0-0000-7000-8000-000000000001",
            "user_id": "operator", "content_type": "application/json", "delivery_mode": 2})
    with killed(system, "psp-sandbox"):
        yield


@contextlib.contextmanager
def without_bindings(system):
    """The command that cancels an order and the one that charges a payment have no queue."""
    order = system.place()
    for key in ("order.cancel", "payment.charge"):
        for path in system.bindings_of(key):
            system.stack.broker.management.must("DELETE", *path)
    system.api.cancel(order)
    yield
    system.stack.broker.set_up(build.programs(system.stack.preset))
    system.api.cancel(order)  # the edge learns by the next command of the kind that a queue takes it


@contextlib.contextmanager
def without_a_right(system):
    system.stack.sql("orders", "REVOKE UPDATE ON orders.orders FROM order_svc")
    yield
    system.stack.sql("orders", "GRANT UPDATE ON orders.orders TO order_svc")


@contextlib.contextmanager
def broker_blocks(system):
    broker = system.stack.servers.rabbitmq
    broker.ctl("set_vm_memory_high_watermark", "0.0000001")
    yield
    broker.ctl("set_vm_memory_high_watermark", "absolute", "1GiB")


@contextlib.contextmanager
def slow_links(system):
    for name in ("edge-amqp", "order-pg"):
        system.stack.link(name).slow(3000)
    yield
    for name in ("edge-amqp", "order-pg"):
        system.stack.link(name).clear()


@contextlib.contextmanager
def database_away(system):
    with killed(system, "postgres"):
        yield


@contextlib.contextmanager
def cut_off(system):
    """One service from the broker, which the others reach."""
    system.stack.link("payment-amqp").down()
    yield
    system.stack.link("payment-amqp").clear()


def said(system, user, exchange, kind, order, body):
    """A message that only a user who is broken into, or a service with a fault, would send."""
    properties = {"type": kind, "message_id": str(uuid.uuid4()), "user_id": user, "correlation_id": order,
                  "content_type": "application/json", "delivery_mode": 2}
    with Publisher(system.stack.amqp_url(user)) as publisher:
        assert publisher.publish(exchange, kind.removesuffix(".v1"), properties, {}, json.dumps(body).encode()) == "ack"


@contextlib.contextmanager
def contradictions(system):
    """The stock of a confirmed order is said to be missing, and is to be released; a customer disputes a charge."""
    order = system.api.complete(item(PLENTY[0]), token="pm_card_createDispute")["order_id"]
    said(system, "inventory-svc", "bus.event", "stock.missing.v1", order,
         {"order_id": order, "reason": "out_of_stock", "product_id": PLENTY[0]})
    said(system, "order-svc", "bus.cmd", "inventory.release.v1", order, {"order_id": order})
    yield


@contextlib.contextmanager
def restarts(system):
    """A service ends again and again, and a scrape comes between two ends."""
    for _ in range(RESTARTS):
        time.sleep(SCRAPE_SECONDS)
        system.stack.kill("user-svc")
        system.stack.start_service("user-svc")
    yield


# All open orders are late at a time, long before their deadline, and a few of them close the intake.
PATIENT = {"SAGA_DEADLINE_MS": "400000", "MAX_OPEN_SAGAS": "150"}


@contextlib.contextmanager
def backlog(system):
    """The consumer of a queue is away, and the queue is filled: orders are late, and no new ones are taken."""
    system.stack.restart_with("order-svc", PATIENT)
    with killed(system, "payment-svc"):
        with Publisher(system.stack.amqp_url("order-svc")) as publisher:
            for _ in range(BACKLOG):
                publisher.publish("bus.cmd", "payment.charge")
        yield
        system.stack.servers.rabbitmq.ctl("purge_queue", "-p", system.stack.broker.admin.path, "payment-svc")
    system.stack.restart_with("order-svc", {})


@contextlib.contextmanager
def disk_nearly_full(system):
    """A small file system of its own, in a file: the exporter leaves those in memory out. The edge logs on it."""
    root.require()
    image, folder = os.path.join(system.folder, "image"), os.path.join(system.folder, "disk")
    os.makedirs(folder)
    with open(image, "wb") as file:
        file.truncate(DISK_MIB << 20)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["/usr/bin/mount", "-o", "loop", image, folder], check=True)
    disk = Disk(folder, DISK_MIB)
    try:
        with logging_to(system, "edge", os.path.join(folder, "edge.log")):
            disk.fill()
            yield
    finally:
        disk.unmount()


@contextlib.contextmanager
def logging_to(system, service, path):
    usual = system.stack.log(service)
    log_to(system, service, path)
    try:
        yield
    finally:
        log_to(system, service, usual)


def log_to(system, service, path):
    system.stack.stop_service(service)
    system.stack.services[service].process.log = path
    system.stack.start_service(service)


# The edge refuses no request, and waits for each answer.
UNPROTECTED = {"SHED_REQUESTS": "0", "CIRCUIT_BREAKER_THRESHOLD": "100", "QUERY_TIMEOUT_MS": "30000",
               "ACCEPT_TOTAL_MS": "30000"}


@contextlib.contextmanager
def crowd(system):
    """As many clients as the edge has threads, nearly, and a broker that is far away."""
    system.stack.restart_with("edge", UNPROTECTED)
    system.stack.link("edge-amqp").slow(5000)
    try:
        with Crowd(system.stack.url("edge"), CROWD):
            yield
    finally:
        system.stack.link("edge-amqp").clear()
        system.stack.restart_with("edge", {})


@contextlib.contextmanager
def no_dead_queue(system):
    """A message that nobody can read has no place to go."""
    for path in system.bindings_of("payment-svc"):
        system.stack.broker.management.must("DELETE", *path)
    said(system, "order-svc", "bus.cmd", "payment.charge.v1", str(uuid.uuid4()), {"order_id": "none"})
    yield
    system.stack.broker.set_up(build.programs(system.stack.preset))
    with Publisher(system.stack.amqp_url("operator")) as operator:
        wait_until(lambda: operator.depth("payment-svc.dead") > 0, 120, "the message in its dead queue")
    drop_dead(system.stack, "payment-svc")


def drop_dead(stack, queue):
    done = subprocess.run([os.path.join(build.programs(stack.preset), "bus-dead"), "drop", queue, "--all"],
                          stdin=subprocess.DEVNULL, timeout=60, env={"RABBITMQ_URL": stack.amqp_url("operator")},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Retries at least twice a minute; and a breaker that opens late, so that the quick attempts are all made.
STUBBORN = {"RETRY_SLOW_MAX_MS": "30000", "CIRCUIT_BREAKER_THRESHOLD": "100", "CIRCUIT_BREAKER_WINDOW_MS": "1000"}


@contextlib.contextmanager
def provider_cut_off(system):
    """A charge is pending for ten minutes. For the second half of them no call gets an answer, a refund's neither."""
    system.stack.restart_with("psp-sandbox", {"SANDBOX_PENDING_MS": "600000"})
    system.stack.restart_with("payment-svc", STUBBORN)
    paid = system.api.complete(item(PLENTY[0]))["order_id"]
    system.place(token="pm_sandbox_processing")
    time.sleep(HALF_SECONDS)
    system.stack.link("payment-psp").reset()
    refund = system.api.post("/api/payments/refund", {"order_id": paid, "idempotency_key": str(uuid.uuid4())})
    assert refund.status_code == 202, refund.text
    try:
        yield
    finally:
        system.stack.link("payment-psp").clear()
    wait_until(lambda: system.api.get(f"/api/payments/{paid}").json()["status"] == "refunded", 180, "the refund")
    system.stack.restart_with("psp-sandbox", {})
    system.stack.restart_with("payment-svc", {})
    wait_until(lambda: system.api.place(item(PLENTY[0])).status_code == 202, 180, "new orders to be taken again")


@contextlib.contextmanager
def key_forgotten(system):
    """Charges are still pending when their idempotency keys are used no more: a person settles them."""
    system.stack.restart_with("payment-svc", {"PSP_KEY_LIFE_S": "20"})
    order = system.place(token="pm_sandbox_processing_forever")
    yield
    system.stack.restart_with("payment-svc", {})
    assert order in settle_by_the_providers_record(system.stack)


def settle_by_the_providers_record(stack):
    """The one of the fault, and each that another fault had left pending. → the orders"""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as file:
        reconcile.write_theirs(stack, 0, file.name)
        records = [line.split("\t") for line in file]
    captured = {record[0]: record[4] for record in records if record[1] == "captured"}
    rows = stack.sql("payments", "SELECT order_id FROM payments.payments WHERE state = 'unknown'")
    unknown = [row[0] for row in rows]
    for order in unknown:
        outcome = f"'captured', '{captured[order]}'" if order in captured else "'failed'"
        stack.sql("payments", f"SELECT payments.settle('{order}', {outcome})")
    return unknown


@contextlib.contextmanager
def certificate_ends(system):
    """The client certificate of a service was not renewed."""
    certificate, key = (os.path.join(system.folder, name) for name in ("client.pem", "client.key"))
    lasting(certificate, key, 2)
    system.stack.restart_with("user-svc", {"RABBITMQ_CERT_FILE": certificate, "RABBITMQ_KEY_FILE": key})
    yield
    lasting(certificate, key, 90)
    metrics = requests.get(system.stack.url("user-svc") + "/metrics", timeout=5).text
    end = int(re.search(r"^tls_client_certificate_not_after_seconds (\d+)$", metrics, re.M)[1])
    assert end - time.time() > 80 * 86400
    system.stack.restart_with("user-svc", {})  # the files go with the test


def lasting(certificate, key, days):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=user-svc", "-days", str(days), "-keyout", key, "-out", certificate], check=True,
                   capture_output=True, timeout=60)


BURN = {"AvailabilityBurnFast": {"service": "edge"}, "AvailabilityBurnSlow": {"service": "edge"}}
SLOW = {"LatencyBurnFast": {"service": "edge"}, "LatencyBurnSlow": {"service": "edge"}}
ALARMS = {"SagaAlarms": {"service": "order-svc"}, "ReservationAlarms": {"service": "inventory-svc"},
          "PaymentAlarms": {"service": "payment-svc"}}
ALL = (
    # First, before any other fault burns the budget of errors for half an hour. The outbox of order-svc grows old, so
    # the edge refuses orders.
    Fault("without bindings", {"CommandUnroutable": {"command": "order.cancel"},
                               "OutboxUnroutable": {"service": "order-svc"}, "OutboxOld": {"service": "order-svc"},
                               "EdgeOverloaded": {"cause": "backlog"}, "HighErrorRate": {"service": "edge"}, **BURN},
          without_bindings, lingering=tuple(BURN)),
    Fault("slow links", SLOW, slow_links, lingering=tuple(SLOW)),
    Fault("parts away", {"ServiceDown": {"service": "user-svc"}, "ExporterDown": {"job": "node"},
                         "TargetsMissing": {"service": "inventory-svc"}, "PostgresConnectionsHigh": {}}, parts_away),
    Fault("provider away", {"BreakerOpen": {"service": "payment-svc"}, "DeadLetters": {"service": "inventory-svc"}},
          provider_away, lingering=("DeadLetters",)),
    Fault("without a right", {"WorkersStalled": {"service": "order-svc"}}, without_a_right),
    Fault("disk nearly full", {"LowDisk": {}, "LogLinesDropped": {"service": "edge"}}, disk_nearly_full,
          lingering=("LogLinesDropped",)),
    Fault("broker blocks", {"BrokerAlarm": {}, "EdgeBrokerDown": {}, "EdgeOverloaded": {"cause": "blocked"}},
          broker_blocks),
    Fault("database away", {"PostgresDown": {}, "DatabaseLinkDown": {"service": "order-svc"}}, database_away),
    Fault("cut off", {"BrokerLinkDown": {"service": "payment-svc"}}, cut_off),
    Fault("contradictions", ALARMS, contradictions, lingering=tuple(ALARMS)),
    Fault("restarts", {"ServiceRestarting": {"service": "user-svc"}}, restarts, lingering=("ServiceRestarting",)),
    Fault("consumer away", {"QueueBacklog": {"queue": "payment-svc"}, "IntakeClosed": {"service": "order-svc"},
                            "SagasLate": {}, "SagasStuck": {}}, backlog, seconds=600),
    Fault("crowd", {"EdgeConnectionsHigh": {"service": "edge"}, "EdgeThreadsBusy": {"service": "edge"}}, crowd),
    Fault("no dead queue", {"MessagesHeld": {"service": "payment-svc"}}, no_dead_queue, seconds=420),
    Fault("provider cut off", {"PaymentsOld": {"service": "payment-svc"}, "RefundsFailing": {"service": "payment-svc"}},
          provider_cut_off, seconds=600),
    Fault("key forgotten", {"PaymentsUnknown": {"service": "payment-svc"}}, key_forgotten),
    Fault("certificate ends", {"CertificateExpires": {"service": "user-svc"},
                               "CertificateExpiresSoon": {"service": "user-svc"}}, certificate_ends),
)
