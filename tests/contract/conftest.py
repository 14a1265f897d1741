"""The pinned programs of ./dev contract install; without one its tests are skipped."""
import pytest

from dev.contract import NODE_PROGRAMS, OASDIFF, SCHEMATHESIS


@pytest.fixture(scope="session")
def oasdiff():
    if not OASDIFF.installed():
        pytest.skip(OASDIFF.missing())
    return OASDIFF.program()


@pytest.fixture(scope="session")
def schemathesis():
    if not SCHEMATHESIS.installed():
        pytest.skip(SCHEMATHESIS.missing())
    return SCHEMATHESIS


@pytest.fixture(scope="session")
def node_programs():
    if not NODE_PROGRAMS.installed():
        pytest.skip(NODE_PROGRAMS.missing())
    return NODE_PROGRAMS
