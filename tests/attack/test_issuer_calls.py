"""Calls of the edge to an issuer that turns on it: the edge goes nowhere else, and takes no key from there."""
import json
import os
import socket
import subprocess
import threading
import time

import pytest

from dev import build, ports
from testkit.edges import Edge
from testkit.issuer import Issuer, jwk_of


class Canary:
    """Counts who connects."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                self._listener.accept()[0].close()
            except OSError:
                return
            self.calls += 1

    def close(self):
        self._listener.close()


class Hostile(Issuer):
    """An issuer whose response to a path a function of the request makes: → (status, headers, body)."""

    def __init__(self, responses):
        self._responses = responses
        super().__init__()

    def respond(self, request):
        if request.path not in self._responses:
            super().respond(request)
            return
        status, headers, body = self._responses[request.path](self)
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


DISCOVERY = "/.well-known/openid-configuration"


def redirect(where):
    return lambda _: (302, {"Location": where}, b"")


def says(**members):
    def document(issuer):
        found = {"issuer": issuer.url, "jwks_uri": issuer.url + "/keys"} | members
        return 200, {}, json.dumps(found).encode()
    return document


def key_set(change):
    return lambda issuer: (200, {}, json.dumps(change({"keys": [jwk_of("first", issuer.keys["first"])]})).encode())


# {canary}: the address of a listener that nobody may call.
CASES = {
    "a redirect of the discovery": (DISCOVERY, lambda at: redirect(f"http://{at}/")),
    "a redirect of the discovery by its name": (
        DISCOVERY, lambda at: redirect(f"http://localhost:{at.split(':')[1]}/")),
    "a redirect of the keys": ("/keys", lambda at: redirect(f"http://{at}/keys")),
    "a redirect to a file": ("/keys", lambda _: redirect("file:///etc/passwd")),
    "a permanent redirect": ("/keys", lambda at: lambda _: (308, {"Location": f"http://{at}/"}, b"")),
    "a refresh": ("/keys", lambda at: lambda _: (200, {"Refresh": f"0; url=http://{at}/"}, b"{}")),
    "keys at the metadata of a cloud": (DISCOVERY, lambda _: says(jwks_uri="http://169.254.169.254/latest/meta-data/")),
    "keys in a private network": (DISCOVERY, lambda _: says(jwks_uri="http://10.0.0.1/keys")),
    "keys of a file": (DISCOVERY, lambda _: says(jwks_uri="file:///etc/passwd")),
    "keys by gopher": (DISCOVERY, lambda at: says(jwks_uri=f"gopher://{at}/_x")),
    "keys by ftp": (DISCOVERY, lambda at: says(jwks_uri=f"ftp://{at}/keys")),
    "keys behind a user": (DISCOVERY, lambda at: says(jwks_uri=f"http://127.0.0.1@{at}/keys")),
    "keys behind a backslash": (DISCOVERY, lambda at: says(jwks_uri=f"http://127.0.0.1\\@{at}/keys")),
    "keys at a longer name": (DISCOVERY, lambda _: says(jwks_uri="http://127.0.0.1.evil.example/keys")),
    "keys with a line feed": (DISCOVERY, lambda at: says(jwks_uri=f"http://127.0.0.1/\r\nHost: {at}")),
    "keys nowhere": (DISCOVERY, lambda _: says(jwks_uri="")),
    "keys twice": (DISCOVERY, lambda _: says(jwks_uri=["http://127.0.0.1/keys"])),
    "another issuer": (DISCOVERY, lambda _: says(issuer="https://issuer.example")),
    "no issuer": (DISCOVERY, lambda _: says(issuer=None)),
    "a page": (DISCOVERY, lambda _: lambda _: (200, {}, b"<html>")),
    "a document of a megabyte": (DISCOVERY, lambda _: says(more="x" * 1000000)),
    "a deep document": (DISCOVERY, lambda _: lambda _: (200, {}, b"[" * 60000)),
    "keys that are a secret": ("/keys", lambda _: key_set(lambda found: {"keys": [
        {"kty": "oct", "kid": "first", "alg": "HS256", "k": "c2VjcmV0"}]})),
    "keys without a kid": ("/keys", lambda _: key_set(lambda found: {"keys": [
        {name: value for name, value in found["keys"][0].items() if name != "kid"}]})),
    "keys for encryption": ("/keys", lambda _: key_set(lambda found: {"keys": [found["keys"][0] | {"use": "enc"}]})),
    "a point that is not on the curve": ("/keys", lambda _: key_set(lambda found: {"keys": [
        found["keys"][0] | {"x": "A" * 43}]})),
    "no keys": ("/keys", lambda _: key_set(lambda found: {"keys": []})),
    "an error": ("/keys", lambda _: lambda _: (500, {}, b"")),
}


@pytest.mark.parametrize("name", CASES)
def test_P2_a_hostile_issuer_leads_nowhere(stack, tmp_path, name):
    path, make = CASES[name]
    canary = Canary()
    issuer = Hostile({path: make(f"127.0.0.1:{canary.port}")})
    edge = Edge(stack, str(tmp_path), AUTH="oidc", OIDC_ISSUER=issuer.url, OIDC_REFRESH_S="1")
    try:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            answer = edge.call("GET", "/api/orders", issuer.token("victim"))
            assert answer.status_code in (401, 503), answer.text
            time.sleep(0.5)
        assert canary.calls == 0
        assert not edge.has_keys()
        with open(edge.log, encoding="utf-8") as file:
            assert "root:" not in file.read()
    finally:
        edge.stop()
        issuer.stop()
        canary.close()


ADDRESSES = ["http://issuer.example", "http://10.0.0.1", "http://169.254.169.254/", "ftp://127.0.0.1/",
             "file:///etc/passwd",
             "http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example", "http://localhost.evil.example/",
             "http://[::1].evil.example/", "https://", "https:///x", "//127.0.0.1", "127.0.0.1", "http://0.0.0.0/",
             "http://127.1/", "http://2130706433/", "HTTP://127.0.0.1/", "http://127.0.0.1#@evil.example",
             "https://issuer.example\\@evil.example", "https://user@issuer.example"]


@pytest.mark.parametrize("url", ADDRESSES)
def test_A3_an_issuer_that_could_be_forged_is_refused_at_the_start(edge, url):
    port = ports.pick_one()
    variables = {"PORT": str(port), "ADMIN_PORT": str(ports.pick_one((port,))), "OIDC_ISSUER": url}
    done = subprocess.run([*build.launcher(edge.program), edge.program], capture_output=True, text=True, check=False,
                          env=os.environ | edge.variables | variables, timeout=60)
    assert done.returncode == 1 and "OIDC_ISSUER" in done.stderr
