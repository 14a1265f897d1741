"""Two edges of a stack, which speak gRPC behind nginx."""
import os

import pytest

from chaos import invariants
from chaos.pair import Instance
from dev import build, manifests, ports, private
from dev.stack import Stack
from testkit.client import Api, wait_until
from testkit.grpc_gateway import GrpcGateway

PRODUCT = "A"


@pytest.fixture(scope="session")
def stack():
    preset = os.environ.get("ORDERBUS_PRESET") or "asan"
    overrides = {one.name: one.variables("system") for one in manifests.ALL}
    with private.stack("grpc", lambda folder: Stack(folder, preset=preset, overrides=overrides)) as made:
        yield made


@pytest.fixture(scope="session")
def api(stack):
    made = Api(stack.url("edge"))
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", [
        {"product_id": PRODUCT, "name": "Product A", "price": 999, "currency": "EUR", "on_hand": 1000000}])
    wait_until(lambda: made.get(f"/api/products/{PRODUCT}").status_code == 200, 30, "the catalogue")
    return made


@pytest.fixture(scope="session")
def edges(stack, api):
    made = []
    for number in range(2):
        port = ports.pick_one(tuple(edge.grpc_port for edge in made))
        edge = Instance(stack, "edge", f"edge-grpc-{number}",
                        {"GRPC_PORT": str(port), "DRAIN_MS": "500", "RATE_LIMIT": "0"})
        edge.grpc_port = port
        edge.start()
        wait_until(lambda port=port: ports.is_served(port), 5, "the edge's port of gRPC")
        made.append(edge)
    yield made
    for edge in made:
        edge.stop()


@pytest.fixture(scope="session")
def gateway(stack, edges):
    with GrpcGateway(stack.state.folder("grpc-gateway"), [edge.grpc_port for edge in edges]) as made:
        yield made


@pytest.fixture(scope="session")
def check(stack, api):
    """Everything comes to rest, and the invariants hold."""
    def run():
        found = invariants.check_at_rest(invariants.Sources.of_stack(stack, api.accepted), seconds=240)
        assert not found.violations(), "\n".join(found.violations())
    return run
