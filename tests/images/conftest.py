"""Fixtures: a Docker daemon, the images of all programs and of servers, and the system of compose.yaml."""
import os
import random
import shutil
import subprocess

import pytest
from daemon import Docker

from dev import manifests, paths, ports, runner, secret_files, systems
from dev.management import Management
from testkit.client import Api, wait_until

FOLDER = os.path.join(paths.ROOT, "infrastructure", "docker")
SERVERS = ("postgres", "rabbitmq", "nginx")
BASE = "orderbus/base"
READY_SECONDS = 600  # RabbitMQ's first start on a busy machine takes minutes


def image(name):
    return f"orderbus/{name}"


@pytest.fixture(scope="session")
def folder():
    with runner.temporary_folder("images") as made:
        yield made


@pytest.fixture(scope="session")
def firewall():
    """The machine's rules before the daemon starts."""
    return subprocess.check_output(["/usr/sbin/iptables", "-S"], stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="session")
def docker(folder, firewall):
    assert os.geteuid() == 0, "only root can start a Docker daemon"
    made = Docker(folder)
    yield made
    made.stop()


def build(docker, target, *arguments, file=os.path.join(FOLDER, "Dockerfile"), context=paths.ROOT):
    words = [word for one in (f"BASE={BASE}", *arguments) for word in ("--build-arg", one)]
    docker.run("build", "--quiet", "--network=none", "--file", file, "--target", target, "--tag", image(target), *words,
               context, seconds=900)


@pytest.fixture(scope="session")
def images(docker):
    """Built of the packages that ./dev package has made, and of a Debian made by debootstrap: nothing is fetched."""
    docker.import_folder(systems.MACHINE.folder, BASE)
    for name in (*manifests.NAMES, "admin"):
        build(docker, name, "PACKAGES=given", f"VERSION={paths.version()}")
    servers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "servers")
    for name in SERVERS:
        build(docker, name, file=os.path.join(servers, "Dockerfile"), context=servers)
    return docker


def _make_certificate(folder):
    """A certificate of the public name, which compose.prod.yaml expects."""
    os.makedirs(folder)
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=shop.example", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    os.chown(key, secret_files.USER, secret_files.USER)


class System:
    """The system of compose.yaml. folder: for a copy of its files, with secrets; more: further compose files."""

    def __init__(self, docker, folder, project, more=(), variables=(), hosts="rabbitmq"):
        self.docker = docker
        self._project = project
        copied = os.path.join(folder, project, "infrastructure")
        for name in ("docker", "nginx"):
            shutil.copytree(os.path.join(paths.ROOT, "infrastructure", name), os.path.join(copied, name),
                            ignore=shutil.ignore_patterns("secrets"))
        place = os.path.join(copied, "docker")
        self._files = [os.path.join(place, name) for name in ("compose.yaml", *more)]
        self.folder = os.path.join(place, "secrets")
        self._secrets = secret_files.Files(self.folder, "postgres-{database}", hosts)
        self._secrets.write()
        _make_certificate(os.path.join(self.folder, "tls"))
        self.network = f"{project}_inside"
        port = ports.pick_one()
        self.url = f"http://127.0.0.1:{port}"
        self.api = Api(self.url)
        self._environment = {"ORDERBUS_URL": self.url, "ORDERBUS_ADDRESS": f"127.0.0.1:{port}",
                             "ORDERBUS_NETWORK": f"10.78.{random.randrange(256)}.0/24"} | dict(variables) | {
            f"{name.upper()}_IMAGE": image(name) for name in SERVERS}

    def compose(self, *words, **options):
        return self.docker.compose(self._files, *words, env=self._environment, project=self._project, **options)

    def container(self, name):
        found = self.compose("ps", "-q", name).split()
        assert len(found) == 1, f"{name}: {found}"
        return self.docker.inspect(found[0])

    def address(self, name):
        """A container's, in the network that has no way out; this machine reaches it over the network's bridge."""
        return self.container(name)["NetworkSettings"]["Networks"][self.network]["IPAddress"]

    def database_urls(self):
        return {name: self._secrets.database_url("postgres", name).replace(
            f"@postgres-{name}/", f"@{self.address('postgres-' + name)}/") for name in manifests.DATABASES}

    def ledger(self):
        """The file of psp-sandbox's volume."""
        return os.path.join(self.docker.inspect(f"{self._project}_psp-sandbox")["Mountpoint"], "ledger")

    def management(self):
        return Management.from_url(self._secrets.broker_url("admin", "http", ":15672", "").replace(
            "@rabbitmq", f"@{self.address('rabbitmq')}"))

    def serves(self):
        try:
            return self.api.get("/health").status_code == 200
        except OSError:  # nginx does not listen yet
            return False

    def end(self):
        print(self.compose("logs", "--no-color", "--tail=40", status=None))
        self.compose("down", "--volumes", "--timeout", "5", status=None)


@pytest.fixture(scope="session")
def system(images, folder):
    made = System(images, folder, "orderbus")
    try:
        made.compose("up", "-d", "--no-build", "nginx", *manifests.NAMES, seconds=READY_SECONDS)
        wait_until(made.serves, READY_SECONDS, "the system")
        yield made
    finally:
        made.end()
