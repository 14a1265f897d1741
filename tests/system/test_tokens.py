"""Bearer tokens at an edge of its own: which are taken, whose orders each shows, and keys that come and go."""
import http.client
import json
import os
import re
import subprocess
import time
import uuid

import jwt
import pytest

from dev import build, ports, user_keys
from testkit.client import item, wait_until
from testkit.edges import Edge
from testkit.issuer import Issuer, base64url

REFRESH_S = 2
MEMBERS = ("trace_id", "instance")  # of a problem; they differ for each request


def of_issuer(stack, issuer, folder, **more):
    return Edge(stack, folder, AUTH="oidc", OIDC_ISSUER=issuer.url, OIDC_REFRESH_S=str(REFRESH_S),
                USER_SEAL_KEY=user_keys.seal_key(stack.state), **more)


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def edge(stack, api, issuer, tmp_path_factory):
    made = of_issuer(stack, issuer, tmp_path_factory.mktemp("tokens"))
    wait_until(made.has_keys, 30, "the keys, and the broker")
    yield made
    made.stop()


def challenge(answer):
    return answer.headers.get("WWW-Authenticate", "")


def order_of(edge, api, token, **members):
    answer = edge.place(token, **members)
    assert answer.status_code in (201, 202), answer.text
    api.note_accepted(answer.json()["order_id"], answer.status_code)
    return answer.json()["order_id"]


# Which tokens are taken

def test_A14_a_request_needs_one_bearer_token_in_its_header(edge, issuer):
    token = issuer.token("c-1")
    assert edge.call("GET", "/api/orders", token).status_code == 200
    none = edge.call("GET", "/api/orders")
    assert none.status_code == 401 and challenge(none) == "Bearer"
    assert edge.call("GET", "/api/orders?access_token=" + token).status_code == 401
    basic = edge.call("GET", "/api/orders", headers={"Authorization": "Basic eA=="})
    assert basic.status_code == 401 and 'error="invalid_token"' in challenge(basic)


def test_A14_two_headers_are_refused(edge, issuer):
    token = issuer.token("c-1")
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=10)
    connection.putrequest("GET", "/api/orders")
    for _ in range(2):
        connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_a_catalogue_needs_no_token(edge):
    assert edge.call("GET", "/api/products").status_code == 200
    assert edge.call("GET", "/health").status_code == 200


def forged(issuer, name):
    def claims(sub):
        return json.dumps(issuer.claims(sub)).encode()

    now = int(time.time())
    head, body, last = issuer.token("c-1").split(".")
    none = base64url(b'{"alg":"none","kid":"first"}')
    other = Issuer()
    other.stop()
    return {
        "A1 none": f"{none}.{body}.",
        "A1 none with a signature": f"{none}.{body}.{last}",
        "A1 HS256": jwt.encode(issuer.claims("c-1"), "secret", algorithm="HS256", headers={"kid": "first"}),
        "A4 path": issuer.token("c-1", headers={"kid": "../../dev/null"}),
        "A4 unknown": issuer.token("c-1", headers={"kid": "nobody"}),
        "A5 jwk": issuer.token("c-1", key=other.keys["first"], headers={"jku": other.url + "/keys"}),
        "A5 crit": issuer.token("c-1", headers={"crit": ["x"], "x": 1}),
        "A6 expired": issuer.token("c-1", iat=now - 600, exp=now - 61),
        "A6 no exp": issuer.token("c-1", exp=None),
        "A6 text": issuer.token("c-1", exp=float(now + 60)),
        "A7 future": issuer.token("c-1", iat=now + 120),
        "A7 nbf": issuer.token("c-1", nbf=now + 120),
        "A7 long": issuer.token("c-1", exp=now + 3700),
        "A8 issuer": issuer.token("c-1", iss=issuer.url + "/"),
        "A8 audience": issuer.token("c-1", aud=["orderbu", "orderbus2"]),
        "A9 refresh": issuer.token("c-1", headers={"typ": "rt+jwt"}),
        "A9 id token": issuer.token("c-1", nonce="n"),
        "A10 padding": f"{head}.{body}.{last}==",
        "A10 four parts": f"{head}.{body}.{last}.{last}",
        "A10 long": issuer.token("c-1", more="x" * 4000),
        "A11 twice": ".".join((head, base64url(claims("c-1")[:-1] + b',"sub":"c-2"}'), last)),
        "signature of another text": ".".join((head, base64url(claims("c-2")), last)),
        "a subject that is no id": issuer.token("c 1"),
    }[name]


