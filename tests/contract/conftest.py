"""The pinned programs of ./dev contract install; without one its tests are skipped."""
import pytest

from dev.contract import OASDIFF, SCHEMATHESIS


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
