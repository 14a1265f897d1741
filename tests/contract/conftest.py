"""The pinned programs of ./dev contract install; without one its tests are skipped, but fail where CI is set."""
import os

import pytest

from dev.contract import NODE_PROGRAMS, OASDIFF, SCHEMATHESIS, STRIPE_MOCK


def need(tool):
    if not tool.installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(tool.missing())
    return tool


@pytest.fixture(scope="session")
def oasdiff():
    return need(OASDIFF).program()


@pytest.fixture(scope="session")
def schemathesis():
    return need(SCHEMATHESIS)


@pytest.fixture(scope="session")
def node_programs():
    return need(NODE_PROGRAMS)


@pytest.fixture(scope="session")
def stripe_mock():
    return need(STRIPE_MOCK).program()
