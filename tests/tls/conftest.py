"""A stack of sanitized builds in which every listener and every connection has TLS."""
import os

import pytest

from dev import build, manifests, private
from dev.stack import Stack
from testkit.client import Api, wait_until

PRODUCT = "A"


@pytest.fixture(scope="session")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    overrides = {one.name: one.variables("system") for one in manifests.ALL}
    with private.stack("tls", lambda folder: Stack(folder, preset=preset, overrides=overrides, tls=True)) as made:
        yield made


@pytest.fixture(scope="session")
def api(stack):
    made = Api(stack.url("edge"), stack.certificates.ca)
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", [
        {"product_id": PRODUCT, "name": "Product A", "price": 999, "currency": "EUR", "on_hand": 1000000}])
    wait_until(lambda: made.get(f"/api/products/{PRODUCT}").status_code == 200, 30, "the catalogue")
    return made
