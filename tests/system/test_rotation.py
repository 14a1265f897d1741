"""Passwords of databases and of the broker change while everything runs: no program is restarted, no order is lost."""
import os
import secrets
from urllib.parse import quote

import pytest

from dev import account, manifests, urls
from dev.postgres import psql
from dev.report import DevError
from testkit.client import Load, item, wait_until
from testkit.cut import cut

LOADED = ("LOAD-1", "LOAD-2", "LOAD-3")
READ = {"DATABASE_URL": urls.database, "RABBITMQ_URL": urls.broker}


class Rotated:
    """Services that read their URLs from files, and an operator who changes the passwords."""

    def __init__(self, stack):
        self.stack = stack
        self._folder = stack.state.folder("rotated")
        self._urls = [(one.name, variable, text) for one in manifests.ON_BUS
                      for variable, text in stack.services[one.name].variables().items() if variable in READ]

    def file(self, service, variable):
        return os.path.join(self._folder, f"{service}-{variable}")

    def write(self, service, variable, text):
        account.write_file(self.file(service, variable), text + "\n", mode=0o400)

    def url(self, service, variable):
        return next(text for name, found, text in self._urls if (name, found) == (service, variable))

    def begin(self):
        for service, variable, text in self._urls:
            self.write(service, variable, text)
            own = self.stack.overrides.setdefault(service, {})
            own |= {variable: "", variable + "_FILE": self.file(service, variable)}
        self.stack.start_services()

    def set_password(self, variable, url, password):
        if variable == "DATABASE_URL":
            psql(self.stack.servers.postgres.url(), f"ALTER ROLE \"{url.user}\" PASSWORD '{password}';")
        else:
            broker = self.stack.servers.rabbitmq.management()
            tags = broker.must("GET", "users", url.user)["tags"]
            broker.must("PUT", "users", url.user, body={"password": password, "tags": ",".join(tags)})

    def rotate(self):
        for service, variable, text in self._urls:
            url, password = READ[variable](text), secrets.token_urlsafe(24)
            self.set_password(variable, url, password)
            self.write(service, variable, text.replace(f":{quote(url.password, safe='')}@", f":{password}@"))

    def end(self):
        for service, variable, text in self._urls:
            url = READ[variable](text)
            self.set_password(variable, url, url.password)
            for name in (variable, variable + "_FILE"):
                self.stack.overrides[service].pop(name, None)
        self.stack.start_services()


@pytest.fixture(name="rotated", scope="module")
def fixture_rotated(stack):
    made = Rotated(stack)
    made.begin()
    yield made
    made.end()


def pids(stack):
    return {name: stack.pid(name) for name in stack.services}


@pytest.mark.long
def test_all_passwords_change_under_load_without_a_restart(api, stack, rotated):
    before = pids(stack)
    with Load(api, LOADED) as load:
        load.wait_orders(100)
        rotated.rotate()
        load.wait_orders(100)
        cut(stack)
        load.wait_orders(200, seconds=90)
    assert pids(stack) == before
    assert set(load.statuses()) <= {202, 503}, load.statuses()
    assert {api.wait_final(order_id, 60)["status"] for order_id in load.accepted} == {"CONFIRMED"}
    with pytest.raises(DevError, match="password authentication failed"):
        psql(rotated.url("order-svc", "DATABASE_URL"), "SELECT 1;")


@pytest.mark.parametrize("variable", READ)
def test_a_service_waits_until_a_wrong_file_is_mended(api, stack, rotated, variable):
    service = "payment-svc"
    file, pid, begin = rotated.file(service, variable), stack.pid(service), os.path.getsize(stack.log(service))
    good = account.read_file(file)
    account.write_file(file, "nonsense\n", mode=0o400)
    cut(stack)
    wait_until(lambda: file in account.read_file(stack.log(service))[begin:], 30, "a line that names the file")
    account.write_file(file, good, mode=0o400)
    key = secrets.token_urlsafe(12)
    wait_until(lambda: api.place(item("LOAD-1"), key=key).status_code in (200, 202), 30, "an edge that has connected")
    order_id = api.place(item("LOAD-1"), key=key).json()["order_id"]
    assert api.wait_final(order_id, 60)["status"] == "CONFIRMED"
    assert stack.pid(service) == pid
