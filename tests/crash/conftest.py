"""Makes the tooling and the matrix importable; one stack for all rows."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for place in (os.path.join(ROOT, "tools"), os.path.join(ROOT, "chaos-testing")):
    if place not in sys.path:
        sys.path.insert(0, place)

from crash_matrix import stack  # noqa: E402
from harness.verdict import Judge  # noqa: E402

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


@pytest.fixture(scope="session")
def preset():
    return PRESET


@pytest.fixture(scope="session")
def system():
    with stack.matrix_stack(PRESET) as made:
        yield made


@pytest.fixture(scope="session")
def judge(system):
    return Judge(system)
