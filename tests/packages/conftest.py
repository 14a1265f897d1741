"""Fixtures: a machine with all packages installed, and one whose databases, broker and secrets are set up by the
administrators' programs of the packages, as infrastructure/systemd/README.md says."""
import hashlib
import json
import os
import subprocess

import pytest
from machine import Machine

from dev import broker, manifests, package, runner, systems, user_keys
from dev.state import State
from testkit.client import wait_until

EDGE = "http://127.0.0.1:8080"
READY_SECONDS = 60
BROKER_SECONDS = 300  # its first start, on a busy machine
SERVERS = ("postgresql@15-main.service", "rabbitmq-server.service")


def secret(name):
    """The same for each name, and known as a secret wherever it shows."""
    return "canary" + hashlib.sha256(name.encode()).hexdigest()[:24]


def unit(service):
    return f"orderbus-{service}.service"


@pytest.fixture(scope="session")
def machine():
    assert os.geteuid() == 0, "only root can boot a machine"
    made = Machine(systems.MACHINE.folder, package.FOLDER)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def installed(machine):
    """All but those for developers, which depend on a compiler's headers."""
    machine.run("sh", "-c", "dpkg --install /shared/orderbus-*.deb /shared/orderctl_*.deb")
    return machine


def database_url(role, database):
    return f"postgres://{role}:{secret(role)}@127.0.0.1:5432/{database}"


def broker_url(user):
    return f"amqp://{user}:{secret(user)}@127.0.0.1:5672/orderbus"


def make_databases(machine):
    for one in manifests.WITH_DATABASE:
        urls = [f"{name.replace('RUNTIME', 'SERVICE')}_URL={database_url(role, one.database)}"
                for name, role in ((name.upper(), role) for name, role in one.roles.items()) if name != "OWNER"]
        for _ in range(2):  # as often as one likes
            machine.run("runuser", "-u", "postgres", "--", "orderbus-roles", one.database, env=urls)
        machine.write(f"/etc/orderbus/admin/{one.database}-migrator-url",
                      database_url(one.roles["migrator"], one.database))
        machine.run("systemctl", "start", f"orderbus-migrate@{one.database}.service")


def make_broker(machine):
    """By Debian's own administrator, who may log in from the machine itself."""
    machine.write("/etc/rabbitmq/enabled_plugins", "[rabbitmq_management].\n", "0644")
    machine.run("systemctl", "restart", "rabbitmq-server.service")
    machine.write("/etc/orderbus/admin/rabbitmq-url", "amqp://guest:guest@127.0.0.1:5672/orderbus")
    for user in broker.USERS:
        machine.write(f"/run/urls/{user}", broker_url(user))
    urls = ["MANAGEMENT_URL=http://guest:guest@127.0.0.1:15672/",
            "RABBITMQ_URL_FILE=/etc/orderbus/admin/rabbitmq-url",
            "USER_URL_FILES=" + " ".join(f"/run/urls/{user}" for user in broker.USERS)]
    for _ in range(2):  # as often as one likes
        machine.run("orderbus-broker", env=urls)
    machine.run("systemctl", "start", "orderbus-topology.service")


def write_secrets(machine, folder):
    """The secrets and settings of all services; → the public key of passwords."""
    for one in manifests.ALL:
        place = f"/etc/orderbus/{one.name}/"
        if one.database:
            machine.write(place + "database-url", database_url(one.roles["runtime"], one.database))
        if one.broker_user:
            machine.write(place + "rabbitmq-url", broker_url(one.broker_user))
    for name in ("payment-svc", "psp-sandbox"):
        machine.write(f"/etc/orderbus/{name}/psp-key", secret("psp-key"))
    machine.write("/etc/orderbus/psp-sandbox/webhook-secret", secret("webhook"))
    machine.write("/etc/orderbus/edge/psp-webhook-secret", secret("webhook"))
    state = State(folder).create()
    for one in manifests.ALL:
        for variable, path in user_keys.variables(state, one).items():
            name = variable.removesuffix("_FILE").lower().replace("_", "-")
            with open(path, encoding="ascii") as file:
                machine.write(f"/etc/orderbus/{one.name}/{name}", file.read())
    return user_keys.seal_key(State(folder))


@pytest.fixture(scope="session")
def prepared(installed):
    """Everything is set up, and no service runs."""
    with runner.temporary_folder("packages") as folder:
        for server in SERVERS:
            wait_until(lambda server=server: installed.show(server, "ActiveState") == "active", BROKER_SECONDS,
                       server)
        make_databases(installed)
        make_broker(installed)
        seal = write_secrets(installed, os.path.join(folder, "state"))
        settings = {"AUTH": "own", "OIDC_ISSUER": EDGE, "USER_SEAL_KEY": seal, "DRAIN_MS": "0", "DRAIN_KEPT_MS": "0"}
        installed.run("sh", "-c", "cat >> /etc/orderbus/edge.env",
                      text="".join(f"{name}={value}\n" for name, value in settings.items()))
        installed.run("sh", "-c", "cat >> /etc/orderbus/psp-sandbox.env",
                      text=f"WEBHOOK_URL={EDGE}/webhooks/psp\n")
        yield installed


def http(machine, method, path, body=None, token=None):
    """→ status and body of a request to the machine's edge."""
    words = ["curl", "-s", "-X", method, "-w", "\n%{http_code}", EDGE + path, "-H", "Content-Type: application/json"]
    words += ["-H", f"Authorization: Bearer {token}"] if token else []
    words += ["-d", json.dumps(body)] if body is not None else []
    done = subprocess.run(["nsenter", "--target", machine.init, "--net", *words], capture_output=True, text=True,
                          timeout=60, check=False)
    text, _, status = done.stdout.rpartition("\n")
    return int(status or 0), json.loads(text) if text[:1] == "{" else text


@pytest.fixture(scope="session")
def running(prepared):
    units = [unit(name) for name in manifests.NAMES]
    prepared.run("systemctl", "enable", "--now", "orderbus.target", *units)
    wait_until(lambda: http(prepared, "GET", "/health/ready")[0] == 200, READY_SECONDS, "a ready edge")
    wait_until(lambda: http(prepared, "GET", "/health")[0] == 200, READY_SECONDS, "ready services")
    return prepared
