"""A whole stack: real servers, migrations and topology, with stand-ins for the services."""
import os
import re
import signal
import socket
import stat

import pytest

from dev import broker, build, cli, databases, manifests, proc, runner, services, session, verbs
from dev.postgres import psql
from dev.report import DevError
from dev.stack import Stack

PARTS = len(manifests.NAMES) + 2  # with Postgres and RabbitMQ


@pytest.fixture(scope="module")
def shared(programs):
    with runner.temporary_folder("dev-stack") as folder:
        made = Stack(os.path.join(folder, "stack"))
        made.start()
        yield made
        made.end()


@pytest.fixture
def stack(shared):
    """The shared one, whole again after the test before."""
    shared.overrides.clear()
    shared.start_services()
    return shared


def pids(stack):
    return {name: stack.pid(name) for name in manifests.NAMES}


def test_everything_is_ready(stack):
    assert all(stack.services[name].ready() for name in manifests.NAMES)
    assert stack.services["edge"].health()[1]["status"] == "UP"


def test_a_binding_that_is_gone_is_named(stack, monkeypatch, capsys):
    """./dev passes the list of bindings: without it bus-topology cannot compare them."""
    monkeypatch.setattr(session, "required", lambda: stack)
    assert verbs.topology(None) == 0 and capsys.readouterr().out == "no difference\n"
    where = ("bindings", stack.broker.admin.path, "e", "bus.cmd", "q", "order-svc.place")
    stack.broker.management.must("DELETE", *where, "order.place")
    try:
        assert verbs.topology(None) == 1
        assert capsys.readouterr().out == "missing: binding bus.cmd order.place -> order-svc.place\n"
    finally:
        stack.broker.set_up(build.programs(stack.preset))
    assert verbs.topology(None) == 0


def variables(stack, name):
    path = os.path.join(stack.state.path, "env", name + ".env")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file)


def test_each_service_is_given_what_it_needs_and_no_more(stack):
    common = {"PORT", "BIND", "RABBITMQ_URL", "LOG_LEVEL"}
    assert set(variables(stack, "edge")) == common | {"ADDRESS_CONNECTIONS", "ADDRESS_RATE_LIMIT", "ADMIN_PORT", "AUTH",
                                                      "DRAIN_MS", "DRAIN_KEPT_MS", "OIDC_ISSUER", "OIDC_KEYS_FILE",
                                                      "PSP_WEBHOOK_SECRET", "USER_SEAL_KEY"}
    assert variables(stack, "edge")["AUTH"] == "off", "only ./dev up asks for tokens"
    assert set(variables(stack, "user-svc")) == common | {"DATABASE_URL", "SEAL_KEY_FILE", "SIGNING_KEY_FILE",
                                                          "RESET_FOLDER", "TOKEN_ISSUER"}
    assert set(variables(stack, "order-svc")) == set(variables(stack, "inventory-svc")) == common | {"DATABASE_URL"}
    assert set(variables(stack, "payment-svc")) == common | {"DATABASE_URL", "PSP_URL", "PSP_KEY"}
    assert set(variables(stack, "notify-svc")) == common | {"DATABASE_URL", "ENDPOINT_KEY_FILE"}
    sandbox = {"PORT", "BIND", "PSP_KEY", "LEDGER_FILE", "WEBHOOK_SECRET", "WEBHOOK_URL"}
    assert set(variables(stack, "psp-sandbox")) == sandbox
    assert "//order_svc:" in variables(stack, "order-svc")["DATABASE_URL"]
    assert "//payment-svc:" in variables(stack, "payment-svc")["RABBITMQ_URL"]


def test_the_callers_environment_does_not_reach_a_service(stack):
    _, seen = stack.services["order-svc"].health()
    assert set(seen["environment"]) <= {"PATH", "LANG", "LC_CTYPE", "ORDERBUS_STACK", *services.SANITIZERS}


def test_starting_again_leaves_what_runs(stack):
    before = pids(stack)
    assert stack.start_services() == [] and pids(stack) == before


