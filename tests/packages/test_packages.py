"""The Debian packages in a machine of their own: installed, refused without secrets, started, used, and removed."""
import glob
import json
import os
import re
import subprocess
import uuid

import pytest
from conftest import database_url, http, secret, unit

from dev import account, demo, manifests, package, paths
from dev.certificates import Certificates
from dev.state import State
from testkit.client import wait_until

PACKAGES = sorted(os.path.basename(path).split("_")[0] for path in package.found())
INSTALLED = ["orderctl", "orderbus-admin", "orderbus-common", *(f"orderbus-{name}" for name in manifests.NAMES)]
ONESHOTS = ("orderbus-topology.service", "orderbus-migrate@orders.service")
WAL, BASE, DEFINITIONS = "orderbus-backup-wal@main", "orderbus-backup-base@main", "orderbus-backup-broker"
BACKUPS = (f"{WAL}.service", f"{BASE}.service", f"{DEFINITIONS}.service")
TIMERS = (f"{BASE}.timer", f"{DEFINITIONS}.timer")
UNITS = (*map(unit, manifests.NAMES), *ONESHOTS, *BACKUPS)
ARCHIVES = ["/var/lib/orderbus-backup", "/var/lib/private/orderbus-backup"]
EXPOSURE_MAX = 20  # in tenths


def test_there_is_a_package_for_each_program():
    assert PACKAGES == sorted(["libbus-dev", "liborderbus-messages-dev", *INSTALLED])


def test_a_program_is_built_on_libbus_dev(tmp_path):
    """Unpacked elsewhere: its files say nowhere where they lie."""
    subprocess.run(["dpkg-deb", "--extract", *glob.glob(os.path.join(package.FOLDER, "libbus-dev_*.deb")), tmp_path],
                   check=True)
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "libbus-core"], text=True,
                                    env=os.environ | {"PKG_CONFIG_PATH": str(tmp_path / "usr/lib/pkgconfig")}).split()
    source = os.path.join(paths.ROOT, "tests", "install", "pure", "main.c")
    subprocess.run(["cc", source, "-o", tmp_path / "program", *flags], check=True)
    subprocess.run([tmp_path / "program"], check=True, stdout=subprocess.DEVNULL)


def test_all_are_installed_and_nothing_starts_by_itself(installed):
    done = installed.run("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Abbrev}\n", *INSTALLED)
    assert {line.split()[1] for line in done.splitlines()} == {"ii"}
    assert {installed.show(one, "ActiveState") for one in UNITS} == {"inactive"}
    assert {installed.show(unit(name), "UnitFileState") for name in manifests.NAMES} == {"disabled"}


@pytest.mark.parametrize("name", UNITS)
def test_C2_a_unit_is_valid_and_exposes_little(installed, name):
    assert installed.run("systemd-analyze", "verify", "--man=no", name) == ""
    said = installed.run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX}",
                         "/usr/lib/systemd/system/" + re.sub("@.*[.]", "@.", name))
    assert float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1]) <= EXPOSURE_MAX / 10


@pytest.mark.parametrize("name", manifests.NAMES)
def test_S1_a_folder_of_secrets_is_roots_alone(installed, name):
    assert installed.run("stat", "--format=%a %U", f"/etc/orderbus/{name}").split() == ["700", "root"]


def test_S1_a_service_without_its_secrets_does_not_start(installed):
    name = unit("order-svc")
    assert not installed.exists("/etc/orderbus/order-svc/database-url")
    installed.run("systemctl", "start", name, status=1)
    assert installed.show(name, "ExecMainStatus") == "243"  # EXIT_CREDENTIALS
    installed.run("systemctl", "stop", name)
    installed.run("systemctl", "reset-failed", name)


def test_an_unknown_setting_is_refused_and_not_tried_again(prepared):
    """Before the services start."""
    name = unit("inventory-svc")
    prepared.run("sh", "-c", "echo WORKRES=2 >> /etc/orderbus/inventory-svc.env")
    prepared.run("systemctl", "start", name, status=None)
    wait_until(lambda: prepared.show(name, "ActiveState") == "failed", 20, "a failed unit")
    assert prepared.show(name, "ExecMainStatus") == "2" and prepared.show(name, "NRestarts") == "0"
    assert "unknown variable WORKRES; the nearest known one is WORKERS" in prepared.run(
        "journalctl", "--no-pager", "-u", name)
    prepared.run("sed", "-i", "/WORKRES/d", "/etc/orderbus/inventory-svc.env")
    prepared.run("systemctl", "reset-failed", name)


