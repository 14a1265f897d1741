"""Every command that a runbook shows runs on a live stack. The words in capitals are replaced by those of the stack."""
import glob
import os
import re
import subprocess
import uuid

import pytest

import test_redrive
from dev import account, build, manifests, orderctl, paths, services
from testkit.amqp import Publisher
from testkit.client import item, wait_until

FOLDER = os.path.join(paths.ROOT, "docs", "runbooks")
PROGRAMS = ("./dev", "bus-dead", "bus-topology", "orderctl", "rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins",
            "curl", "pg_isready", "openssl", "systemctl", "ss", "ps", "df", "du", "date")
# Commands that this stack cannot run, and the suite or test that does.
ELSEWHERE = {
    "./dev up": "suite readme", "./dev up --tls": "suite tls", "./dev certs": "tests/dev/test_certs.py",
    "./dev logs supervisor -n 20": "tests/dev/test_supervise.py",
    "curl -s http://PROMETHEUS:9090/-/ready": "suite observe",
    "curl -s http://ALERTMANAGER:9093/-/ready": "suite observe",
    "rabbitmq-plugins enable rabbitmq_prometheus": "suite observe",
    "systemctl kill --signal=HUP UNIT": "suite packages",
    "curl -s http://HOST:ADMIN_PORT/metrics | grep -E '^tls_(client_)?certificate_not_after_seconds'":
        "tests/tls/test_reload.py",
    "orderctl dead undo RUN": "tests/operator/test_undo.py", "./dev orderctl": "its verbs are here",
    "bus-topology diff": "with the bindings it is here",
    "SELECT payments.settle('<order id>', 'captured', 'pi_…')": "tests/schema/test_plans_payments.py",
}
# Exit statuses besides 0 that a command may have here.
STATUSES = {"orderctl stuck": 1, "orderctl --all dead retry SVC": 1}  # no version can read the dead letter


def shown(text):
    """The commands of a runbook: lines of its blocks for the shell and for SQL, and code within its sentences."""
    found = [line for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.M | re.S) for line in block.splitlines()]
    found += [line for block in re.findall(r"^ *```sql\n(.*?)^ *```", text, re.M | re.S)
              for line in block.replace("\n ", " ").splitlines()]
    found = [re.sub(r"\s+# .*", "", line).strip() for line in found]
    within = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    found += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", within)]
    return [one for one in found if one.startswith("SELECT ") or
            (one.split(" ")[0] in PROGRAMS and (" " in one or one in ELSEWHERE))]


def all_shown():
    found = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.md"))):
        for command in shown(account.read_file(path)):
            found.setdefault(command, os.path.basename(path))
    return found


COMMANDS = all_shown()


def test_the_commands_of_a_runbook_are_found():
    text = ("a `./dev status`, `PORT`, `bus-dead` and `SELECT\n1`:\n```sh\nss -H   # sockets\n```\n"
            "```sql\nSELECT a\n FROM b;\n```\n")
    assert shown(text) == ["ss -H", "SELECT a FROM b;", "./dev status", "SELECT 1"]
    assert len(COMMANDS) > 70 and set(ELSEWHERE) <= set(COMMANDS)


@pytest.fixture(scope="module")
def order_id(api):
    return api.complete(item("A"))["order_id"]


@pytest.fixture
def dead_id(stack):
    """The id of a message in payment-svc.dead, which payment-svc cannot read."""
    message_id = str(uuid.uuid4())
    envelope = {"type": "payment.charge.v1", "message_id": message_id, "user_id": "order-svc", "app_id": "order-svc"}
    with Publisher(stack.amqp_url("order-svc")) as publisher:
        assert publisher.publish("bus.cmd", "payment.charge", envelope, {}, b"{}") == "ack"
    with Publisher(stack.amqp_url("operator")) as operator:
        wait_until(lambda: operator.depth("payment-svc.dead") > 0, 30, "the dead letter")
    return message_id


@pytest.fixture(scope="module")
def place(stack):
    """A folder of programs with the names that a runbook uses, for this stack."""
    stack.state.write("stack.json", {"preset": stack.preset, "given": {}, "auth": "off"})
    folder = stack.state.folder("runbooks")
    ctl = account.read_file(stack.servers.rabbitmq.write_ctl())
    for name in ("rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins"):
        account.write_file(os.path.join(folder, name), re.sub(r"/rabbitmqctl(?=[ '])", "/" + name, ctl), mode=0o700)
    return folder


def port_of(stack, service):
    return stack.ports[manifests.named(service).admin]


