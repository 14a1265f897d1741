"""Tokens that no issuer made, or made for something else: each is refused, and shows nobody's orders."""
import base64
import hashlib
import hmac
import json
import re
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils, padding

from testkit.issuer import base64url, jwk_of

KID = "first"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HEAD = {"alg": "ES256", "kid": KID, "typ": "at+jwt"}


def encode(value):
    return base64url(value if isinstance(value, bytes) else json.dumps(value).encode())


def raw_signature(key, text, digest=None):
    r, s = utils.decode_dss_signature(key.sign(text, ec.ECDSA(digest or hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signed(issuer, head, claims, key=None):
    """With the issuer's own key: only what is said is wrong."""
    text = f"{encode(head)}.{encode(claims)}"
    return f"{text}.{base64url(raw_signature(key or issuer.keys[KID], text.encode()))}"


def with_head(**more):
    """A token whose header has these members; None takes one away."""
    def make(issuer):
        head = {name: value for name, value in (HEAD | more).items() if value is not None}
        return signed(issuer, head, issuer.claims("victim"))
    return make


def with_claims(**more):
    def make(issuer):
        now = int(time.time())
        changed_claims = {name: value(now, issuer) if callable(value) else value for name, value in more.items()}
        found = issuer.claims("victim") | changed_claims
        return signed(issuer, HEAD, {name: value for name, value in found.items() if value is not None})
    return make


def with_text(claims=None, head=None):
    """Claims or a header as bytes that no JSON library would write: functions of the well-formed text."""
    def make(issuer):
        body, top = json.dumps(issuer.claims("victim")).encode(), json.dumps(HEAD).encode()
        return signed(issuer, head(top) if head else top, claims(body) if claims else body)
    return make


def hmac_of(alg, secret):
    """Key confusion: a MAC whose secret is what everybody knows."""
    def make(issuer):
        public = issuer.keys[KID].public_key()
        text = f"{encode(HEAD | {'alg': alg})}.{encode(issuer.claims('victim'))}"
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
        return f"{text}.{base64url(hmac.new(secret(issuer, public), text.encode(), digest).digest())}"
    return make


def pem(_, public):
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def der(_, public):
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk_text(issuer, _):
    return json.dumps(jwk_of(KID, issuer.keys[KID])).encode()


def unsigned(alg, last=""):
    return lambda issuer: f"{encode(HEAD | {'alg': alg})}.{encode(issuer.claims('victim'))}.{last}"


def own_key(**head):
    """A key of the attacker's, which the token brings along or points to."""
    def make(issuer):
        key = ec.generate_private_key(ec.SECP256R1())
        found = {name: value(key) if callable(value) else value for name, value in head.items()}
        return signed(issuer, HEAD | found, issuer.claims("victim"), key)
    return make


def rsa_signed(alg):
    def make(issuer):
        key = rsa.generate_private_key(65537, 2048)
        text = f"{encode(HEAD | {'alg': alg})}.{encode(issuer.claims('victim'))}"
        pad = padding.PKCS1v15() if alg == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return f"{text}.{base64url(key.sign(text.encode(), pad, hashes.SHA256()))}"
    return make


def changed(change):
    """A good token, changed as text."""
    return lambda issuer: change(issuer.token("victim", kid=KID))


def signature(make):
    """A good header and claims with another signature: a function of the right one's bytes."""
    def replaced(token):
        text, _, last = token.rpartition(".")
        return f"{text}.{base64url(make(base64.urlsafe_b64decode(last + '==')))}"
    return changed(replaced)


def to_der(raw):
    return utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def other_last_digit(token):
    """The last digit of the signature's base64url carries unused bits: another digit decodes to the same bytes."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + digits[digits.index(token[-1]) ^ 1]


FORGED = {
    # No signature, or one that everybody can make
    **{f"alg {alg!r}": unsigned(alg) for alg in ("none", "None", "NONE", "nOnE", "", " none")},
    "alg none with a signature": unsigned("none", "AAAA"),
    **{f"{alg} with the public key as {secret.__name__}": hmac_of(alg, secret)
       for alg in ("HS256", "HS384", "HS512") for secret in (pem, der, jwk_text)},
    "HS256 with an empty secret": hmac_of("HS256", lambda *_: b""),
    **{f"alg {alg!r} over a right signature": with_head(alg=alg)
       for alg in ("ES384", "ES512", "ES256K", "RS256", "PS256", "EdDSA", "es256", "ES256 ", None, 1, True,
                   ["ES256"], {})},
    "RS256 with a key of one's own": rsa_signed("RS256"),
    "PS256 with a key of one's own": rsa_signed("PS256"),
    "a signature of zeros": signature(lambda raw: bytes(64)),
    "r and s are the order": signature(lambda raw: P256_ORDER.to_bytes(32, "big") * 2),
    "s is zero": signature(lambda raw: raw[:32] + bytes(32)),
    "r is zero": signature(lambda raw: bytes(32) + raw[32:]),
    "a signature in DER": signature(to_der),
    "an empty signature": signature(lambda raw: b""),
    "a short signature": signature(lambda raw: raw[:63]),
    "a long signature": signature(lambda raw: raw + b"\0"),
    "a changed bit": signature(lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])),
    "r and s changed places": signature(lambda raw: raw[32:] + raw[:32]),
    # Keys that the token names or brings
    **{f"kid {kid!r}"[:60]: with_head(kid=kid) for kid in (
        "../../dev/null", "/etc/passwd", "first' OR '1'='1", "first; DROP TABLE keys", "first\0", "", "x" * 65,
        "k" * 3000, "FIRST", "first ", " first", "f\u0456rst", "*", "%66irst", None, 0, True, ["first"],
        {"kid": "first"})},
    "jwk": own_key(jwk=lambda key: jwk_of(KID, key)),
    "jku": own_key(jku="http://127.0.0.1:1/keys"),
    "x5u": own_key(x5u="http://127.0.0.1:1/cert"),
    "x5c": own_key(x5c=["MIIB"]),
    "a key of one's own": own_key(),
    **{f"crit {crit!r}": with_head(crit=crit, b64=False) for crit in (["b64"], [], ["exp"], "b64")},
    **{f"typ {typ!r}": with_head(typ=typ) for typ in ("rt+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt")},
    # Times
    **{f"exp {name}": with_claims(exp=value) for name, value in {
        "past": lambda now, _: now - 120, "missing": None, "text": lambda now, _: str(now + 60),
        "fraction": lambda now, _: now + 60.5, "zero": 0, "negative": -1, "in a day": lambda now, _: now + 86400,
        "beyond 64 bits": 2 ** 64, "true": True, "list": lambda now, _: [now + 60]}.items()},
    "exp 1e400": with_text(claims=lambda body: re.sub(rb'"exp": \d+', b'"exp": 1e400', body)),
    "exp with an exponent": with_text(claims=lambda body: re.sub(rb'"exp": (\d+)', rb'"exp": \1e0', body)),
    **{f"iat {name}": with_claims(iat=value) for name, value in {
        "missing": None, "future": lambda now, _: now + 300, "text": lambda now, _: str(now), "negative": -5}.items()},
    **{f"nbf {name}": with_claims(nbf=value) for name, value in {
        "future": lambda now, _: now + 300, "text": lambda now, _: str(now), "fraction": 1.5}.items()},
    # Who it is from, for and about
    **{f"iss {name}": with_claims(iss=value) for name, value in {
        "with a slash": lambda _, issuer: issuer.url + "/", "missing": None, "list": lambda _, issuer: [issuer.url],
        "upper case": lambda _, issuer: issuer.url.upper(), "other": "http://127.0.0.1:1", "empty": "",
        "prefix": lambda _, issuer: issuer.url[:-1],
        "user": lambda _, issuer: issuer.url.replace("//", "//a@")}.items()},
    **{f"aud {aud!r}": with_claims(aud=aud) for aud in (
        None, "", "order", "orderbus2", "ORDERBUS", "orderbus ", [], ["orderbus2"], ["orderbus", 1], [["orderbus"]], 5,
        {})},
    **{f"sub {sub!r}"[:40]: with_claims(sub=sub) for sub in (
        None, "", " ", 7, True, ["victim"], {"id": "victim"}, "v" * 65, "vic tim", "victim\n", "victim\0",
        "v\u00efctim")},
    **{f"role {role!r}": with_claims(role=role) for role in ("root", "Admin", "", "admin ", ["admin"], 2, True, {})},
    **{name: with_claims(**{name: value}) for name, value in {
        "nonce": "n", "at_hash": "h", "token_use": "id", "typ": "ID",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}.items()},
    # How it is written
    "claims twice": with_text(claims=lambda body: body[:-1] + b',"sub":"other"}'),
    "claims twice by an escape": with_text(claims=lambda body: body[:-1] + rb',"\u0073ub":"other"}'),
    "alg twice": with_text(head=lambda head: head[:-1] + b',"alg":"none"}'),
    "kid twice": with_text(head=lambda head: head[:-1] + b',"kid":"second"}'),
    "claims that are a list": with_text(claims=lambda body: b"[" + body + b"]"),
    "claims that are no JSON": with_text(claims=lambda body: body[:-1]),
    "claims with a tail": with_text(claims=lambda body: body + b"{}"),
    "claims behind a mark": with_text(claims=lambda body: b"\xef\xbb\xbf" + body),
    "claims that are no UTF-8": with_text(claims=lambda body: body[:-1] + b',"x":"\xff"}'),
    "claims with NUL": with_text(claims=lambda body: body + b"\0"),
    "claims that are deep": with_text(claims=lambda body: body[:-1] + b',"x":' + b"[" * 200 + b"]" * 200 + b"}"),
    "a header that is a list": with_text(head=lambda head: b"[" + head + b"]"),
    "a header that is deep": with_text(head=lambda head: head[:-1] + b',"x":' + b"[" * 200 + b"]" * 200 + b"}"),
    "over 4 KiB": with_claims(more="x" * 4096),
    "padding": changed(lambda token: token + "="),
    "two parts": changed(lambda token: token.rpartition(".")[0]),
    "four parts": changed(lambda token: token + ".AAAA"),
    "five parts": changed(lambda token: token + ".AAAA.AAAA"),
    "an empty header": changed(lambda token: token[token.index("."):]),
    "empty claims": changed(lambda token: re.sub(r"\..*\.", "..", token)),
    "dots": lambda issuer: "..",
    "another last digit": changed(other_last_digit),
    "the other alphabet": changed(lambda token: token[:-4] + "+/+/"),
    "a quotation mark": changed(lambda token: f'"{token}"'),
    "a comma and another": changed(lambda token: f"{token},{token}"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(edge, issuer, name):
    answer = edge.call("GET", "/api/orders", FORGED[name](issuer))
    assert answer.status_code == 401, answer.text
    assert re.fullmatch(r'Bearer error="invalid_token", error_description="[^"]+"', answer.headers["WWW-Authenticate"])
    assert "items" not in answer.json()


def test_the_token_that_they_are_made_of_is_taken(edge, issuer):
    """Else the cases above would show nothing."""
    assert edge.call("GET", "/api/orders", with_head()(issuer)).status_code == 200
    assert edge.call("GET", "/api/orders", with_claims()(issuer)).status_code == 200
    assert edge.call("GET", "/api/orders", with_text(claims=lambda body: body)(issuer)).status_code == 200
    assert edge.call("GET", "/api/orders", changed(lambda token: token)(issuer)).status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic {}", "Token {}", "{}", "Bearer {} {}",
                                    "Bearer {},Bearer {}", "Bearer\t{}", "Bearer  {}x", "bearer:{}", "Bearer={}",
                                    "DPoP {}"])
def test_a_token_stands_alone_behind_its_scheme(edge, issuer, header):
    answer = edge.call("GET", "/api/orders", headers={"Authorization": header.replace("{}", issuer.token("victim"))})
    assert answer.status_code in (400, 401), answer.text


@pytest.mark.parametrize("place", ["query", "cookie", "body", "header"])
def test_a_token_elsewhere_is_not_read(edge, issuer, place):
    token = issuer.token("victim")
    path = "/api/orders?access_token=" + token if place == "query" else "/api/orders"
    headers = {"cookie": {"Cookie": f"access_token={token}; Authorization={token}"},
               "header": {"X-Access-Token": token, "X-Authorization": f"Bearer {token}"}}.get(place, {})
    body = {"access_token": token} if place == "body" else None
    answer = edge.call("POST" if body else "GET", path, headers=headers, json=body)
    assert answer.status_code == 401