def customer(machine):
    """Registers and logs in; → the access token."""
    login = {"email": f"{uuid.uuid4()}@example.org", "password": "correct horse battery"}
    assert http(machine, "POST", "/api/auth/register", login)[0] == 202
    answers = []

    def logged_in():
        answers.append(http(machine, "POST", "/api/auth/login", login))
        return answers[-1][0] == 200
    wait_until(logged_in, 20, "a login")
    return answers[-1][1]["access_token"]


def test_an_order_is_confirmed(running):
    product = demo.catalogue()[0]
    url = f"amqp://operator:{secret('operator')}@127.0.0.1:5672/orderbus"
    running.run("bus-send", "inventory.put-product.v1", text=json.dumps(product) + "\n",
                env=[f"RABBITMQ_URL={url}"])
    token = customer(running)
    wait_until(lambda: http(running, "GET", f"/api/products/{product['product_id']}", token=token)[0] == 200, 20,
               "the product")
    body = {"idempotency_key": str(uuid.uuid4()), "items": [{"product_id": product["product_id"], "quantity": 2}]}
    status, order = http(running, "POST", "/api/orders", body, token)
    assert status in (200, 201, 202), order
    path = f"/api/orders/{order['order_id']}"
    wait_until(lambda: http(running, "GET", path, token=token)[1]["status"] == "CONFIRMED", 30, "a confirmed order")


def test_backups_are_made_by_timers_and_kept(running):
    running.run("runuser", "-u", "postgres", "--", "psql", "-qc",
                f"CREATE ROLE orderbus_backup LOGIN REPLICATION PASSWORD '{secret('orderbus_backup')}'")
    running.write("/etc/orderbus/admin/main-backup-url", database_url("orderbus_backup", ""))
    running.write("/etc/orderbus/admin/management-url", "http://guest:guest@127.0.0.1:15672")
    running.write(f"/etc/systemd/system/{BASE}.service.d/keep.conf", "[Service]\nEnvironment=KEEP=1\n", "0644")
    running.run("systemctl", "daemon-reload")
    assert running.run("systemd-analyze", "verify", "--man=no", *TIMERS) == ""
    running.run("systemctl", "enable", "--now", f"{WAL}.service", *TIMERS)
    assert all(running.show(timer, "NextElapseUSecRealtime") for timer in TIMERS)
    for _ in range(2):  # the second one takes the place of the first
        running.run("systemctl", "start", f"{BASE}.service", f"{DEFINITIONS}.service")
    archive = f"{ARCHIVES[0]}/main"
    assert len(running.run("orderbus-backup", "list", archive).splitlines()) == 1
    assert json.loads(running.run("cat", f"{ARCHIVES[0]}/broker.json"))["queues"]
    assert running.run("stat", "--format=%a", ARCHIVES[1], f"{ARCHIVES[1]}/broker.json").split() == ["700", "600"]
    before = running.show(f"{WAL}.service", "MainPID")
    running.run("kill", "-9", before)
    wait_until(lambda: running.show(f"{WAL}.service", "MainPID") not in ("0", before), 20, "another process")
    sql = "SELECT pg_walfile_name(pg_switch_wal())"
    segment = running.run("runuser", "-u", "postgres", "--", "psql", "-qAtc", sql).strip()
    wait_until(lambda: running.exists(f"{archive}/wal/{segment}"), 20, f"the segment {segment} in the archive")


