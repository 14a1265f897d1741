"""One watched stack for all modules, with the numbers of production, and links that can be spoilt."""
import json
import os
import time

import pytest

from chaos.stack import PLENTY, DefaultStack
from dev import private
from testkit.client import Api, Load, wait_until
from testkit.prometheus import Prometheus

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


class SlowLoad(Load):
    """Enough to fill every series, and little enough for a build with a sanitizer."""
    RATE, CONNECTIONS = 5, 8


@pytest.fixture(scope="session")
def stack():
    with private.stack("observe", lambda folder: DefaultStack(folder, PRESET, observed=True)) as made:
        made.put_catalogue()
        yield made


@pytest.fixture(scope="session")
def api(stack):
    return Api(stack.url("edge"))


@pytest.fixture(scope="session")
def load(api):
    """Orders all the time: rates over minutes are there when a test asks for them."""
    with SlowLoad(api, PLENTY) as running:
        yield running


@pytest.fixture(scope="session")
def prometheus(stack, load):
    made = Prometheus(stack.observers.named("prometheus").url())
    wait_until(lambda: set(made.targets().values()) == {"up"}, 60, "all targets scraped")
    # A rate needs two scrapes.
    wait_until(lambda: made.query("service:orders_created:rate5m > 0"), 60, "a rate of orders")
    return made


class Notices:
    """The alerts that Alertmanager has delivered."""

    def __init__(self, stack):
        self._log = stack.log("alert-relay")

    def all(self):
        with open(self._log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def wait(self, alert, status, since, seconds, **labels):
        """Until a notice of this alert came at `since` (time.time()) or later; → the notice."""
        def found():
            return [one for one in self.all() if (one["alert"], one["status"]) == (alert, status)
                    and one["ts"] >= since and labels.items() <= one["labels"].items()]
        return wait_until(found, seconds, f"notice that {alert} is {status}")[0]


@pytest.fixture(scope="session")
def notices(stack):
    return Notices(stack)


@pytest.fixture
def now():
    return time.time()
