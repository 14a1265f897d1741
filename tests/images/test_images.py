"""The images, and orders through nginx in the system of compose.yaml."""
import json
import os
import re
import signal
import subprocess
import uuid

import pytest
from conftest import READY_SECONDS, SERVERS, System, image

from chaos import invariants
from dev import demo, manifests
from testkit.client import Api, wait_until

MIB = 1 << 20
SIZE_MAX = 25 * MIB
BROKERS = ("rabbitmq", "rabbitmq-2", "rabbitmq-3")


@pytest.mark.parametrize("name", manifests.NAMES)
def test_C1_an_image_holds_little(images, name):
    found = images.inspect(image(name))
    assert found["Size"] < SIZE_MAX
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Healthcheck"]["Test"] == ["CMD", "/program", "--health"]
    assert found["Config"]["Labels"]["org.opencontainers.image.title"] == f"orderbus {name}"
    for shell in ("/bin/sh", "/usr/bin/sh", "/bin/bash"):
        images.run("run", "--rm", "--network=none", "--entrypoint", shell, image(name), "-c", "true", status=127)


@pytest.mark.parametrize("name", manifests.NAMES)
def test_C1_a_program_needs_nothing_but_its_image(images, name):
    words = ["run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL", image(name)]
    assert re.fullmatch(rf"{name} [\d.]+\n", images.run(*words, "--version"))


def test_a_program_of_an_image_finds_the_names_of_openssl(images):
    """With a certificate that does not exist; without the names it would complain of them first."""
    settings = ["TLS_CERT_FILE=/none", "TLS_KEY_FILE=/none", "PORT=8090", "PSP_KEY=k" * 16, "LEDGER_FILE=/tmp/l"]
    words = [word for one in settings for word in ("--env", one)]
    said = images.run("run", "--rm", "--network=none", "--tmpfs=/tmp", *words, image("psp-sandbox"), status=None)
    assert "/none" in said and "cannot open" not in said, said


def test_the_image_of_administrators_has_its_programs(images):
    for words in (("bus-topology", "print"), ("orderctl", "--help"), ("sqitch", "--version"), ("psql", "--version")):
        images.run("run", "--rm", "--network=none", image("admin"), *words)
    assert images.inspect(image("admin"))["Config"]["User"] == "10001:10001"


def test_the_daemon_leaves_the_firewall_alone(system, firewall):
    assert subprocess.check_output(["/usr/sbin/iptables", "-S"], stderr=subprocess.STDOUT, text=True) == firewall
    assert system.serves()


class Customer:
    """Registers, logs in, and orders."""

    def __init__(self, system):
        login = {"email": f"{uuid.uuid4()}@example.org", "password": "correct horse battery"}
        assert system.api.post("/api/auth/register", login).status_code == 202
        wait_until(lambda: system.api.post("/api/auth/login", login).status_code == 200, 60, "a login")
        token = system.api.post("/api/auth/login", login).json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._api = Api(system.url)
        self.accepted = []

    def get(self, path):
        return self._api.get(path, headers=self._headers)

    def place(self, product_id, key=None):
        body = {"items": [{"product_id": product_id, "quantity": 2}]}
        placed = self._api.post("/api/orders", body,
                                headers=self._headers | {"Idempotency-Key": key or str(uuid.uuid4())})
        if placed.status_code in (200, 201, 202):
            self.accepted.append(placed.json()["order_id"])
        return placed

    def is_confirmed(self, order_id):
        found = self.get(f"/api/orders/{order_id}")
        return found.status_code == 200 and found.json()["status"] == "CONFIRMED"


@pytest.fixture(scope="module")
def product(system):
    made = demo.catalogue()[0]
    secret = os.path.join(system.folder, "admin", "operator-rabbitmq-url")
    system.docker.run("run", "--rm", "--interactive", f"--network={system.network}", f"--volume={secret}:/run/url:ro",
                      "--env=RABBITMQ_URL_FILE=/run/url", image("admin"), "bus-send", "inventory.put-product.v1",
                      text=json.dumps(made) + "\n")
    return made["product_id"]


@pytest.fixture(scope="module")
def customer(system, product):
    made = Customer(system)
    wait_until(lambda: made.get(f"/api/products/{product}").status_code == 200, 60, "the product")
    return made


def test_an_order_is_confirmed_through_nginx(customer, product):
    placed = customer.place(product)
    assert placed.status_code in (200, 201, 202), placed.text
    wait_until(lambda: customer.is_confirmed(placed.json()["order_id"]), 60, "a confirmed order")


