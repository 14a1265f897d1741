"""./dev issuers install: what is pinned, and when it is made again."""
import json
import os

import pytest

from dev import issuers
from dev.report import DevError


@pytest.fixture
def pinned(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    (source / "package.json").write_text("{}")
    (source / issuers.LOCK).write_text("1")
    monkeypatch.setenv("ORDERBUS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(issuers, "SOURCE", str(source))
    return source / issuers.LOCK


def stand_in(monkeypatch, made, status=0):
    def run(words, **_options):
        made.append(words)
        return issuers.subprocess.CompletedProcess(words, status, "", "no such package")
    monkeypatch.setattr(issuers.subprocess, "run", run)


def test_the_packages_are_installed_once_and_again_for_other_versions(pinned, monkeypatch):
    made, tool = [], issuers.Issuers()
    stand_in(monkeypatch, made)
    assert not tool.installed() and "./dev issuers install" in tool.missing()
    assert tool.install() == tool.folder and tool.installed()
    assert made[0][1] == "ci" and "--ignore-scripts" in made[0]
    tool.install()
    assert len(made) == 1
    pinned.write_text("2")
    assert not tool.installed()
    tool.install()
    assert len(made) == 2


def test_a_failure_leaves_them_uninstalled_and_says_why(pinned, monkeypatch):
    tool = issuers.Issuers()
    stand_in(monkeypatch, [], status=1)
    with pytest.raises(DevError, match="no such package"):
        tool.install()
    assert not tool.installed()


def test_every_package_is_pinned_with_its_hash():
    with open(os.path.join(issuers.SOURCE, issuers.LOCK), encoding="utf-8") as file:
        packages = json.load(file)["packages"]
    assert len(packages) > 50
    for name, entry in packages.items():
        assert not name or (entry["integrity"].startswith("sha512-") and not entry.get("hasInstallScript")), name