def filled(stack, command, order_id, dead_id):
    """The command with the stack's names in place of those in capitals."""
    admin = "127.0.0.1:" + str(port_of(stack, "payment-svc"))
    for word, value in (("HOST:8084", f"127.0.0.1:{port_of(stack, 'edge')}"),
                        ("HOST:8081", f"127.0.0.1:{port_of(stack, 'order-svc')}"),
                        ("HOST:8096", f"127.0.0.1:{port_of(stack, 'notify-svc')}"), ("HOST:ADMIN_PORT", admin),
                        ("INSTANCE", admin), ("-h HOST", f"-h 127.0.0.1 -p {stack.ports['postgres']}"),
                        ("@SECONDS", "@1800000000"), ("in FILE", "in certificate.pem"), ("SVC", "payment-svc"),
                        ("order ID", "order " + order_id), ("…", order_id)):
        command = command.replace(word, value)
    command = re.sub(r"\bORDER\b(?! BY)", order_id, re.sub(r"\bID\b", dead_id, command))
    command = re.sub(r"^orderctl ", "./dev orderctl ", command)
    if re.match(r"\./dev logs (?!.*--no-follow)", command):
        command += " --no-follow"
    return command.replace("./dev", os.path.join(paths.ROOT, "dev"))


def broker_user(command):
    return None if "bus-topology" in command else "operator"


def run(stack, place, command):
    environment = services.SANITIZERS | stack.broker.variables("operator") | {
        "PATH": f"{place}:{build.programs(stack.preset)}:/usr/bin:/bin:/usr/sbin", "LANG": "C.UTF-8",
        "ORDERBUS_STATE": stack.state.path, "RABBITMQ_URL": stack.amqp_url(broker_user(command)), "HOME": place}
    if "dev " in command:
        del environment["RABBITMQ_URL"]  # ./dev would take it for a server of somebody else's
    return subprocess.run(["/bin/bash", "-c", command], cwd=place, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)


def assert_a_program_logs(words):
    """grep finds nothing in a log of a healthy stack: the words must at least be those of a program."""
    found = subprocess.run(["git", "grep", "-qE", words, "--", "*.c"], cwd=paths.ROOT, check=False)
    assert found.returncode == 0, f"no program logs {words}"


def database_of(text):
    """By the schema of the first table; the rows of bus.parked are in each database."""
    schema = re.search(r"\bFROM (\w+)\.", text)
    return schema[1] if schema and schema[1] in manifests.DATABASES else "orders"


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in ELSEWHERE and one.startswith("SELECT ")])
def test_a_query_of_a_runbook_runs(stack, order_id, command):
    stack.sql(database_of(command), command.replace("…", order_id).rstrip(";"))


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in ELSEWHERE and not one.startswith("SELECT ")])
def test_a_command_of_a_runbook_runs(stack, place, order_id, dead_id, command):
    if "dead retry inventory-svc" in command or command == "orderctl audit":
        test_redrive.bury(stack, 6, "runbook")
    if command == "orderctl audit":  # what an action leaves behind
        assert orderctl.run(stack, "--all", "dead", "drop", "inventory-svc").returncode == 0
    if "FILE" in command:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=runbook", "-keyout", "certificate.key", "-out", "certificate.pem"], cwd=place,
                       check=True, capture_output=True, timeout=60)
    done = run(stack, place, filled(stack, command, order_id, dead_id))
    searched = re.search(r"dev logs .*\| grep (?:-E )?(?:\"([^\"]+)\"|'([^']+)'|(\w+))$", command)
    if searched and "level" not in command:
        assert_a_program_logs(searched[1] or searched[2] or searched[3])
        assert done.returncode in (0, 1), done.stdout
    elif "| grep" in command and "level" in command:
        assert done.returncode in (0, 1), done.stdout
    else:
        assert done.returncode in (0, STATUSES.get(re.sub(r"^\./dev ", "", command), 0)), done.stdout
        assert done.stdout or "kept.txt" in command or "ss -Htn" in command or command.startswith("./dev restart")


@pytest.mark.parametrize("command", ELSEWHERE)
def test_another_place_that_runs_a_command_exists(command):
    where = ELSEWHERE[command]
    if where.startswith("tests/"):
        assert os.path.exists(os.path.join(paths.ROOT, where))
    elif where.startswith("suite "):
        assert os.path.isdir(os.path.join(paths.ROOT, "tests", where.split()[1]))


@pytest.mark.parametrize("route", sorted({route for path in glob.glob(os.path.join(FOLDER, "*.md")) for route in
                                          re.findall(r"`((?:GET|POST|PUT|DELETE) /api/[^`]+)`",
                                                     account.read_file(path))}))
def test_a_route_of_a_runbook_exists(api, route):
    method, path = route.split(" ")
    assert method.lower() in api.get("/api/openapi.json").json()["paths"][path]
