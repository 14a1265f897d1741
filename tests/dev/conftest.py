"""Fixtures of the tooling's tests: the package itself, short-lived states, and one pair of real servers."""
import os
import subprocess

import pytest

from dev import paths, runner, suites
from dev.servers import TestServers
from dev.state import State

DEV = os.path.join(paths.ROOT, "dev")
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
        return subprocess.run([script or DEV, *words], cwd=cwd, capture_output=True, text=True,
                              env=os.environ | (env or {}), timeout=seconds, check=False)
    return call


@pytest.fixture
def unread():
    """Calls ./dev where whoever read its output has gone; gives the exit status as a shell sees it, and stderr."""
    def call(*words, env=None):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as output:
            done = subprocess.run([DEV, *words], stdout=output, stderr=subprocess.PIPE, text=True,
                                  env=os.environ | (env or {}), timeout=120, check=False)
        return done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stderr
    return call
