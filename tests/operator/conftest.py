"""One stack of sanitized builds for the tests of an operator's actions."""
import os

import pytest

from dev import private
from dev.stack import Stack


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
