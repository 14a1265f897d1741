"""Where the tools in Go come from: pinned sources, a Go that is new enough, and one build."""
import concurrent.futures
import os

import pytest

from dev import gotool, packages
from dev.gotool import K6, TOXIPROXY
from dev.report import DevError


@pytest.mark.parametrize("tool", (K6, TOXIPROXY), ids=lambda tool: tool.name)
def test_all_sources_are_pinned(tool):
    with open(os.path.join(tool.pinned, "go.sum"), encoding="utf-8") as file:
        assert f"{tool.module} {tool.version()} h1:" in file.read()


@pytest.mark.parametrize("tool", (K6, TOXIPROXY), ids=lambda tool: tool.name)
def test_debians_go_is_new_enough(tool):
    with open(os.path.join(tool.pinned, "go.mod"), encoding="utf-8") as file:
        assert f"\ngo {'.'.join(map(str, tool.least_go))}\n" in file.read()
    assert tool.least_go <= (1, 19)


@pytest.fixture
def no_tool(tmp_path, monkeypatch):
    monkeypatch.setattr(gotool, "TOOLS", str(tmp_path))
    return tmp_path


def go_that_says(tmp_path, version, then="exit 1"):
    go = tmp_path / "fake-go"
    go.write_text(f"#!/bin/sh\n[ \"$1\" != version ] || exec echo go version go{version} linux/amd64\n{then}\n")
    go.chmod(0o755)
    return str(go)


def test_an_old_go_is_passed_over_and_debians_installed(no_tool, monkeypatch):
    old, asked = go_that_says(no_tool, "1.16"), []
    monkeypatch.setattr(gotool.shutil, "which", lambda _: old)
    monkeypatch.setattr(gotool.glob, "glob", lambda _: [])
    monkeypatch.setattr(packages, "ensure", asked.append)
    with pytest.raises(DevError, match="no Go of at least 1.17"):
        TOXIPROXY.install()
    assert asked == [packages.CHAOS]


def test_a_build_that_fails_says_why_and_leaves_nothing(no_tool, monkeypatch):
    go = go_that_says(no_tool, "1.22.3", "echo checksum mismatch >&2; exit 1")
    monkeypatch.setattr(gotool.shutil, "which", lambda _: go)
    with pytest.raises(DevError, match="k6 cannot be fetched: checksum mismatch"):
        K6.install()
    assert not K6.installed() and sorted(os.listdir(no_tool)) == ["fake-go", "k6.lock"]


def test_a_build_without_end_is_ended(no_tool, monkeypatch):
    go = go_that_says(no_tool, "1.22.3", "[ $1 = list ] || exec sleep 60")
    monkeypatch.setattr(gotool.shutil, "which", lambda _: go)
    monkeypatch.setattr(gotool, "BUILD_SECONDS", 0.5)
    with pytest.raises(DevError, match=r"k6 was not built within 0\.5 s"):
        K6.install()


def test_who_comes_during_a_build_waits_for_it(no_tool, monkeypatch):
    made = ('while [ "$1" != -o ]; do shift; done; '
            'sleep 0.5 && echo once >>"$0.builds" && : >"$2" && chmod +x "$2"')
    go = go_that_says(no_tool, "1.22.3", f"[ $1 = list ] && exit\n{made}")
    monkeypatch.setattr(gotool.shutil, "which", lambda _: go)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda _: K6.install(), range(3))) == {K6.program()}
    with open(f"{go}.builds", encoding="utf-8") as file:
        assert file.read() == "once\n"


def test_what_is_installed_is_not_built_again(no_tool, monkeypatch):
    monkeypatch.setattr(gotool, "_go", None)
    with open(K6.program(), "w", encoding="utf-8"):
        os.chmod(K6.program(), 0o755)
    assert K6.install() == K6.program()
