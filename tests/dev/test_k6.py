"""./dev k6 runs the k6 that the user has, and installs none."""
import os

import pytest

from dev import k6
from dev.report import DevError


@pytest.fixture
def user_s_k6(tmp_path):
    program = tmp_path / "k6"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


def test_the_k6_of_the_path_is_found(user_s_k6, monkeypatch):
    monkeypatch.delenv("K6", raising=False)
    monkeypatch.setenv("PATH", os.path.dirname(user_s_k6))
    assert k6.program() == user_s_k6


def test_the_variable_goes_first(user_s_k6, monkeypatch):
    monkeypatch.setenv("K6", user_s_k6)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert k6.command("script.js", "http://h:1")[:2] == [user_s_k6, "run"]


@pytest.mark.parametrize("variables, stack, wanted", (
    ({}, "a stack", "made"), ({"TOKEN": "given"}, "a stack", "given"), ({"TOKEN": "given"}, None, "given"),
    ({}, None, None)))
def test_a_script_has_an_operator_s_token(variables, stack, wanted, monkeypatch):
    monkeypatch.delenv("TOKEN", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(k6.token, "issue", lambda found, role: "made" if (found, role) == (stack, "operator") else None)
    assert k6.environment(stack).get("TOKEN") == wanted


@pytest.mark.parametrize("given, what", ((None, "there is no k6 in PATH"), ("/no/k6", "K6=/no/k6: there is no such")))
def test_a_missing_k6_says_where_to_get_it(given, what, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("K6", raising=False)
    if given:
        monkeypatch.setenv("K6", given)
    with pytest.raises(DevError, match=f"{what}.*https://.*set K6"):
        k6.program()


def test_scripts_are_listed_without_k6(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert k6.k6(type("Options", (), {"script": "list"})) == 0
    assert "load-test" in capsys.readouterr().out
