"""infrastructure/nginx in front of two edges of a stack with TLS everywhere."""
import os

import pytest

from chaos.pair import Pair
from dev import build, manifests, private
from dev.certificates import GATEWAY
from dev.stack import Stack
from testkit.client import Api, wait_until
from testkit.gateway import Gateway

PRODUCT = "A"


@pytest.fixture(scope="session")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    overrides = {one.name: one.variables("system") for one in manifests.ALL}
    with private.stack("gateway", lambda folder: Stack(folder, preset=preset, overrides=overrides, tls=True)) as made:
        api = Api(made.url("edge"), made.certificates.ca)
        made.broker.publish(build.programs(preset), "inventory.put-product.v1", [
            {"product_id": PRODUCT, "name": "Product A", "price": 999, "currency": "EUR", "on_hand": 1000000}])
        wait_until(lambda: api.get(f"/api/products/{PRODUCT}").status_code == 200, 30, "the catalogue")
        yield made


@pytest.fixture(scope="session")
def pair(stack):
    with Pair(stack, {"ALLOWED_HOSTS": GATEWAY}) as made:
        yield made


@pytest.fixture(scope="session")
def gateway(stack, pair):
    """One edge is blue, the other is green."""
    blue, green = ((edge.port, edge.port) for edge in pair.edges)
    with Gateway(stack.state.folder("gateway"), stack.certificates, blue, green) as made:
        yield made