NAMES = ("A1 none", "A1 none with a signature", "A1 HS256", "A4 path", "A4 unknown", "A5 jwk", "A5 crit", "A6 expired",
         "A6 no exp", "A6 text", "A7 future", "A7 nbf", "A7 long", "A8 issuer", "A8 audience", "A9 refresh",
         "A9 id token", "A10 padding", "A10 four parts", "A10 long", "A11 twice", "signature of another text",
         "a subject that is no id")


@pytest.mark.parametrize("name", NAMES)
def test_a_forged_token_is_refused(edge, issuer, name):
    answer = edge.call("GET", "/api/orders", forged(issuer, name))
    assert answer.status_code == 401, answer.text
    assert re.fullmatch(r'Bearer error="invalid_token", error_description="[^"]+"', challenge(answer))


# Whose orders a token shows

def operations(edge):
    """(method, path, body or None) of every operation of customers whose path names an order."""
    text = subprocess.run([edge.program, "--print-openapi"], capture_output=True, text=True, check=True).stdout
    return [(method.upper(), path, body_of(row)) for path, methods in json.loads(text)["paths"].items()
            for method, row in methods.items()
            if row.get("security") == [{"bearer": ["customer"]}] and path.startswith("/api/orders/{id}")]


def body_of(row):
    for content in row.get("requestBody", {}).get("content", {}).values():
        return content["example"]
    return None


def shown(answer):
    body = {name: value for name, value in answer.json().items() if name not in MEMBERS}
    return answer.status_code, body, answer.headers.get("Retry-After")


def test_Z1_another_customers_order_is_as_if_it_were_not_there(edge, api, issuer):
    first, second = issuer.token("c-1"), issuer.token("c-2")
    order_id = order_of(edge, api, first)
    found = operations(edge)
    assert len(found) >= 5
    for method, path, body in found:
        anothers = edge.call(method, path.replace("{id}", order_id), second, json=body)
        absent = edge.call(method, path.replace("{id}", str(uuid.uuid4())), second, json=body)
        assert shown(anothers) == shown(absent) and absent.status_code == 404, (method, path)
    assert edge.call("GET", f"/api/orders/{order_id}", first).json()["customer_id"] == "c-1"
    assert edge.call("POST", f"/api/orders/{order_id}/cancel", first, json={}).status_code in (200, 202, 409)


def test_Z1_a_list_has_the_callers_orders_alone(edge, api, issuer):
    name, other = f"c-{uuid.uuid4()}", f"c-{uuid.uuid4()}"
    mine, others = order_of(edge, api, issuer.token(name)), order_of(edge, api, issuer.token(other))

    def ids(token, query=""):
        answer = edge.call("GET", "/api/orders" + query, token)
        assert answer.status_code == 200
        return [order["order_id"] for order in answer.json()["items"]]

    wait_until(lambda: ids(issuer.token(name)) == [mine], 20, "the order in its list")
    assert ids(issuer.token(name), f"?customer_id={other}") == []
    assert ids(issuer.token(name), f"?customer_id={name}") == [mine]
    operator = issuer.token("o-1", role="operator")
    wait_until(lambda: ids(operator, f"?customer_id={other}") == [others], 20, "the order in the operator's list")
    assert {mine, others} <= set(ids(operator, "?limit=100"))


