"""A new service: ./dev new-service makes it in a copy of the tree, no other file is edited, and the build, its own
tests, ./dev, and the suites purity, schema, isolation and crash take it in. ./dev generate adds it to all lists."""
import contextlib
import os
import re
import subprocess
import urllib.request

import pytest
import yaml

from dev import build, gotool, ports, runner
from testkit import copies

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
CONFIRMED = re.compile(r"^order +\S+ CONFIRMED", re.M)


class Tree(copies.Copy):
    """The copy with the new service, and commands in it with an environment of their own."""

    def __init__(self, folder):
        super().__init__(os.path.join(folder, "tree"))
        os.makedirs(gotool.TOOLS, exist_ok=True)
        os.makedirs(os.path.join(self.folder, "build"), exist_ok=True)
        os.symlink(gotool.TOOLS, os.path.join(self.folder, "build", "tools"))
        chosen = {row[1]: str(port) for row, port in zip(ports.TABLE.values(), ports.pick_free().values())}
        self.environment = os.environ | chosen | {
            "ORDERBUS_STATE": os.path.join(folder, "state"), "ORDERBUS_PRESET": PRESET, "CCACHE_BASEDIR": self.folder,
            "CCACHE_NOHASHDIR": "1", "ORDERBUS_TEST_TMP": folder, "ORDERBUS_RECEIPT_PORT": str(ports.pick_one())}
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "copy")

    def run(self, *words, seconds=600, status=0):
        done = subprocess.run(words, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)
        assert done.returncode == status, f"{' '.join(words)}: {done.returncode}\n{done.stdout[-6000:]}"
        return done.stdout

    def git(self, *words):
        return self.run("git", "-c", "safe.directory=*", *words)

    def dev(self, *words):
        return self.run("./dev", *words)

    def read(self, *parts):
        with open(os.path.join(self.folder, *parts), encoding="utf-8") as file:
            return file.read()

    def pytest(self, *words):
        """→ what it printed of each case; at least one that is about the new service has passed."""
        said = self.run("/usr/bin/python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-v", *words)
        assert re.search(r"receipt\S* PASSED", said), said
        return said


@pytest.fixture(scope="module")
def tree():
    with runner.temporary_folder("new-service") as folder:
        made = Tree(folder)
        made.dev("new-service", "receipt")
        programs = (*build.PROGRAMS, "receipt-svc", "simulation", "orderctl")
        made.build("test_receipt", "print_forms", *(f"bin/{name}" for name in programs))
        yield made


@pytest.fixture(scope="module")
def listed(tree):
    """The copy once ./dev generate has run."""
    tree.dev("generate", "--preset", PRESET)
    return tree


@pytest.fixture(scope="module")
def running(tree):
    """The copy's own stack, by ./dev up; → what that said."""
    try:
        yield tree.dev("up")
    finally:
        with contextlib.suppress(AssertionError):
            tree.dev("reset")


def test_its_own_tests_are_green(tree):
    said = tree.run("ctest", "--test-dir", os.path.join("build", PRESET), "-R", "^test_receipt[.]")
    assert "100% tests passed, 0 tests failed out of 2" in said


def test_up_starts_it_and_it_takes_part(tree, running):
    assert CONFIRMED.search(running) and re.search(r"^migrations .*receipts 2 new", running, re.M)
    assert re.search(r"^services .*receipt-svc", running, re.M)
    issued = "DO $$ BEGIN FOR i IN 1..100 LOOP PERFORM pg_sleep(0.1); COMMIT; EXIT WHEN EXISTS " \
             "(SELECT FROM receipts.receipts); END LOOP; END $$"
    tree.dev("psql", "receipts", "-Atc", issued)
    assert tree.dev("psql", "receipts", "-Atc", "SELECT count(*) FROM receipts.receipts") == "1\n"


def test_status_and_restart_know_it(tree, running):
    pid = re.search(r"^receipt-svc +ready +pid (\d+)", tree.dev("status"), re.M)
    assert pid
    assert f"pid {pid[1]}" not in tree.dev("restart", "receipt-svc")
    assert re.search(r"^receipt-svc +ready ", tree.dev("status"), re.M)