def test_what_was_rebuilt_is_restarted_and_nothing_else(stack, programs):
    before = pids(stack)
    os.utime(os.path.join(programs, "order-svc"))
    assert stack.start_services() == ["order-svc"]
    assert {name for name, pid in pids(stack).items() if pid != before[name]} == {"order-svc"}


def test_a_changed_variable_restarts_its_service(stack):
    stack.overrides["payment-svc"] = {"LOG_LEVEL": "warn"}
    assert stack.start_services() == ["payment-svc"]
    assert variables(stack, "payment-svc")["LOG_LEVEL"] == "warn"


def test_what_died_is_started_again(stack):
    old = stack.pid("inventory-svc")
    assert stack.kill("inventory-svc") and stack.pid("inventory-svc") is None
    assert not stack.kill("inventory-svc")
    assert stack.services["inventory-svc"].process.died()
    assert stack.start_services() == ["inventory-svc"] and stack.pid("inventory-svc") != old


def test_a_service_may_drain_before_it_is_killed(stack, monkeypatch):
    assert stack.stop_service("order-svc") == signal.SIGTERM
    monkeypatch.setattr(services, "DRAIN_SECONDS", 0)
    stack.overrides["order-svc"] = {"LOG_LEVEL": "debug"}
    stack.start_service("order-svc")
    assert stack.stop_service("order-svc") == signal.SIGKILL


def test_a_missing_program_says_what_makes_it(stack, programs):
    stack.stop_service("edge")
    path = os.path.join(programs, "edge")
    os.rename(path, path + ".away")
    try:
        with pytest.raises(DevError, match="edge does not exist: ./dev build"):
            stack.start_service("edge")
    finally:
        os.rename(path + ".away", path)


def test_an_unknown_part_is_named_with_the_known_ones(stack):
    with pytest.raises(DevError, match="no edgy here.*edge, postgres, rabbitmq"):
        stack.kill("edgy")


def test_the_broker_has_our_users_with_their_rights_only(stack):
    api = stack.servers.rabbitmq.management()
    assert {user["name"] for user in api.must("GET", "users")} == {"admin", *broker.USERS}
    rights = {right["user"]: right for right in api.must("GET", "permissions")}
    assert {user for user, right in rights.items() if right["configure"] == ".*"} == {"admin"}
    topic = api.must("GET", "topic-permissions")
    assert {right["user"] for right in topic} == set(broker.USERS)
    assert not [right for right in topic if right["exchange"] == "bus.cmd" and right["user"] == "operator"
                and "payment" in right["write"]]


def test_the_topology_is_there(stack):
    queues = {queue["name"] for queue in stack.servers.rabbitmq.management().must("GET", "queues", "orderbus")}
    assert {"order-svc", "order-svc.place", "inventory-svc", "payment-svc", "order-svc.dead"} <= queues


def test_sql_as_the_administrator_and_urls_of_roles(stack):
    assert stack.sql("orders", "SELECT 1, 'a';") == [["1", "a"]]
    assert "//orders_migrator:" in stack.database_url("orders", "orders_migrator")
    assert stack.amqp_url("operator").startswith("amqp://operator:")


def test_servers_come_back_under_running_services(stack):
    stack.kill("postgres")
    stack.kill("rabbitmq")
    stack.start_service("postgres")
    stack.start_service("rabbitmq")
    assert stack.sql("orders", "SELECT 1;") == [["1"]]
    assert stack.servers.rabbitmq.management().must("GET", "overview")


# The verbs, on a stack of the user's own

