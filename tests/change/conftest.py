"""Changes of the sources, each a patch that is applied to a copy of the tree and built there."""
import contextlib
import os

import pytest

from dev import build, paths, runner
from dev.stack import Stack
from testkit.client import Api, wait_until
from testkit.copies import PRESET, Copy, link_programs

PRODUCT = {"product_id": "A", "name": "Product A", "price": 999, "currency": "EUR", "on_hand": 10}


@pytest.fixture(scope="module")
def copy():
    with runner.temporary_folder("change") as folder:
        yield Copy(folder)


@pytest.fixture(scope="module")
def serve(copy):
    """A function: a stack with the migrations of the copy and its programs of these names; → a client and the stack."""
    @contextlib.contextmanager
    def started(changed, *names):
        with runner.temporary_folder("change-stack") as folder, pytest.MonkeyPatch.context() as patch:
            programs = link_programs(os.path.join(folder, "bin"), changed, *names)
            patch.setattr(build, "programs", lambda preset: programs)
            patch.setattr(paths, "ROOT", copy.folder)
            stack = Stack(os.path.join(folder, "stack"), preset=PRESET)
            try:
                stack.start()
                stack.broker.publish(programs, "inventory.put-product.v1", [PRODUCT])
                api = Api(stack.url("edge"))
                wait_until(lambda: api.get("/api/products/A").status_code == 200, 30, "the product")
                yield api, stack
            finally:
                stack.end()
    return started