def test_Z6_a_key_counts_within_the_tokens_customer(edge, api, issuer):
    key = str(uuid.uuid4())
    first, second = order_of(edge, api, issuer.token("c-1"), key=key), order_of(edge, api, issuer.token("c-2"), key=key)
    assert first != second
    again = edge.place(issuer.token("c-1"), key=key)
    assert again.status_code == 200 and again.json()["order_id"] == first


def test_Z3_a_body_names_another_customer_with_a_scope_alone(edge, api, issuer):
    refused = edge.place(issuer.token("c-1"), customer_id="c-2")
    assert refused.status_code == 403 and 'scope="orders:on-behalf"' in challenge(refused)
    order_id = order_of(edge, api, issuer.token("shop", scope="orders:on-behalf"), customer_id="c-2")
    wait_until(lambda: edge.call("GET", f"/api/orders/{order_id}", issuer.token("c-2")).status_code == 200, 20, "it")
    assert edge.call("GET", f"/api/orders/{order_id}", issuer.token("shop")).status_code == 404


def test_Z4_stock_is_for_operators(edge, api, issuer):
    def update(token):
        return edge.call("POST", "/api/inventory/update", token,
                         json={"idempotency_key": str(uuid.uuid4()), "product_id": "LOAD-1", "on_hand": 1000000})

    refused = update(issuer.token("c-1"))
    assert refused.status_code == 403 and 'error="insufficient_scope"' in challenge(refused)
    assert update(None).status_code == 401
    assert update(issuer.token("o-1", role="operator")).status_code in (200, 202)
    order_id = order_of(edge, api, issuer.token("c-1"))
    for role in ("operator", "admin"):
        token = issuer.token("o-1", role=role)
        wait_until(lambda token=token: edge.call("GET", f"/api/orders/{order_id}", token).status_code == 200, 20, "it")


def test_Z4_stock_is_reserved_by_operators(edge, api, issuer):
    operator, customer = issuer.token("o-1", role="operator"), issuer.token("c-1")
    wait_until(lambda: edge.call("GET", "/api/orders", operator).status_code == 200, 20, "keys and broker")
    body = {"idempotency_key": str(uuid.uuid4()), "items": [item("LOAD-1")]}
    made = edge.call("POST", "/api/inventory/reserve", operator, json=body)
    assert made.status_code == 201
    path = made.headers["Location"]
    for method, route in (("POST", "/api/inventory/reserve"), ("GET", path), ("DELETE", path),
                          ("POST", f"{path}/confirm"), ("POST", f"{path}/release")):
        refused = edge.call(method, route, customer, json=body if route.endswith("reserve") else None)
        assert refused.status_code == 403 and 'error="insufficient_scope"' in challenge(refused), route
        assert edge.call(method, route, None).status_code == 401, route
    assert edge.call("DELETE", path, issuer.token("a-1", role="admin")).json()["status"] == "RELEASED"


def test_Z4_refunds_are_for_operators(edge, api, issuer):
    order_id = order_of(edge, api, issuer.token("c-1"))
    api.wait_final(order_id)

    def refund(token):
        return edge.call("POST", "/api/payments/refund", token,
                         json={"idempotency_key": f"refund-{order_id}", "order_id": order_id, "amount": 1})

    refused = refund(issuer.token("c-1"))
    assert refused.status_code == 403 and 'error="insufficient_scope"' in challenge(refused)
    assert refund(None).status_code == 401
    for path in (f"/api/payments/{order_id}", "/api/refunds"):
        assert edge.call("GET", path, issuer.token("c-1")).status_code == 403
    assert edge.call("GET", "/api/refunds", issuer.token("o-1", role="operator")).status_code == 200
    operator = issuer.token("o-1", role="operator")
    assert refund(operator).status_code == 202
    payment = f"/api/payments/{order_id}"
    wait_until(lambda: edge.call("GET", payment, operator).json()["refunded"] == 1, 20, "the refund")


