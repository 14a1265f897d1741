"""One stack for all rows."""
import os

import pytest

from chaos import webhooks
from chaos.crash_matrix import stack
from chaos.verdict import Judge

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


@pytest.fixture(scope="session")
def preset():
    return PRESET


@pytest.fixture(scope="session")
def system():
    with stack.matrix_stack(PRESET) as made, webhooks.told(made) as receiver:
        yield made
        assert webhooks.problems(made, receiver) == []


@pytest.fixture(scope="session")
def judge(system):
    return Judge(system)
