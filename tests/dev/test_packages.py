"""Packages: what counts as missing, and that the machine's own policy and Postgres stay as they were."""
import os
import stat
import subprocess

import pytest

from dev import packages
from dev.report import DevError


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """The two places that an installation changes for a while, moved into a folder of the test."""
    monkeypatch.setattr(packages, "POLICY", str(tmp_path / "policy-rc.d"))
    monkeypatch.setattr(packages, "NO_CLUSTER", str(tmp_path / "createcluster.d" / "orderbus.conf"))
    return tmp_path


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_installed_and_unknown_packages():
    assert packages.missing(["dpkg", "no-such-package-at-all"]) == ["no-such-package-at-all"]


def test_everything_that_is_needed_is_asked_for_once():
    names = packages.UP + packages.TEST + packages.BENCH + packages.OBSERVE + packages.BROWSER
    assert len(set(names)) == len(names)


def test_only_our_packages_can_be_installed():
    with pytest.raises(DevError, match="refused to install netcat"):
        packages.install(["cmake", "netcat"])


def test_the_program_that_installs_runs():
    done = subprocess.run([*packages.INSTALLER, "netcat"], capture_output=True, text=True, check=False)
    assert done.stderr == "dev: refused to install netcat\n"


def test_nothing_missing_asks_nobody(monkeypatch):
    monkeypatch.setattr(packages.subprocess, "run", packages.subprocess.run)
    packages.ensure(["dpkg"])


def test_service_starts_are_forbidden_for_a_while(machine):
    with packages._no_service_starts():
        assert stat.S_IMODE(os.stat(packages.POLICY).st_mode) == 0o755
        assert os.spawnl(os.P_WAIT, packages.POLICY, packages.POLICY, "postgresql", "start") == 101
    assert os.listdir(machine) == []


def test_a_policy_of_the_machine_comes_back(machine):
    (machine / "policy-rc.d").write_text("#!/bin/sh\nexit 104\n")
    with pytest.raises(RuntimeError):
        with packages._no_service_starts():
            assert text(packages.POLICY) == packages.OURS
            raise RuntimeError("apt failed")
    assert text(packages.POLICY) == "#!/bin/sh\nexit 104\n" and os.listdir(machine) == ["policy-rc.d"]


def test_a_policy_comes_back_even_after_a_run_that_was_killed(machine):
    (machine / "policy-rc.d.orderbus-saved").write_text("#!/bin/sh\nexit 104\n")
    (machine / "policy-rc.d").write_text(packages.OURS)
    with packages._no_service_starts():
        pass
    assert text(packages.POLICY) == "#!/bin/sh\nexit 104\n"


def test_a_new_postgres_makes_no_cluster(machine):
    with packages._no_main_cluster(["postgresql", "cmake"]):
        assert "create_main_cluster = false" in text(packages.NO_CLUSTER)
    assert os.listdir(machine) == [], "later installations must behave as the machine's owner expects"
    with packages._no_main_cluster(["cmake"]):
        assert os.listdir(machine) == []


def fake_apt(monkeypatch, answers):
    """apt-get and its simulations answer in this order; what was asked is returned."""
    asked = []

    def answer(verb, *_names, simulate=False):
        asked.append("simulate" if simulate else verb)
        return answers.pop(0)

    monkeypatch.setattr(packages, "_apt", answer)
    monkeypatch.setattr(packages.account, "is_root", lambda: True)
    return asked


@pytest.mark.parametrize("answers, asked", (
    ([True, True], ["simulate", "install"]),
    ([False, True, True], ["simulate", "update", "install"]),
    ([True, False, True, True], ["simulate", "install", "update", "install"]),
))
def test_lists_are_updated_only_when_they_must_be(machine, monkeypatch, answers, asked):
    seen = fake_apt(monkeypatch, answers)
    packages.install(["cmake"])
    assert seen == asked


def test_a_failed_installation_is_an_error_and_leaves_no_policy(machine, monkeypatch):
    fake_apt(monkeypatch, [False, True, False])
    with pytest.raises(DevError, match="apt-get failed"):
        packages.install(["cmake"])
    assert os.listdir(machine) == []


def test_without_sudo_the_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(packages, "missing", lambda names: ["ccache", "cmake"])
    monkeypatch.setattr(packages.account, "is_root", lambda: False)
    monkeypatch.setattr(packages.os.path, "exists", lambda path: False)
    with pytest.raises(DevError, match="no sudo.*ccache cmake"):
        packages.ensure(["cmake", "ccache"])
