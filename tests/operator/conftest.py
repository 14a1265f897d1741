"""One stack of sanitized builds for the tests of an operator's actions."""
import os

import pytest

from dev import build, private
from dev.stack import Stack
from testkit.client import Api, wait_until


@pytest.fixture(scope="session")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    with private.stack("operator", lambda folder: Stack(folder, preset=preset)) as made:
        yield made


@pytest.fixture(autouse=True)
def whole(stack):
    """Every test begins with everything running."""
    stack.start_services()
    yield


@pytest.fixture(scope="session")
def api(stack):
    made = Api(stack.url("edge"))
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", [
        {"product_id": "A", "name": "Product A", "price": 999, "currency": "EUR", "on_hand": 1000}])
    wait_until(lambda: made.get("/api/products/A").status_code == 200, 30, "the catalogue")
    return made