def test_Z4_products_are_put_and_withdrawn_by_admins(edge, api, issuer):
    def write(method, token):
        body = {"name": "Token", "price": 5, "currency": "EUR"} if method == "PUT" else None
        return edge.call(method, "/api/products/TOKEN-1", token, json=body)

    admin = issuer.token("a-1", role="admin")
    wait_until(lambda: edge.call("GET", "/api/orders", admin).status_code == 200, 20, "keys and broker")
    for method, status in (("PUT", 201), ("DELETE", 200)):
        assert write(method, None).status_code == 401
        for token in (issuer.token("c-1"), issuer.token("o-1", role="operator")):
            refused = write(method, token)
            assert refused.status_code == 403 and 'error="insufficient_scope"' in challenge(refused)
        assert write(method, admin).status_code == status
    assert api.product("TOKEN-1")["withdrawn"] is True


def test_R1_a_customer_over_its_rate_waits_and_others_do_not(stack, api, issuer, tmp_path):
    edge = of_issuer(stack, issuer, tmp_path, RATE_LIMIT="1", RATE_LIMIT_BURST="3")
    operator = issuer.token("o-1", role="operator")
    try:
        wait_until(lambda: edge.call("GET", "/api/orders", operator).status_code == 200, 20, "keys and broker")
        began = time.monotonic()
        answers = [edge.call("GET", "/api/orders", issuer.token("c-1", jti=str(n))) for n in range(12)]
        allowed = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(allowed) + len(refused) == len(answers) and refused
        assert 3 <= len(allowed) <= 4 + time.monotonic() - began
        assert allowed[0].headers["RateLimit-Policy"] == '"customer";q=3;w=3'
        assert re.fullmatch(r'"customer";r=0;t=[123]', refused[0].headers["RateLimit"])
        assert refused[0].headers["Retry-After"] == "1"
        spoofed = [edge.call("GET", "/api/orders", issuer.token("c-1"), headers={"X-Forwarded-For": f"192.0.2.{n}"})
                   for n in range(6)]
        assert 429 in {answer.status_code for answer in spoofed}
        assert edge.call("GET", "/api/orders", issuer.token("c-2")).status_code == 200
        many = [edge.call("GET", "/api/orders", operator) for _ in range(8)]
        assert {answer.status_code for answer in many} == {200} and "RateLimit" not in many[0].headers
    finally:
        edge.stop()


def test_R1_an_address_has_a_rate_without_a_token_and_a_proxy_names_it(stack, api, issuer, tmp_path):
    edge = of_issuer(stack, issuer, tmp_path, ADDRESS_RATE_LIMIT="1", ADDRESS_RATE_LIMIT_BURST="3",
                     TRUSTED_PROXIES="127.0.0.0/8")
    customer = issuer.token("c-1")

    def ask(client, path="/api/products", token=None):
        return edge.call("GET", path, token, headers={"X-Forwarded-For": client})

    try:
        wait_until(lambda: edge.call("GET", "/api/orders", customer).status_code == 200, 20, "keys and broker")
        answers = [ask("203.0.113.7") for _ in range(8)]
        assert [answer.status_code for answer in answers[:3]] == [200] * 3
        assert answers[0].headers["RateLimit-Policy"] == '"address";q=3;w=3'
        assert answers[-1].status_code == 429 and answers[-1].headers["Retry-After"] == "1"
        assert ask("203.0.113.7", "/api/orders", "no.token.here").status_code == 429
        spoofed = [ask(f"198.51.100.{n}, 203.0.113.7").status_code for n in range(4)]
        assert 429 in spoofed and set(spoofed) <= {200, 429}
        assert ask("203.0.113.8").status_code == 200
        assert [ask(f"2001:db8::{n}").status_code for n in range(6)].count(429) >= 1
        assert {ask("203.0.113.7", "/api/orders", customer).status_code for _ in range(8)} == {200}
        assert {ask("203.0.113.7", "/health/live").status_code for _ in range(8)} == {200}
    finally:
        edge.stop()


