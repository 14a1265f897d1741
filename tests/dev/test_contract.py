"""./dev contract install: what is pinned, and when it is made again."""
import json
import os
import re

import pytest

from dev import contract, packages
from dev.report import DevError


@pytest.fixture
def pinned(tmp_path, monkeypatch):
    """An environment that is to be made in a folder of the test, of pinned files there."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("schemathesis==1\n")
    (tmp_path / "npm").mkdir()
    for name in ("package.json", "package-lock.json"):
        (tmp_path / "npm" / name).write_text("{}\n")
    monkeypatch.setenv("ORDERBUS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(contract, "PINNED", str(tmp_path))
    monkeypatch.setattr(packages, "ensure", lambda names: None)
    return requirements


def stand_in(monkeypatch, made, status=0):
    """The commands run no program; the first one makes what it would install."""
    def run(words, **_options):
        made.append(words)
        program = (os.path.join(words[-1], "bin", "st") if "venv" in words else
                   os.path.join(words[words.index("--prefix") + 1], "node_modules", ".bin", "spectral")
                   if "ci" in words else None)
        if program:
            os.makedirs(os.path.dirname(program))
            with open(program, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o755)
        return contract.subprocess.CompletedProcess(words, status, "", "no such package")
    monkeypatch.setattr(contract.subprocess, "run", run)


def test_the_environment_is_made_once_and_again_for_other_versions(pinned, monkeypatch):
    made, tool = [], contract.Schemathesis()
    stand_in(monkeypatch, made)
    assert not tool.installed() and "./dev contract install" in tool.missing()
    assert tool.install() == tool.program() and len(made) == 2 and tool.installed()
    assert "--require-hashes" in made[1]
    tool.install()
    assert len(made) == 2
    pinned.write_text("schemathesis==2\n")
    assert not tool.installed()
    tool.install()
    assert len(made) == 4


def test_the_programs_of_node_are_made_once_and_run_nothing_meanwhile(pinned, monkeypatch):
    made, tool = [], contract.NodePrograms("npm", os.path.join(contract.PINNED, "npm"), "spectral")
    stand_in(monkeypatch, made)
    assert not tool.installed()
    assert tool.install() == tool.program() and tool.installed()
    assert len(made) == 1 and {"ci", "--ignore-scripts"} <= set(made[0])
    with open(tool.pinned, "a", encoding="utf-8") as file:
        file.write("\n")
    assert not tool.installed()


def test_a_failure_leaves_it_uninstalled_and_says_why(pinned, monkeypatch):
    tool = contract.Schemathesis()
    stand_in(monkeypatch, [], status=1)
    with pytest.raises(DevError, match="no such package"):
        tool.install()
    assert not tool.installed()


def test_every_package_is_pinned_with_its_hashes():
    with open(os.path.join(contract.PINNED, "requirements.txt"), encoding="utf-8") as file:
        text = file.read()
    for entry in re.split(r"\n(?=[a-z])", text)[1:]:
        assert re.match(r"[a-z0-9.-]+==[\w.]+ \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n?)+$", entry), entry
    assert "\nschemathesis==" in text and "\nopenapi-spec-validator==" in text


def test_every_package_of_node_is_pinned_with_its_hash():
    with open(os.path.join(contract.PINNED, "npm", "package-lock.json"), encoding="utf-8") as file:
        packages_of_node = json.load(file)["packages"]
    with open(os.path.join(contract.PINNED, "npm", "package.json"), encoding="utf-8") as file:
        wanted = json.load(file)["dependencies"]
    assert all(one["integrity"].startswith("sha512-") for name, one in packages_of_node.items() if name)
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


@pytest.mark.parametrize("tool", [contract.OASDIFF, contract.STRIPE_MOCK], ids=lambda tool: tool.name)
def test_a_program_in_go_is_pinned_with_its_sources(tool):
    assert re.fullmatch(r"v\d+\.\d+\.\d+", tool.version())
    with open(os.path.join(tool.pinned, "go.sum"), encoding="utf-8") as file:
        assert f"{tool.module} {tool.version()} h1:" in file.read()