@pytest.mark.parametrize("name", manifests.NAMES)
def test_C2_a_running_service_can_do_little(running, name):
    pid = running.show(unit(name), "MainPID")
    status = dict(line.split(":\t", 1) for line in running.run("cat", f"/proc/{pid}/status").splitlines()
                  if ":\t" in line)
    assert {status[field].strip() for field in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert int(status["Uid"].split()[1]) >= 61184  # of DynamicUser
    inside = ["nsenter", "--target", pid, "--mount"]
    assert "Read-only file system" in running.run(*inside, "touch", "/etc/made", status=1)
    as_user = ["setpriv", f"--reuid={status['Uid'].split()[1]}", "--clear-groups"]
    assert "Permission denied" in running.run(*inside, *as_user, "cat", "/etc/orderbus/payment-svc/psp-key", status=1)


@pytest.mark.parametrize("name", manifests.NAMES)
def test_S1_no_secret_of_a_service_shows(running, name):
    pid = running.show(unit(name), "MainPID")
    said = running.run("cat", f"/proc/{pid}/environ", f"/proc/{pid}/cmdline") + running.run(
        "journalctl", "--no-pager", "-u", unit(name)) + running.run("systemctl", "show", unit(name))
    assert "CREDENTIALS_DIRECTORY" in said and "canary" not in said


def test_C1_a_program_tells_its_health(running):
    settings = ["PORT=8081", "DATABASE_URL=postgres://u:p@h/d", "RABBITMQ_URL=amqp://u:p@h/v"]
    words = ["/usr/libexec/orderbus/order-svc", "--health"]
    assert running.run(*words, env=settings) == ""
    assert "order-svc: 127.0.0.1 port 9 /health/ready: Connection refused" in running.run(
        *words, env=["PORT=9", *settings[1:]], status=1)


def test_a_service_speaks_tls_by_the_drop_in_of_the_readme(running, tmp_path):
    certificates = Certificates(State(str(tmp_path / "state")).create())
    certificates.make()
    name = unit("order-svc")
    for file, path in (("tls-cert", certificates.cert("order-svc")), ("tls-key", certificates.key("order-svc"))):
        running.write(f"/etc/orderbus/order-svc/{file}", account.read_file(path))
    readme = account.read_file(os.path.join(paths.ROOT, "infrastructure", "systemd", "README.md"))
    drop_in = f"/etc/systemd/system/{name}.d/tls.conf"
    running.write(drop_in, re.search(r"^```ini\n(.*?)^```$", readme, re.S | re.M)[1], "0644")
    running.run("systemctl", "daemon-reload")
    running.run("systemctl", "restart", name)
    words = ["nsenter", "--target", running.init, "--net", "curl", "-s", "--cacert", certificates.ca]
    wait_until(lambda: subprocess.run([*words, "https://127.0.0.1:8081/health/live"], check=False, timeout=20,
                                      stdout=subprocess.DEVNULL).returncode == 0, 30, "an answer over TLS")
    running.run("rm", drop_in)
    running.run("systemctl", "daemon-reload")
    running.run("systemctl", "restart", name)
    wait_until(lambda: http(running, "GET", "/health")[0] == 200, 60, "ready services")


def test_a_killed_service_comes_back(running):
    name = unit("payment-svc")
    before = running.show(name, "MainPID")
    running.run("kill", "-9", before)
    wait_until(lambda: running.show(name, "MainPID") not in ("0", before), 20, "another process")
    wait_until(lambda: http(running, "GET", "/health")[0] == 200, 60, "ready services")


def test_a_stop_drains_and_ends_well(running):
    running.run("systemctl", "stop", "orderbus.target")
    for name in manifests.NAMES:
        wait_until(lambda name=name: running.show(unit(name), "ActiveState") == "inactive", 90, f"the end of {name}")
        assert (running.show(unit(name), "ExecMainStatus"), running.show(unit(name), "Result")) == ("0", "success")
    running.run("systemctl", "start", "orderbus.target")
    wait_until(lambda: http(running, "GET", "/health")[0] == 200, 60, "ready services")


def test_an_upgrade_starts_again_what_ran(running):
    before = running.show(unit("order-svc"), "MainPID")
    running.run("sh", "-c", "dpkg --install /shared/orderbus-order-svc_*.deb")
    assert running.show(unit("order-svc"), "MainPID") not in ("0", before)
    assert running.exists("/etc/orderbus/order-svc/database-url")


def test_orderctl_reads_secrets_of_its_group(running):
    assert running.run("stat", "--format=%a %G", "/etc/orderbus/orderctl").split() == ["750", "orderbus-operators"]
    for one in manifests.FOR_OPERATORS:
        running.write(f"/etc/orderbus/orderctl/{one.database}-database-url",
                      database_url(one.roles[manifests.OPERATOR], one.database), "0440")
    running.write("/etc/orderbus/orderctl/rabbitmq-url",
                  f"amqp://operator:{secret('operator')}@127.0.0.1:5672/orderbus", "0440")
    running.run("chgrp", "-R", "orderbus-operators", "/etc/orderbus/orderctl")
    words = ["orderctl", "--env-file", "/etc/orderbus/orderctl.env", "stuck"]
    as_user = ["setpriv", "--reuid=nobody", "--clear-groups", "--inh-caps=-all"]
    assert "Permission denied" in running.run(*as_user, "--regid=nogroup", *words, status=2)
    running.run(*as_user, "--regid=orderbus-operators", *words)


def test_what_is_removed_has_ended_and_a_purge_leaves_backups_alone(running):
    running.run("dpkg", "--remove", *INSTALLED)
    assert running.run("sh", "-c", "pgrep --list-full --full 'libexec/orderbu[s]|receivewa[l]' || true") == ""
    assert running.exists("/etc/orderbus/order-svc/database-url")
    running.run("dpkg", "--purge", *INSTALLED)
    left = "ls -d /etc/orderbus /var/lib/private/orderbus* /var/lib/orderbus* 2>/dev/null || true"
    assert running.run("sh", "-c", left).split() == ARCHIVES, "what a purge leaves"
    assert not running.exists("/usr/share/orderbus")