def test_a_users_day(own, dev, unread, capsys):
    assert cli.main(["up"]) == 0
    first = capsys.readouterr().out
    assert "0190c0de-0000-5000-8000-000000000001 CONFIRMED, total 1998 EUR" in first
    assert "100 products added" in first
    assert f"user admin  password {session.known().state.secret('amqp-admin')}" in first

    assert cli.main(["up"]) == 0
    assert "all running" in capsys.readouterr().out
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out.count(" ready ") == PARTS

    assert dev("psql", "orders", "-Atc", "SELECT current_database();").stdout == "orders\n"
    assert dev("psql", "secrets").returncode == 1
    assert dev("logs", "edge", "--no-follow", "-n", "1").stdout == '{"level": "info", "msg": "ready"}\n'
    assert dev("logs", "--no-follow").stdout.count("==> ") == PARTS
    for words in (["status"], ["logs"], ["logs", "--no-follow"], ["psql", "orders", "-Atc", "SELECT 1;"]):
        assert unread(*words) == (141, ""), words

    assert cli.main(["kill", "payment-svc"]) == 0
    assert cli.main(["status"]) == 1
    assert "payment-svc    died" in capsys.readouterr().out
    assert cli.main(["restart", "payment-svc"]) == 0
    assert cli.main(["status"]) == 0

    known = session.known()
    assert cli.main(["down"]) == 0
    assert proc.leftovers(known.state.path) == []
    assert cli.main(["down"]) == 0
    assert cli.main(["reset"]) == 0
    assert not os.path.exists(own)


def test_migrate_needs_neither_a_broker_nor_services(own, capsys):
    assert cli.main(["migrate"]) == 0
    said = capsys.readouterr().out
    assert "postgres       started" in said and re.search(r"orders [1-9]\d* new", said)
    stack = session.known()
    assert stack.pid("postgres") and not stack.pid("rabbitmq") and not stack.pid("edge")
    for service in manifests.WITH_DATABASE:
        url = stack.database_url(service.database, service.roles["runtime"])
        assert psql(url, "SELECT 1 FROM bus.inbox LIMIT 1;") == ""
    assert cli.main(["migrate"]) == 0
    assert capsys.readouterr().out == "migrations     " + ", ".join(
        f"{name} nothing new" for name in manifests.DATABASES) + "\n"


def test_seed_puts_the_catalogue_there_once(own, monkeypatch, capsys):
    assert cli.main(["up"]) == 0
    capsys.readouterr()
    assert cli.main(["seed"]) == 0
    assert capsys.readouterr().out == "catalogue      no products added\n"
    assert cli.main(["restart", "edge"]) == 0  # a stand-in forgets
    capsys.readouterr()
    assert cli.main(["seed"]) == 0
    assert capsys.readouterr().out == "catalogue      100 products added\n"
    assert cli.main(["kill", "edge"]) == 0
    assert cli.main(["seed"]) == 1
    assert "the edge does not answer" in capsys.readouterr().err


def test_up_names_a_taken_port_before_it_starts_anything(own, capsys):
    port = int(os.environ["ORDERBUS_EDGE_PORT"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert cli.main(["up"]) == 1
    assert f"port {port}" in capsys.readouterr().err
    assert session.known().pid("postgres") is None


def test_up_with_given_servers_starts_none(own, pair, monkeypatch, capsys):
    servers = pair._pair()
    for name, variable in session.GIVEN_DATABASES.items():
        monkeypatch.setenv(variable, servers.postgres.url(name))
    urls = {name: servers.postgres.url(name) for name in manifests.DATABASES}
    databases.Databases(pair.state, urls).create("postgres")
    monkeypatch.setenv("RABBITMQ_URL", servers.rabbitmq.url(vhost="given"))
    monkeypatch.setenv("RABBITMQ_MANAGEMENT_URL", pair.environment()["TEST_MGMT_URL"])
    assert cli.main(["up"]) == 0, capsys.readouterr().err
    stack = session.known()
    assert stack.own_servers() == [] and not os.path.exists(os.path.join(own, "postgres"))
    assert f"@127.0.0.1:{servers.postgres.port}/orders" in variables(stack, "order-svc")["DATABASE_URL"]
    assert variables(stack, "edge")["RABBITMQ_URL"].endswith("/given")
    assert cli.main(["down"]) == 0
    assert servers.postgres.running() and servers.rabbitmq.running()
