"""Services whose URLs name a service of DNS: its records lead them to Postgres and RabbitMQ, and may change."""
import os
import secrets
import subprocess

import pytest

from dev import account, build, manifests, orderctl
from testkit.client import item, wait_until
from testkit.cut import cut_broker, cut_databases
from testkit.dns import ZONE, Dns

pytestmark = pytest.mark.discovery

DATABASE, BROKER = "_postgresql._tcp.db", "_amqp._tcp.mq"
URLS = {"DATABASE_URL": ("postgresql", "postgres", "db"), "RABBITMQ_URL": ("amqp", "amqp", "mq")}
DEAD = 1  # a port where nobody listens


def by_name(text, host):
    """The URL with the service's name in place of its host."""
    head, _, rest = text.partition("@")
    scheme, _, login = head.partition("://")
    return f"{scheme}+srv://{login}@{host}.{ZONE}/{rest.partition('/')[2]}"


class Discovered:
    """Services that find their servers by a DNS server of the test's own."""

    def __init__(self, stack, dns):
        self.stack, self.dns = stack, dns

    def records(self, database=(), broker=()):
        """The right ports, or those given, as [(priority, port), …]."""
        def rows(given, port):
            return [(priority, 0, found, "localhost") for priority, found in given or [(0, port)]]
        found = rows(broker, self.stack.ports["amqp"])
        return {DATABASE: rows(database, self.stack.ports["postgres"]), BROKER: found,
                BROKER.replace("amqp", "amqps"): found}

    def variables(self, name):
        given = self.stack.services[name].variables()
        return {"DNS_SERVER": self.dns.address} | {
            variable: by_name(given[variable], host) for variable, (_, _, host) in URLS.items() if variable in given}

    def begin(self):
        found = {one.name: self.variables(one.name) for one in manifests.ON_BUS}
        for name, variables in found.items():
            self.stack.overrides.setdefault(name, {}).update(variables)

    def end(self):
        for one in manifests.ON_BUS:
            for variable in ("DNS_SERVER", *URLS):
                self.stack.overrides[one.name].pop(variable, None)
        self.stack.start_services()

    def pids(self):
        return {name: self.stack.pid(name) for name in self.stack.services}


@pytest.fixture(name="discovered", scope="module")
def fixture_discovered(stack):
    with Dns(stack.state.folder("dns")) as dns:
        made = Discovered(stack, dns)
        made.begin()
        # the best hosts are dead ones, so that each start and each connection passes them over
        dns.serve(made.records([(0, DEAD), (1, stack.ports["postgres"])], [(0, DEAD), (1, stack.ports["amqp"])]))
        yield made
        made.end()


@pytest.fixture(autouse=True)
def right_records(discovered):
    yield
    discovered.dns.serve(discovered.records())


def confirm(api):
    """An order that is CONFIRMED, as soon as an edge takes one."""
    key = secrets.token_urlsafe(12)
    wait_until(lambda: api.place(item("LOAD-1"), key=key).status_code in (200, 202), 30, "an edge that has connected")
    order_id = api.place(item("LOAD-1"), key=key).json()["order_id"]
    assert api.wait_final(order_id, 60)["status"] == "CONFIRMED"


def wait_line(stack, name, begin, *words, before=lambda: None):
    def found():
        before()
        lines = account.read_file(stack.log(name))[begin:].splitlines()
        return any(all(word in line for word in words) for line in lines)
    wait_until(found, 30, f"a line of {name} with {words}")


def lose_broker(stack, name, begin, *words):
    """Cuts the service's connections until its log has a line with the words."""
    wait_line(stack, name, begin, *words, before=lambda: cut_broker(stack, [manifests.named(name)]))


def test_services_find_their_servers_past_dead_ones(api, discovered):
    assert "+srv://" in discovered.stack.services["edge"].variables()["RABBITMQ_URL"]
    confirm(api)


def test_records_that_change_are_found_without_a_restart(api, stack, discovered):
    pids, begin = discovered.pids(), os.path.getsize(stack.log("order-svc"))
    discovered.dns.serve(discovered.records(database=[(0, DEAD)]))
    cut_databases(stack)
    wait_line(stack, "order-svc", begin, "database", f"port {DEAD} failed")
    discovered.dns.serve(discovered.records(broker=[(0, DEAD)]))
    lose_broker(stack, "order-svc", begin, f"{BROKER}.{ZONE}", f"port {DEAD}")
    discovered.dns.serve(discovered.records())
    confirm(api)
    assert discovered.pids() == pids


def test_services_go_on_without_dns_and_say_what_they_need_it_for(api, stack, discovered):
    pids, begin = discovered.pids(), os.path.getsize(stack.log("payment-svc"))
    discovered.dns.stop()
    confirm(api)
    lose_broker(stack, "payment-svc", begin, f"SRV {BROKER}.{ZONE} at {discovered.dns.address}: the server is away")
    discovered.dns.serve(discovered.records())
    confirm(api)
    assert discovered.pids() == pids


def test_a_name_that_dns_does_not_know_is_named(api, stack, discovered):
    begin = os.path.getsize(stack.log("payment-svc"))
    discovered.dns.serve({DATABASE: discovered.records()[DATABASE]})
    lose_broker(stack, "payment-svc", begin, f"SRV {BROKER}.{ZONE} at", "the name does not exist")
    discovered.dns.serve(discovered.records())
    confirm(api)


def test_operators_programs_understand_the_same_urls(stack, discovered):
    discovered.dns.serve(discovered.records([(0, DEAD), (1, stack.ports["postgres"])],
                                            [(0, DEAD), (1, stack.ports["amqp"])]))
    hosts = {"DATABASE_URL": "db", "RABBITMQ_URL": "mq"}
    named = {variable: by_name(text, host) for variable, text in orderctl.variables(stack).items()
             for end, host in hosts.items() if variable.endswith(end)}
    administrator = {"RABBITMQ_URL": by_name(stack.broker.variables()["RABBITMQ_URL"], "mq")}
    for words, urls in ((["orderctl", "broker", "probe"], named), (["orderctl", "stuck"], named),
                        (["bus-dead", "list"], named), (["bus-topology", "diff"], administrator)):
        program = os.path.join(build.programs(stack.preset), words[0])
        variables = orderctl.variables(stack) | urls | {"DNS_SERVER": discovered.dns.address}
        done = subprocess.run([program, *words[1:]], env=variables, capture_output=True, text=True, check=False,
                              timeout=60)
        assert done.returncode in (0, 3), (words, done)  # 3: bindings were not compared


@pytest.mark.parametrize("variable, wrong, problem", [
    ("RABBITMQ_URL", f"mq.{ZONE}:5672", "has one name of at most 242 bytes in place of hosts, and no port"),
    ("DATABASE_URL", f"db.{ZONE},db2.{ZONE}", "has one name of at most 236 bytes in place of hosts, and no port"),
    ("DNS_SERVER", "localhost", "DNS_SERVER=localhost: an IPv4 address and a port"),
])
def test_a_wrong_url_is_refused_at_the_start(stack, discovered, variable, wrong, problem):
    service = stack.services["payment-svc"]
    variables = service.variables()
    host = {"RABBITMQ_URL": f"mq.{ZONE}", "DATABASE_URL": f"db.{ZONE}"}.get(variable, discovered.dns.address)
    variables |= {variable: variables[variable].replace(host, wrong), "PORT": str(stack.ports["payment-svc"])}
    done = subprocess.run([service.program], env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and problem in done.stdout + done.stderr, done