def test_health_shows_it_and_operators_read_its_outbox(tree, running):
    port = tree.environment[ports.TABLE["edge"][1]]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        assert '"receipt_service"' in answer.read().decode()
    assert "receipt-svc: its outbox is empty" in tree.dev("orderctl", "outbox", "receipt-svc")


def test_purity_looks_at_it(tree):
    said = tree.pytest("tests/purity")
    assert "test_a_domain_links_without_any_io_library[receipt] PASSED" in said


def test_schema_looks_at_it(tree):
    if "TEST_DATABASE_URL" not in os.environ:
        pytest.skip("TEST_DATABASE_URL is not set")
    tree.pytest("tests/schema", "-k", "receipt")


def test_isolation_looks_at_it(tree):
    tree.pytest("tests/system/test_isolation.py", "-k", "receipt or D3 or D6 or narrow or fills_the_broker or B1")


def test_the_crash_matrix_has_its_rows(tree):
    rows = tree.dev("chaos", "crash-matrix", "list", "--preset", PRESET).splitlines()
    assert {"receipt-svc/worker.commit-sent/crash", "receipt-svc/worker.before-ack/crash-again"} <= set(rows)
    said = tree.dev("chaos", "crash-matrix", "--preset", PRESET, "--only", "receipt-svc/worker.commit-sent/crash")
    assert "receipt-svc/worker.commit-sent/crash" in said and "FAILED" not in said


def test_a_chaos_scenario_kills_it(tree):
    said = tree.dev("chaos", "service-crash", "--short", "--no-record", "--preset", PRESET)
    assert re.search(r"receipt-svc\b", said) and "FAILED" not in said


def test_the_simulation_goes_on_beside_it(tree):
    said = tree.run(os.path.join("build", PRESET, "bin", "simulation"), "--seeds", "20")
    assert re.match(r"seeds +20 in ", said)


def test_every_list_has_it(listed):
    docker, kubernetes, prometheus = (os.path.join("infrastructure", name)
                                      for name in ("docker", "kubernetes", "prometheus"))
    images = listed.read(docker, "Dockerfile")
    assert "\nFROM service AS receipt-svc\n" in images and " orderbus-receipt-svc " in images
    assert "\n!receipt-svc\n" in listed.read(docker, "Dockerfile.dockerignore")
    system, production, watched = (yaml.safe_load(listed.read(docker, f"compose{name}.yaml"))["services"]
                                   for name in ("", ".prod", ".observe"))
    assert {"receipt-svc", "setup-receipts", "postgres-receipts"} <= set(system)
    assert {"receipt-svc", "postgres-receipts"} <= set(production) and "receipt-svc" in watched
    for name in ("values", "values-dev", "values-prod"):
        assert yaml.safe_load(listed.read(kubernetes, "chart", f"{name}.yaml"))["receipt"]["maxReplicas"]
    assert "kind: Deployment" in listed.read(kubernetes, "chart", "templates", "receipt-svc.yaml")
    for folder in (os.path.join(prometheus, "targets"), os.path.join(docker, "observe", "targets")):
        assert "{service: receipt-svc}" in listed.read(folder, "services.yml")
    assert 'service="receipt-svc"' in listed.read(prometheus, "rules", "availability.yml")
    names = re.findall(r'^  local (queues|outboxes)=".*\breceipt-svc\b', listed.read(
        "orderctl", "completion", "orderctl.bash"), re.M)
    assert names == ["queues", "outboxes"]


@pytest.mark.parametrize("place", ["tests/docs", "tests/dev/test_compose.py", "tests/dev/test_kube.py",
                                   "tests/dev/test_parts.py", "tests/alerts/test_rules.py"])
def test_what_compares_lists_accepts_it(listed, place):
    listed.run("/usr/bin/python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", place)


def test_it_can_be_taken_away_again(listed):
    """The last test: no byte of it stays."""
    assert "?? receipt-svc/" in listed.git("status", "--porcelain")
    assert "receipt-svc is removed" in listed.dev("new-service", "receipt", "--remove")
    assert listed.git("status", "--porcelain") == ""
