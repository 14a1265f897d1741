"""Fixtures of the tooling's tests: the package itself, short-lived states, and one pair of real servers."""
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

from dev import runner, suites  # noqa: E402  (the path must be set first)
from dev.servers import TestServers  # noqa: E402
from dev.state import State  # noqa: E402

suites.forget_the_users_stack(os.environ)


@pytest.fixture
def folder():
    """A folder that other users may pass through, unlike pytest's own."""
    with runner.temporary_folder("dev-test") as path:
        yield path


@pytest.fixture
def state(folder):
    return State(os.path.join(folder, "state")).create()


@pytest.fixture(scope="session")
def pair():
    """One real Postgres and RabbitMQ for all tests that only look at them."""
    with runner.temporary_folder("dev-pair") as path:
        servers = TestServers(os.path.join(path, "state"))
        servers.up()
        yield servers
        servers.down(discard=True)


@pytest.fixture
def dev():
    """Calls ./dev as a user does, in an environment of his."""
    def call(*words, cwd="/", env=None, script=None, seconds=120):
        return subprocess.run([script or os.path.join(ROOT, "dev"), *words], cwd=cwd, capture_output=True, text=True,
                              env=os.environ | (env or {}), timeout=seconds, check=False)
    return call


@pytest.fixture
def unread():
    """Calls ./dev where whoever read its output has gone; gives the exit status as a shell sees it, and stderr."""
    def call(*words, env=None):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as output:
            done = subprocess.run([os.path.join(ROOT, "dev"), *words], stdout=output, stderr=subprocess.PIPE, text=True,
                                  env=os.environ | (env or {}), timeout=120, check=False)
        return done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stderr
    return call
