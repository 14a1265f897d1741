"""One stack of sanitized builds, an issuer of tokens, and an edge that checks them without limits of rates: all attacks
come from one address."""
import os
import uuid

import pytest

from chaos import invariants
from dev import build, manifests, private
from dev.stack import Stack
from testkit.client import item, wait_until
from testkit.edges import Edge
from testkit.issuer import Issuer

PRODUCTS = ("A", "B")
OVERRIDES = {one.name: one.variables("system") for one in manifests.ALL}


@pytest.fixture(scope="session")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    with private.stack("attack", lambda folder: Stack(folder, preset=preset, overrides=OVERRIDES)) as made:
        made.broker.publish(build.programs(preset), "inventory.put-product.v1",
                            [{"product_id": name, "name": name, "price": 999, "currency": "EUR", "on_hand": 1000000}
                             for name in PRODUCTS])
        yield made


@pytest.fixture(scope="session")
def issuer():
    made = Issuer()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def start_edge(stack, issuer, tmp_path_factory):
    """A function: an edge with these variables more, until the end of the suite."""
    made = []

    def start(preset=None, **variables):
        key = stack.services["edge"].variables()["USER_SEAL_KEY"]
        common = {"AUTH": "oidc", "OIDC_ISSUER": issuer.url, "RATE_LIMIT": "0", "USER_SEAL_KEY": key}
        one = Edge(stack, str(tmp_path_factory.mktemp("edge")), preset, **common | variables)
        made.append(one)
        wait_until(one.has_keys, 60, "keys and broker")
        return one

    yield start
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def edge(start_edge):
    return start_edge()


@pytest.fixture(scope="session")
def place(edge, issuer, accepted):
    """A function: places an order of a customer; → its id."""
    def place_one(customer):
        answer = edge.call("POST", "/api/orders", issuer.token(customer),
                           json={"idempotency_key": str(uuid.uuid4()), "items": [item("A")]})
        assert answer.status_code in (201, 202), answer.text
        accepted[answer.json()["order_id"]] = answer.status_code
        return answer.json()["order_id"]
    return place_one


@pytest.fixture(scope="session")
def accepted():
    """Orders that got a 2xx: id → status."""
    return {}


@pytest.fixture(scope="module", autouse=True)
def invariants_hold(stack, accepted):
    yield
    found = invariants.check_at_rest(invariants.Sources.of_stack(stack, accepted), seconds=120)
    assert not found.violations(), "\n".join(found.violations())
