"""./dev chaos as a command, and where its proxy comes from."""
import collections
import os
import types

import pytest

from dev import chaos, packages, toxiproxy
from dev.report import DevError


def test_list_names_every_scenario(dev):
    answer = dev("chaos", "list")
    assert answer.returncode == 0, answer.stderr
    names = [line.split()[0] for line in answer.stdout.splitlines()]
    assert {"gremlin", "service-crash", "partition", "database-failure", "broker-restart", "broker-kill",
            "memory-alarm", "slow-link", "psp-outage", "psp-late"} <= set(names)


def test_unknown_scenario_is_refused(dev):
    answer = dev("chaos", "no-such-thing")
    assert answer.returncode == 2 and "there is no scenario no-such-thing: choose from all" in answer.stderr


def test_lanes_have_about_as_many_faults_and_keep_the_order():
    Scenario = collections.namedtuple("Scenario", "name episodes")
    chosen = [Scenario(name, lambda short, count=count: range(count))
              for name, count in (("a", 1), ("b", 9), ("c", 2), ("d", 5), ("e", 1))]

    def lanes(jobs):
        found = chaos._lanes(chosen, types.SimpleNamespace(short=True, jobs=jobs))
        return sorted("".join(scenario.name for scenario in lane) for lane in found)
    assert lanes(1) == ["abcde"]
    assert lanes(2) == ["acde", "b"]
    assert lanes(9) == ["a", "b", "c", "d", "e"]


def test_all_sources_are_pinned():
    with open(os.path.join(toxiproxy.PINNED, "go.sum"), encoding="utf-8") as file:
        assert f"{toxiproxy.SOURCE} {toxiproxy.version()} h1:" in file.read()


@pytest.fixture
def no_tool(tmp_path, monkeypatch):
    monkeypatch.setattr(toxiproxy, "TOOLS", str(tmp_path))
    return tmp_path


def go_that_says(tmp_path, version, then="exit 1"):
    go = tmp_path / "fake-go"
    go.write_text(f"#!/bin/sh\n[ \"$1\" != version ] || exec echo go version go{version} linux/amd64\n{then}\n")
    go.chmod(0o755)
    return str(go)


def test_an_old_go_is_passed_over_and_debians_installed(no_tool, monkeypatch):
    old, asked = go_that_says(no_tool, "1.16"), []
    monkeypatch.setattr(toxiproxy.shutil, "which", lambda _: old)
    monkeypatch.setattr(toxiproxy.glob, "glob", lambda _: [])
    monkeypatch.setattr(packages, "ensure", asked.append)
    with pytest.raises(DevError, match="no Go of at least 1.17"):
        toxiproxy.install()
    assert asked == [packages.CHAOS]


def test_a_build_that_fails_says_why_and_leaves_nothing(no_tool, monkeypatch):
    go = go_that_says(no_tool, "1.22.3", "echo checksum mismatch >&2; exit 1")
    monkeypatch.setattr(toxiproxy.shutil, "which", lambda _: go)
    with pytest.raises(DevError, match="checksum mismatch"):
        toxiproxy.install()
    assert not toxiproxy.installed() and os.listdir(no_tool) == ["fake-go"]


def test_what_is_installed_is_not_built_again(no_tool, monkeypatch):
    monkeypatch.setattr(toxiproxy, "_go", None)
    with open(toxiproxy.program(), "w", encoding="utf-8"):
        os.chmod(toxiproxy.program(), 0o755)
    assert toxiproxy.install() == toxiproxy.program()