# Keys come and go

def test_A13_a_withdrawn_key_is_refused_and_a_new_one_taken(edge, issuer):
    old = issuer.token("c-1")
    assert edge.call("GET", "/api/orders", old).status_code == 200
    issuer.add("second")
    assert edge.call("GET", "/api/orders", old).status_code == 200
    wait_until(lambda: edge.call("GET", "/api/orders", issuer.token("c-1")).status_code == 200, 10, "the new key")
    del issuer.keys["first"]
    wait_until(lambda: edge.call("GET", "/api/orders", old).status_code == 401, REFRESH_S + 10, "the old key's end")
    assert edge.call("GET", "/api/orders", issuer.token("c-1")).status_code == 200


def test_unknown_keys_do_not_become_a_stream_of_calls(edge, issuer):
    before = issuer.readings
    began = time.monotonic()
    for _ in range(50):
        assert edge.call("GET", "/api/orders", issuer.token("c-1", headers={"kid": "nobody"})).status_code == 401
    assert issuer.readings - before <= (time.monotonic() - began) / REFRESH_S + 3


def test_a_restarted_edge_checks_tokens_while_the_issuer_is_away(edge, issuer):
    assert edge.call("GET", "/api/orders", issuer.token("c-1")).status_code == 200
    issuer.stop()
    try:
        edge.stop()
        edge.start()
        wait_until(edge.has_keys, 30, "the keys of before, and the broker")
        assert edge.call("GET", "/api/orders", issuer.token("c-1")).status_code == 200
        assert edge.call("GET", "/api/orders", issuer.token("c-1", headers={"kid": "nobody"})).status_code == 401
        assert os.stat(edge.variables["OIDC_KEYS_FILE"]).st_mode & 0o777 == 0o600
        edge.stop()
        os.rename(edge.variables["OIDC_KEYS_FILE"], edge.variables["OIDC_KEYS_FILE"] + ".away")
        edge.start()
        answer = edge.call("GET", "/api/orders", issuer.token("c-1"))
        assert answer.status_code == 503 and answer.headers["Retry-After"]
    finally:
        issuer.start()
    wait_until(lambda: edge.call("GET", "/api/orders", issuer.token("c-1")).status_code == 200, 20, "the issuer")


def test_Z8_an_administrator_of_another_issuer_is_none_here(edge, issuer):
    user_id, admin = uuid.uuid4(), issuer.token("chief", role="admin")
    for method, path in (("GET", "/api/users"), ("GET", f"/api/users/{user_id}"), ("DELETE", f"/api/users/{user_id}"),
                         ("GET", f"/api/users/{user_id}/export")):
        assert edge.call(method, path, admin).status_code == 403
    assert edge.call("GET", f"/api/users/{user_id}", issuer.token(str(user_id))).status_code == 403


@pytest.mark.parametrize("variables, message", [
    ({"AUTH": "off", "BIND": "0.0.0.0"}, "AUTH=off with BIND=0.0.0.0"),
    ({"OIDC_ISSUER": "http://issuer.example"}, "OIDC_ISSUER=http://issuer.example"),
    ({"OIDC_ISSUER": ""}, "OIDC_ISSUER="),
    ({"OIDC_ALGORITHMS": "ES256,HS256"}, "OIDC_ALGORITHMS=ES256,HS256"),
])
def test_A3_an_edge_that_could_not_tell_its_callers_does_not_start(edge, variables, message):
    port = ports.pick_one()
    admin = ports.pick_one((port,))
    done = subprocess.run([*build.launcher(edge.program), edge.program], capture_output=True, text=True, check=False,
                          env=os.environ | edge.variables | {"PORT": str(port), "ADMIN_PORT": str(admin)} | variables,
                          timeout=60)
    assert done.returncode == 1 and message in done.stderr
