"""./dev client: names and scopes are checked before anything is stored, and no secret is."""
import hashlib
import uuid

import pytest

from dev import client
from dev.report import DevError


@pytest.fixture
def stored(monkeypatch):
    found = []
    monkeypatch.setattr(client, "psql", lambda url, sql, variables: found.append(variables) or "")
    return found


def test_only_a_hash_of_the_secret_is_stored(stored):
    client_id, secret = client.make("url", "shop", ["orders:on-behalf", "orders"], "operator")
    values, = stored
    assert values == {"id": uuid.UUID(client_id), "name": "shop", "role": "operator",
                      "scope": "orders:on-behalf orders", "hash": hashlib.sha256(secret.encode()).hexdigest()}
    assert len(secret) == 43


@pytest.mark.parametrize("name, scopes", (("", ()), ("a'b", ()), ("shop", ["orders on-behalf"]), ("shop", ["A"])))
def test_other_names_and_scopes_are_refused(name, scopes, stored):
    with pytest.raises(DevError, match="must match"):
        client.make("url", name, scopes)
    assert not stored


def test_an_unknown_client_cannot_be_withdrawn(stored):
    with pytest.raises(DevError, match="there is no client"):
        client.revoke("url", str(uuid.uuid4()))
