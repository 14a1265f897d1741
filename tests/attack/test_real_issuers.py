"""Tokens of issuers that are not our own: oidc-provider, and oauth2-mock-server for what the first would never say."""
import contextlib
import json
import os
import subprocess
import time

import pytest
import requests

from dev import ports
from dev.issuers import ISSUERS
from testkit.client import wait_until

AUDIENCE, TTL_S, LEEWAY_S = "orderbus", 600, 60


class Program:
    """One issuer; restart gives it new keys at the same address."""

    def __init__(self, script, *arguments):
        self.port = ports.pick_one()
        self.url = f"http://127.0.0.1:{self.port}"
        self._words = ISSUERS.words(script, self.port, *arguments)
        self.start()

    def start(self):
        self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        wait_until(lambda: ports.is_served(self.port), 60, self._words[1])

    def stop(self):
        self._process.terminate()
        self._process.wait(10)

    def token(self, **form):
        answer = requests.post(f"{self.url}/token", data={"grant_type": "client_credentials", "scope": "orders"} | form,
                               timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]


@pytest.fixture(scope="module", autouse=True)
def installed():
    if not ISSUERS.installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(ISSUERS.missing())


@contextlib.contextmanager
def running(*words):
    program = Program(*words)
    try:
        yield program
    finally:
        program.stop()


@pytest.fixture(scope="module")
def provider():
    with running("provider.js", AUDIENCE, TTL_S) as made:
        yield made


@pytest.fixture(scope="module")
def mock():
    with running("mock.js") as made:
        yield made


@pytest.fixture(scope="module")
def of_provider(start_edge, provider):
    return start_edge(OIDC_ISSUER=provider.url, OIDC_REFRESH_S="1")


@pytest.fixture(scope="module")
def of_mock(start_edge, mock):
    return start_edge(OIDC_ISSUER=mock.url, OIDC_REFRESH_S="1")


def status(edge, token):
    return edge.call("GET", "/api/orders", token).status_code


def of_client(issuer, algorithm):
    return issuer.token(client_id=f"shop-{algorithm}", client_secret="secret-of-a-test")


def of_claims(issuer, **claims):
    return issuer.token(claims=json.dumps({"aud": AUDIENCE, "sub": "c-1"} | claims))


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_tokens_of_a_certified_provider_are_taken(of_provider, provider, algorithm):
    token = of_client(provider, algorithm)
    assert status(of_provider, token) == 200
    assert status(of_provider, token[:-5] + "AAAAA") == 401


def test_an_expired_token_of_a_certified_provider_is_refused(start_edge):
    with running("provider.js", AUDIENCE, 2) as short:
        edge = start_edge(OIDC_ISSUER=short.url)
        token, made = of_client(short, "ES256"), time.time()
        assert status(edge, token) == 200
        time.sleep(max(0, made + 2 + LEEWAY_S + 2 - time.time()))
        assert status(edge, token) == 401


def test_a_token_for_another_audience_is_refused(start_edge):
    with running("provider.js", "another-shop", TTL_S) as other:
        edge = start_edge(OIDC_ISSUER=other.url)
        assert status(edge, of_client(other, "ES256")) == 401


def test_a_rotation_of_a_certified_providers_keys(of_provider, provider):
    old = of_client(provider, "ES256")
    assert status(of_provider, old) == 200
    provider.stop()
    assert status(of_provider, old) == 200, "the issuer is away, and its keys are known"
    provider.start()
    wait_until(lambda: status(of_provider, of_client(provider, "ES256")) == 200, 15, "the new keys")
    wait_until(lambda: status(of_provider, old) == 401, 15, "the end of the old keys")


def test_a_token_of_one_issuer_is_none_of_the_others(of_mock, of_provider, mock, provider):
    assert status(of_mock, of_client(provider, "ES256")) == 401
    assert status(of_provider, of_claims(mock)) == 401
    assert status(of_provider, of_claims(mock, iss=provider.url)) == 401


@pytest.mark.parametrize("claims, wanted", [
    ({}, 200), ({"aud": [AUDIENCE, "more"]}, 200), ({"role": "operator"}, 200), ({"nbf": None}, 200),
    ({"aud": "another"}, 401), ({"aud": None}, 401), ({"sub": None}, 401), ({"iss": "http://127.0.0.1:1"}, 401),
    ({"exp": 1}, 401), ({"exp": None}, 401), ({"exp": 4102444800}, 401), ({"iat": None}, 401),
    ({"iat": 4102444800}, 401), ({"nbf": 4102444800}, 401), ({"role": "root"}, 401)])
def test_tokens_of_any_claims(of_mock, mock, claims, wanted):
    assert status(of_mock, of_claims(mock, **claims)) == wanted


def test_a_rotation_while_requests_go_on(of_mock, mock):
    assert status(of_mock, of_claims(mock)) == 200
    mock.stop()
    mock.start()
    wait_until(lambda: status(of_mock, of_claims(mock)) == 200, 15, "the new key")
