"""Fixtures of the tooling's tests: the package itself, short-lived states, and one pair of real servers."""
import os
import shutil
import subprocess

import pytest

from dev import build, cli, manifests, paths, ports, runner, suites
from dev.servers import TestServers
from dev.state import State

HERE = os.path.dirname(os.path.abspath(__file__))
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


def tools_folder():
    """A build that has the two programs that the tooling itself calls."""
    for preset in (build.default_preset(), *build.PRESETS):
        if all(os.path.exists(os.path.join(build.programs(preset), name)) for name in ("bus-topology", "bus-send")):
            return build.programs(preset)
    return None


@pytest.fixture(scope="module")
def programs():
    tools = tools_folder()
    if tools is None:
        pytest.skip("bus-topology and bus-send are not built")
    with runner.temporary_folder("dev-programs") as folder:
        for name in manifests.NAMES:
            shutil.copy(os.path.join(HERE, "stand_in.py"), os.path.join(folder, name))
            os.chmod(os.path.join(folder, name), 0o755)
        for name in ("bus-topology", "bus-send"):
            os.symlink(os.path.join(tools, name), os.path.join(folder, name))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "programs", lambda preset: folder)
            patch.setenv("PORT", "1")  # must not reach any service
            yield folder


@pytest.fixture
def own(programs, folder, monkeypatch):
    """Free ports by their variables, as a user whose usual ports are taken would have it."""
    monkeypatch.setenv("ORDERBUS_STATE", os.path.join(folder, "own"))
    for name, port in ports.pick_free().items():
        monkeypatch.setenv(ports.TABLE[name][1], str(port))
    monkeypatch.setattr(build, "build_programs", lambda preset: None)
    yield os.path.join(folder, "own")
    cli.main(["down"])
