"""The two commands of the README on Debian 13: its compiler, its libraries, its Postgres and its RabbitMQ."""
import re
import subprocess

import pytest

from dev import paths, systems
from dev.runner import temporary_folder, tracked

SECONDS = 3600
SUITES = ("unit", "integration", "schema", "install", "readme", "crash", "system", "failover")


@pytest.fixture(scope="module")
def source():
    """A copy of the repository without what was built here."""
    with temporary_folder("debian-13-source") as folder:
        subprocess.run(["cp", "--parents", "--no-dereference", *tracked(""), folder], cwd=paths.ROOT, check=True)
        yield folder


def inside(source, *words):
    """Runs a command in a container that forgets its changes and has no network but loopback; → what it printed."""
    done = subprocess.run([*systems.NSPAWN, "--as-pid2", "--private-network", "--volatile=overlay",
                           f"--bind={source}:/src", "--chdir=/src", "-D", systems.DEBIAN_13.folder, *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=SECONDS, check=False)
    return done.returncode, done.stdout


def test_its_versions_are_the_ones_that_the_documents_name(source):
    status, said = inside(source, "dpkg-query", "--show", "--showformat=${Package} ${Version}\n", "gcc",
                          "postgresql-17", "rabbitmq-server", "librabbitmq-dev", "libcivetweb-dev")
    assert status == 0, said
    versions = dict(line.split() for line in said.splitlines() if " " in line)
    found = {name: re.sub(r"^\d+:", "", version) for name, version in versions.items()}
    for name, begin in (("gcc", "14."), ("postgresql-17", "17."), ("rabbitmq-server", "4.0."),
                        ("librabbitmq-dev", "0.15."), ("libcivetweb-dev", "1.16")):
        assert found[name].startswith(begin), f"{name} {found[name]}"


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_passes(source, suite):
    status, said = inside(source, "./dev", "test", suite)
    print(said)
    assert status == 0, said
    assert re.search(r"^\d+ passed, 0 failed, \d+ skipped$", said, re.M), said
