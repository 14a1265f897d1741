"""A second system on the same virtual host: whichever system imported its definitions last, both work."""
import json
import os
import subprocess

import pytest

from dev import build
from testkit.amqp import Publisher
from testkit.client import item, wait_until

USER = "reports"
QUEUE = "reports"


class Second:
    """The second system, whose service is a connection of the user `reports`."""

    def __init__(self, stack):
        self.broker, self.vhost = stack.broker, stack.broker.admin.path
        self.program = os.path.join(build.folder(stack.preset), "tests", "second-topology")
        self.url = self.broker.admin.text(USER, "secret")

    def _run(self, *words):
        done = subprocess.run([*build.launcher(self.program), self.program, *words], capture_output=True, text=True,
                              timeout=60, check=False, env=os.environ | {"RABBITMQ_URL": self.broker.admin.text()})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def set_up(self):
        self.broker.management.must("PUT", "users", USER, body={"password": "secret", "tags": ""})
        definitions = json.loads(self._run("definitions", "--vhost", self.vhost))
        self.broker.management.must("POST", "definitions", body=definitions)
        self._run("apply")

    def take_down(self):
        queues = [line.split()[1] for line in self._run("print").splitlines() if line.startswith("queue ")]
        for path in (*(("queues", self.vhost, queue) for queue in queues),
                     ("exchanges", self.vhost, f"bus.retry.{USER}"), ("exchanges", self.vhost, f"bus.dead.{USER}"),
                     ("policies", self.vhost, "bus-stored.second"), ("users", USER)):
            self.broker.management.must("DELETE", *path)

    def note(self, connection):
        """Sends itself a command."""
        return connection.publish("bus.cmd", "reports.note", {"type": "reports.note.v1", "user_id": USER})


@pytest.fixture
def second(stack, api):
    made = Second(stack)
    made.set_up()
    yield made
    made.take_down()


def limits(stack):
    api, vhost = stack.broker.management, stack.broker.admin.path
    policy = api.must("GET", "policies", vhost, "bus-stored")
    return policy["pattern"], api.must("GET", "vhost-limits", vhost)


def restart_and_order(stack, api, second):
    """Restarts the services of both systems; then an order is confirmed, and the second system gets its event."""
    stack.stop_services()
    stack.start_services()
    with Publisher(second.url) as reports:
        assert second.note(reports) == "ack" and reports.take(QUEUE)
        order_id = api.place(item("A")).json()["order_id"]
        assert api.wait_final(order_id)["status"] == "CONFIRMED"
        wait_until(lambda: reports.take(QUEUE), 10, "order.confirmed in the second system's queue")


def test_each_system_works_after_the_other_imported_its_definitions(stack, api, second):
    own = limits(stack)
    restart_and_order(stack, api, second)
    stack.broker.set_up(build.programs(stack.preset))
    restart_and_order(stack, api, second)
    assert limits(stack) == own and "order-svc" in own[0]
