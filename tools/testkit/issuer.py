"""An issuer of tokens on loopback: OpenID Connect Discovery, a key set, and tokens of any claims."""
import base64
import http.server
import json
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "orderbus"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk_of(kid, private):
    numbers = private.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid,
            "x": base64url(numbers.x.to_bytes(32, "big")), "y": base64url(numbers.y.to_bytes(32, "big"))}


class Issuer:
    """keys: {kid: private key}, what its key set has now. readings: how often the set was read."""

    def __init__(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                issuer.respond(self)

            def log_message(self, *words):
                pass

        self.keys, self.readings = {}, 0
        self.add("first")
        self._handler, self._port = Handler, 0
        self.start()

    def start(self):
        """Listens again on the same port after stop."""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), self._handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def add(self, kid):
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def respond(self, request):
        documents = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": self.url + "/keys", "more": [1.5]},
            "/keys": {"keys": [jwk_of(kid, key) for kid, key in list(self.keys.items())]},
        }
        found = documents.get(request.path)
        self.readings += request.path == "/keys"
        body = json.dumps(found).encode()
        request.send_response(200 if found else 404)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def claims(self, sub, **more):
        now = int(time.time())
        found = {"iss": self.url, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 600} | more
        return {name: value for name, value in found.items() if value is not None}

    def token(self, sub, kid=None, key=None, headers=None, **more):
        """A valid token unless the claims in `more` say otherwise; None takes a claim away."""
        kid = kid or list(self.keys)[-1]
        return jwt.encode(self.claims(sub, **more), key or self.keys[kid], algorithm="ES256",
                          headers={"kid": kid, "typ": "at+jwt"} | (headers or {}))
