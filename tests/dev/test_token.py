"""./dev token: users are made at the first time, and log in afterwards."""
import types

import pytest

from dev import admin, demo, session, token
from dev.report import DevError


@pytest.fixture
def users(monkeypatch):
    """user-svc, as the API shows it: passwords by e-mail address, and resets."""
    found = types.SimpleNamespace(passwords={}, roles={}, resets={}, calls=[])

    def call(_stack, method, path, body):
        found.calls.append(path.rsplit("/", 1)[-1])
        assert method == "POST"
        if path == "/api/auth/reset":
            found.passwords[found.resets.pop(body["token"])] = body["password"]
            return 200, {}
        good = found.passwords.get(body["email"]) == body["password"]
        return (200, {"access_token": "of " + found.roles[body["email"]]}) if good else (401, {})

    def make(_url, email, role):
        found.roles[email] = role
        found.resets["reset"] = email
        return "reset"

    monkeypatch.setattr(demo, "call", call)
    monkeypatch.setattr(admin, "make", make)
    return found


@pytest.fixture
def stack():
    state = types.SimpleNamespace(secret=lambda name: "secret of " + name)
    return types.SimpleNamespace(auth="own", state=state, database_url=lambda database: database)


@pytest.mark.parametrize("role", token.ROLES)
def test_the_user_is_made_once(role, users, stack):
    assert [token.issue(stack, role) for _ in range(2)] == [f"of {role}"] * 2
    assert users.calls == ["login", "reset", "login", "login"]


def test_a_user_of_another_state_folder_gets_this_one_s_password(users, stack):
    users.passwords[token.email("admin")] = "of another state"
    assert token.issue(stack, "admin") == "of admin"


def test_other_refusals_are_said(stack, monkeypatch):
    monkeypatch.setattr(demo, "call", lambda *_: (429, {"detail": "too many failed attempts"}))
    with pytest.raises(DevError, match="answered 429 for customer@.*too many failed attempts"):
        token.issue(stack, "customer")


def test_without_authentication_there_is_no_token(stack, monkeypatch):
    stack.auth = "off"
    assert token.issue(stack, "admin") is None
    monkeypatch.setattr(session, "required", lambda: stack)
    with pytest.raises(DevError, match="AUTH=off"):
        token.token(types.SimpleNamespace(role="customer"))


@pytest.mark.parametrize("value, wanted", ((None, "own"), ("own", "own"), ("off", "off")))
def test_auth_of_the_environment(value, wanted, monkeypatch):
    monkeypatch.delenv("AUTH", raising=False)
    if value:
        monkeypatch.setenv("AUTH", value)
    assert session.given_auth() == wanted


def test_another_auth_is_refused(monkeypatch):
    monkeypatch.setenv("AUTH", "none")
    with pytest.raises(DevError, match="AUTH=none: must be own or off"):
        session.given_auth()