@pytest.mark.parametrize("name", ["order-svc", "payment-svc", "rabbitmq"])
def test_a_container_that_crashes_comes_back_and_the_invariants_hold(system, customer, product, name):
    """SIGKILL to its first process, which Docker takes for a crash, under orders; keys make repeats harmless."""
    keys = [str(uuid.uuid4()) for _ in range(30)]
    first = system.container(name)["State"]["Pid"]
    for number, key in enumerate(keys):
        if number == 10:
            os.kill(first, signal.SIGKILL)
        customer.place(product, key)
    wait_until(lambda: system.container(name)["State"]["Pid"] not in (0, first), 60, f"another {name}")
    for key in keys:
        wait_until(lambda key=key: customer.place(product, key).status_code == 200, READY_SECONDS, "the order of a key")
    sources = invariants.Sources(system.database_urls(), system.ledger(), system.management(), "orderbus",
                                 set(customer.accepted))
    found = invariants.check_at_rest(sources, seconds=180)
    assert not found.violations(), "\n".join(found.violations())
    assert len(set(customer.accepted)) >= len(keys)


def test_C4_nginx_alone_is_public(system):
    for name in (*manifests.NAMES, "rabbitmq", *(f"postgres-{database}" for database in manifests.DATABASES)):
        settings = system.container(name)
        assert not any(settings["NetworkSettings"]["Ports"].values()), name
        assert list(settings["NetworkSettings"]["Networks"]) == [system.network]
    assert system.docker.inspect(system.network)["Internal"]
    assert any(system.container("nginx")["NetworkSettings"]["Ports"].values())
    assert system.api.get("/metrics").status_code == 404


@pytest.mark.parametrize("name", [*manifests.NAMES, "nginx"])
def test_C1_a_container_can_do_little(system, name):
    settings = system.container(name)
    host = settings["HostConfig"]
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and host["PidsLimit"] > 0 and not host["Privileged"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"] and settings["Config"]["User"] == "10001:10001"


@pytest.mark.parametrize("name", manifests.NAMES)
def test_C1_a_container_tells_its_health(system, name):
    wait_until(lambda: system.container(name)["State"]["Health"]["Status"] == "healthy", 90, f"a healthy {name}")


def test_S1_no_secret_shows(system):
    words = []
    for place, _, names in os.walk(system.folder):
        for name in names:
            if not place.endswith(".state") and not name.endswith((".env", "lock")):
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    words += re.findall(r"[0-9a-f]{32}", file.read())
    assert len(set(words)) > 10
    said = "".join(json.dumps(system.container(name)) for name in (*manifests.NAMES, *SERVERS[1:]))
    said += "".join(system.docker.run("history", "--no-trunc", image(name)) for name in manifests.NAMES)
    said += system.compose("logs", "--no-color")
    assert not [word for word in set(words) if word in said]


def test_a_stop_drains(system):
    for name in ("order-svc", "psp-sandbox"):
        made = system.container(name)["Id"]
        system.compose("stop", name)
        assert system.docker.inspect(made)["State"]["ExitCode"] == 0
    system.compose("start", "order-svc", "psp-sandbox")
    wait_until(system.serves, 90, "the system")


def test_the_brokers_of_production_form_a_cluster(images, folder):
    """And each queue has a copy on each of them."""
    made = System(images, folder, "production", ["compose.prod.yaml"], {"PSP_URL": "https://psp.example"},
                  ",".join(f"{name}:5672" for name in BROKERS))
    try:
        made.compose("up", "-d", "--no-build", "setup-broker", seconds=READY_SECONDS)
        setup = images.run("ps", "--all", "--quiet", "--filter", "name=production_setup-broker").strip()
        assert images.run("wait", setup, seconds=READY_SECONDS).strip() == "0", images.run("logs", setup)
        nodes = made.management().must("GET", "nodes")
        assert len(nodes) == len(BROKERS) and all(node["running"] for node in nodes)
        queues = made.management().must("GET", "queues", "orderbus")
        assert len(queues) > 10 and {len(one["members"]) for one in queues if one["type"] == "quorum"} == {len(BROKERS)}
        limits = made.container("rabbitmq-2")["HostConfig"]
        assert limits["Memory"] == 2 << 30 and limits["RestartPolicy"]["Name"] == "always"
    finally:
        made.end()
