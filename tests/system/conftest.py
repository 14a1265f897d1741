"""One stack of sanitized builds for all modules; after each module the invariants must hold."""
import json
import os

import pytest

from chaos import invariants
from dev import build, manifests, private
from dev.stack import Stack
from testkit.client import Api, wait_until

# Shorter than in production, so that the suite is short too: bodies have two seconds, and the payment provider's
# silence is noticed after one and asked about soon. The circuit breakers have their default numbers.
OVERRIDES = {one.name: one.variables("system") for one in manifests.ALL}

SERVICES = tuple(one.name for one in manifests.ON_BUS)

PRICE = {"A": 999, "B": 2500, "C": 1, "RARE": 700, "NONE": 100, "DOLLAR": 500, "LOAD-1": 100, "LOAD-2": 200,
         "LOAD-3": 300}
STOCK = {"A": 100000, "B": 100000, "C": 100000, "RARE": 3, "NONE": 0, "DOLLAR": 1000, "LOAD-1": 1000000,
         "LOAD-2": 1000000, "LOAD-3": 1000000}
CURRENCY = {"DOLLAR": "USD"}
LOAD_PRODUCTS = ("LOAD-1", "LOAD-2", "LOAD-3")


def _catalogue():
    return [{"product_id": name, "name": f"Product {name}", "price": price, "currency": CURRENCY.get(name, "EUR"),
             "on_hand": STOCK[name]} for name, price in PRICE.items()]


@pytest.fixture(scope="session")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    tls = bool(os.environ.get("ORDERBUS_TEST_TLS"))
    with private.stack("system", lambda folder: Stack(folder, preset=preset, overrides=OVERRIDES, tls=tls)) as made:
        if tls:
            os.environ["REQUESTS_CA_BUNDLE"] = made.certificates.ca
        yield made


@pytest.fixture(scope="session")
def api(stack):
    made = Api(stack.url("edge"), stack.certificates and stack.certificates.ca)
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", _catalogue())
    last = list(PRICE)[-1]
    wait_until(lambda: made.get(f"/api/products/{last}").status_code == 200, 30, "the catalogue")
    return made


@pytest.fixture(scope="session")
def port(stack, api):
    return stack.ports["edge"]


@pytest.fixture(scope="session")
def ledger(stack):
    """The charges that the PSP itself knows: a function → its lines."""
    def read():
        return invariants.read_ledger(stack.ledger())
    return read


@pytest.fixture(autouse=True)
def whole(stack):
    """Every test begins with everything running; what a test stopped and did not start again starts here."""
    stack.start_servers()
    stack.start_services()
    yield


@pytest.fixture(scope="module", autouse=True)
def invariants_hold(stack, api):
    """After the last test of a module: everything runs, comes to rest, and the invariants hold."""
    yield
    stack.start_servers()
    stack.start_services()
    sources = invariants.Sources.of_stack(stack, api.accepted)
    found = invariants.check_at_rest(sources, seconds=120)
    for line in found.lines():
        print(line)
    assert not found.violations(), "\n".join(found.violations())


def log_lines(stack, name):
    """A service's log as decoded lines; what is no JSON object comes as text."""
    found = []
    with open(stack.log(name), encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append(line)
    return found
