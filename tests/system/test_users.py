"""Registration, login and tokens over the API; secrets that stand nowhere in clear."""
import base64
import concurrent.futures
import hashlib
import json
import os
import time
import uuid

import pytest

from conftest import SERVICES
from dev import admin, client, user_keys
from testkit.client import wait_until
from testkit.edges import Edge
from testkit.users import id_of, reset_token

PASSWORD = "canary-correct-horse-battery"
TOKENS = ["access_token", "token_type", "expires_in", "refresh_token"]
TABLES = ("users", "sessions", "refresh_tokens", "reset_tokens", "guards", "past_requests")


def address():
    return f"user-{uuid.uuid4()}@example.org"


def patient(ask, key=None):
    """The answer to a request, which is repeated while a slow machine has no time for its password."""
    headers, end = {"Idempotency-Key": key or str(uuid.uuid4())}, time.monotonic() + 30
    while (answer := ask(headers)).status_code == 503 and time.monotonic() < end:
        time.sleep(0.5)
    return answer


def register(api, email, password=PASSWORD, **more):
    return patient(lambda _: api.post("/api/auth/register", {"email": email, "password": password, **more}))


def login_once(api, email):
    return api.post("/api/auth/login", {"email": email, "password": PASSWORD})


def login(api, email, password=PASSWORD, key=None):
    body = {"email": email, "password": password}
    return patient(lambda headers: api.post("/api/auth/login", body, headers=headers), key)


def refresh_once(api, token, headers=None):
    return api.post("/api/auth/refresh", {"refresh_token": token}, headers=headers)


def refresh(api, token, key=None):
    return patient(lambda headers: refresh_once(api, token, headers), key)


def reset(api, token, password=PASSWORD):
    body = {"token": token, "password": password}
    return patient(lambda headers: api.post("/api/auth/reset", body, headers=headers))


@pytest.fixture
def user(api):
    """The address of a registered user."""
    email = address()
    answer = register(api, email)
    assert answer.status_code == 202, answer.text
    return email


def part(token, index):
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_register_and_log_in(api, stack):
    email = address()
    answer = register(api, f"  {email.replace('example', 'EXAMPLE')}", name="Ann")
    assert answer.status_code == 202 and answer.json() == {"status": "accepted"}
    answer = login(api, email)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == TOKENS
    claims = part(answer.json()["access_token"], 1)
    assert claims["sub"] == id_of(stack, email) and claims["role"] == "customer"
    assert claims["exp"] - claims["iat"] == answer.json()["expires_in"] == 900
    assert uuid.UUID(claims["jti"])


def test_A13_the_key_of_a_token_is_published(api, user):
    header = part(login(api, user).json()["access_token"], 0)
    keys = api.get("/.well-known/jwks.json")
    assert keys.status_code == 200
    assert header["alg"] == "ES256" and header["kid"] in {key["kid"] for key in keys.json()["keys"]}
    assert not any(member in key for key in keys.json()["keys"] for member in ("d", "n", "p"))
    found = api.get("/.well-known/openid-configuration").json()
    assert found["jwks_uri"] == found["issuer"] + "/.well-known/jwks.json"


def test_a_known_address_registers_with_the_same_answer(api, user):
    answer = register(api, user, "another-password")
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert login(api, user, "another-password").status_code == 401
    assert login(api, user).status_code == 200


@pytest.mark.parametrize("body", [
    {"email": "nobody", "password": PASSWORD}, {"email": address(), "password": "short"},
    {"email": address()}, {"email": address(), "password": PASSWORD, "role": "admin"},
    {"email": "a" * 250 + "@example.org", "password": PASSWORD}, {"email": address(), "password": "x" * 129}])
def test_wrong_registrations(api, body):
    answer = api.post("/api/auth/register", body)
    assert answer.status_code == 400 and answer.json()["errors"]
    assert PASSWORD not in answer.text


def test_a_wrong_password_and_an_unknown_address_look_alike(api, user):
    wrong, unknown = login(api, user, "wrong-password"), login(api, address(), "wrong-password")
    assert wrong.status_code == unknown.status_code == 401
    drop = ("trace_id", "instance")
    assert ({k: v for k, v in wrong.json().items() if k not in drop}
            == {k: v for k, v in unknown.json().items() if k not in drop})


def test_a_refresh_token_works_once(api, user):
    first = login(api, user).json()["refresh_token"]
    second = refresh(api, first).json()["refresh_token"]
    assert second != first
    time.sleep(1.2)  # ROTATION_GRACE_S
    assert refresh(api, first).status_code == 401
    assert refresh(api, second).status_code == 401  # the reuse has ended the session


def test_the_same_refresh_again_gets_a_token(api, user):
    first, key = login(api, user).json()["refresh_token"], str(uuid.uuid4())
    assert refresh(api, first, key).status_code == 200
    time.sleep(1.2)
    again = refresh(api, first, key)
    assert again.status_code == 200
    assert refresh(api, again.json()["refresh_token"]).status_code == 200


def test_logout_ends_the_session(api, user):
    token = login(api, user).json()["refresh_token"]
    for _ in range(2):
        assert api.post("/api/auth/logout", {"refresh_token": token}).status_code == 200
    assert refresh(api, token).status_code == 401


def test_failed_logins_lock_the_account(api, user):
    key = str(uuid.uuid4())
    for _ in range(3):
        assert login(api, user, "wrong-password", key).status_code == 401  # one request, counted once
    for _ in range(5):
        assert login(api, user, "wrong-password").status_code == 401
    locked = login(api, user)
    assert locked.status_code == 429 and int(locked.headers["Retry-After"]) >= 1
    wait_until(lambda: login(api, user).status_code == 200, 10, "the end of the lock")
    assert login(api, user, PASSWORD, key).status_code == 401  # that request stays refused


def test_an_unknown_address_is_locked_as_well(api):
    email = address()
    for _ in range(6):
        assert login(api, email).status_code == 401
    assert login(api, email).status_code == 429


def test_a_forgotten_password(api, stack, user):
    session = login(api, user).json()["refresh_token"]
    for email in (user, address()):
        answer = api.post("/api/auth/forgot", {"email": email})
        assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    token = reset_token(stack, user)
    assert reset(api, token, "canary-second-password").status_code == 200
    assert reset(api, token, "canary-third-password").status_code == 400
    assert login(api, user).status_code == 401
    assert login(api, user, "canary-second-password").status_code == 200
    assert refresh(api, session).status_code == 401


def test_the_first_administrator_sets_a_password_by_a_token(api, stack):
    email = address()
    token = admin.make(stack.database_url("users"), email.replace("example", "Example"))
    assert login(api, email, token).status_code == 401  # no default password
    assert reset(api, token).status_code == 200
    assert part(login(api, email).json()["access_token"], 1)["role"] == "admin"


def test_a_reset_token_expires(api, stack, user):
    assert api.post("/api/auth/forgot", {"email": user}).status_code == 202
    token = reset_token(stack, user)
    stack.sql("users", "UPDATE users.reset_tokens SET expires_at = now()")
    assert reset(api, token).status_code == 400


def test_more_passwords_than_can_be_hashed_get_503(api, stack):
    """Two threads and 32 places: the rest is told to come again, and none is lost in silence."""
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: login_once(api, address()), range(100)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {401, 503} and 503 in statuses
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
    wait_until(lambda: login(api, address()).status_code == 401, 20, "room for a password")


def test_L2_no_password_and_no_token_stands_in_clear(api, stack, user):
    tokens = login(api, user).json()
    again = refresh(api, tokens["refresh_token"]).json()
    api.post("/api/auth/forgot", {"email": user})
    secrets = [PASSWORD, "canary-", tokens["refresh_token"], again["refresh_token"], tokens["access_token"],
               reset_token(stack, user)]
    rows = json.dumps([stack.sql("users", f"SELECT t::text FROM users.{table} t") for table in TABLES]
                      + stack.sql("users", "SELECT t::text FROM bus.outbox t"))
    assert hashlib.sha256(tokens["refresh_token"].encode()).hexdigest() in rows
    assert not [secret for secret in secrets if secret in rows]
    personal = [*secrets, user]
    for name in SERVICES:
        with open(stack.log(name), encoding="utf-8", errors="replace") as file:
            text = file.read()
        assert not [secret for secret in personal if secret in text], name


def test_L2_no_password_stands_in_a_queue(api, stack, user):
    """While user-svc is away, requests lie in its queue."""
    token = login(api, user).json()["refresh_token"]
    stack.part("user-svc").stop()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(login_once, api, user), pool.submit(refresh_once, api, token)]
        found = []

        def take():
            found.extend(stack.broker.management.must(
                "POST", "queues", stack.broker.admin.path, "user-svc.request", "get",
                body={"count": 10, "ackmode": "ack_requeue_false", "encoding": "auto"}))
            return len(found) >= 2

        wait_until(take, 10, "both requests in the queue")
        assert [answer.result().status_code for answer in waiting] == [503, 503]
    text = json.dumps(found)
    assert user in text
    assert not [secret for secret in (PASSWORD, token, hashlib.sha256(token.encode()).hexdigest()) if secret in text]


def test_S1_the_keys_are_files_of_their_owner(stack):
    folder = os.path.join(stack.state.path, "user-keys")
    assert {os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in os.listdir(folder)} == {0o400}
    with open(stack.part("user-svc").env_file, encoding="ascii") as file:
        env = file.read()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="ascii") as file:
            assert file.read().split("\n")[0] not in env or name.endswith(".pem")


# An edge that takes these tokens

@pytest.fixture(scope="module", params=["own", "oidc"])
def edge(request, stack, api, tmp_path_factory):
    """By the bus, or by the documents that the stack's own edge shows."""
    made = Edge(stack, tmp_path_factory.mktemp(request.param), AUTH=request.param, OIDC_ISSUER=stack.url("edge"),
                OIDC_REFRESH_S="2", USER_SEAL_KEY=user_keys.seal_key(stack.state))
    wait_until(made.has_keys, 30, "the keys, and the broker")
    yield made
    made.stop()


def token_of(edge, email):
    body = {"email": email, "password": PASSWORD}
    answer = patient(lambda headers: edge.call("POST", "/api/auth/login", json=body, headers=headers))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def takes(edge, token):
    return edge.call("GET", "/api/orders", token).status_code == 200


def test_a_user_sees_the_own_orders_alone(edge, api, stack, user):
    token = token_of(edge, user)
    wait_until(lambda: takes(edge, token), 20, "the keys")
    placed = edge.place(token)
    assert placed.status_code in (201, 202), placed.text
    api.note_accepted(placed.json()["order_id"], placed.status_code)
    path = f"/api/orders/{placed.json()['order_id']}"
    wait_until(lambda: edge.call("GET", path, token).json().get("customer_id") == id_of(stack, user), 20, "the order")
    other = address()
    assert register(api, other).status_code == 202
    assert edge.call("GET", path, token_of(edge, other)).status_code == 404
    assert edge.call("GET", path).status_code == 401


def test_a_changed_token_is_refused(edge, user):
    token = token_of(edge, user)
    wait_until(lambda: takes(edge, token), 20, "the keys")
    head, claims, signature = token.split(".")
    raised = json.dumps(part(token, 1) | {"role": "admin"}).encode()
    forged = base64.urlsafe_b64encode(raised).decode().rstrip("=")
    for text in (f"{head}.{forged}.{signature}", f"{head}.{claims}.", token[:-2]):
        assert edge.call("GET", "/api/orders", text).status_code == 401


def test_an_administrator_may_set_stock_and_a_customer_may_not(edge, api, stack, user):
    email = address()
    token = admin.make(stack.database_url("users"), email)
    assert reset(api, token).status_code == 200
    wait_until(lambda: takes(edge, token_of(edge, user)), 20, "the keys")
    for one, status in ((user, 403), (email, 200)):
        body = {"idempotency_key": str(uuid.uuid4()), "product_id": "LOAD-1", "on_hand": 1000000}
        assert edge.call("POST", "/api/inventory/update", token_of(edge, one), json=body).status_code == status


def test_tokens_and_keys_are_there_while_user_svc_is_away(edge, api, stack, user):
    token = token_of(edge, user)
    wait_until(lambda: takes(edge, token), 20, "the keys")
    keys = api.get("/.well-known/jwks.json").json()
    stack.part("user-svc").stop()
    time.sleep(6)  # longer than an edge shows keys without asking
    assert takes(edge, token)
    again = api.get("/.well-known/jwks.json")
    assert (again.status_code, again.json()) == (200, keys)
    edge.stop()
    edge.start()
    wait_until(lambda: takes(edge, token), 20, "the keys that were stored")


# Users about themselves

def change_password(edge, token, current, new, key=None):
    body = {"current_password": current, "new_password": new}
    return patient(lambda headers: edge.call("PUT", "/api/auth/password", token, json=body, headers=headers), key)


def test_a_user_sees_and_changes_itself_and_nobody_else_but_administrators(edge, api, stack, user):
    token, path = token_of(edge, user), f"/api/users/{id_of(stack, user)}"
    wait_until(lambda: takes(edge, token), 20, "the keys")
    shown = edge.call("GET", path, token).json()
    assert (shown["email"], shown["name"], shown["role"]) == (user, None, "customer")
    named = edge.call("PUT", path, token, json={"name": "Ann"})
    assert named.status_code == 200 and named.json()["name"] == "Ann"
    other, chief = address(), address()
    assert register(api, other).status_code == 202
    assert reset(api, admin.make(stack.database_url("users"), chief)).status_code == 200
    for email, status in ((other, 404), (chief, 200)):
        asker = token_of(edge, email)
        assert edge.call("GET", path, asker).status_code == status
        assert edge.call("PUT", path, asker, json={"name": "Ann B."}).status_code == status
    assert edge.call("GET", path).status_code == 401
    assert edge.call("PUT", path, token, json={"role": "admin"}).status_code == 400


def test_a_password_is_changed_by_the_present_one(edge, api, user):
    answer = login(api, user).json()
    token = answer["access_token"]
    wait_until(lambda: takes(edge, token), 20, "the keys")
    assert change_password(edge, token, "canary-wrong", "canary-new-password").status_code == 403
    assert change_password(edge, token, PASSWORD, "short").status_code == 400
    key = str(uuid.uuid4())
    for _ in range(2):
        assert change_password(edge, token, PASSWORD, "canary-new-password", key).status_code == 200
    assert login(api, user).status_code == 401
    assert login(api, user, "canary-new-password").status_code == 200
    assert refresh(api, answer["refresh_token"]).status_code == 401


def test_an_erased_user_leaves_an_id_alone(edge, api, stack, user):
    token, user_id = token_of(edge, user), id_of(stack, user)
    wait_until(lambda: takes(edge, token), 20, "the keys")
    assert edge.call("PUT", f"/api/users/{user_id}", token, json={"name": "canary-name"}).status_code == 200
    for _ in range(2):
        erased = edge.call("DELETE", f"/api/users/{user_id}", token)
        assert (erased.status_code, erased.json()) == (200, {"status": "done"})
    shown = edge.call("GET", f"/api/users/{user_id}", token).json()
    assert (shown["email"], shown["name"]) == (None, None)
    assert login(api, user).status_code == 401
    rows = json.dumps([stack.sql("users", f"SELECT t::text FROM users.{table} t") for table in TABLES])
    assert user_id in rows and user not in rows and "canary-name" not in rows


def test_administrators_list_users_by_the_beginning_of_their_address(edge, api, stack, user):
    chief, wanted, unwanted = (f"{name}-{uuid.uuid4()}@example.org" for name in ("chief", "listed", "other"))
    assert reset(api, admin.make(stack.database_url("users"), chief)).status_code == 200
    prefix = wanted.split("@")[0]
    emails = sorted([f"{prefix}.{number}@example.org" for number in range(3)] + [wanted])
    for email in (*emails, unwanted):
        assert register(api, email).status_code == 202
    token = token_of(edge, chief)
    wait_until(lambda: takes(edge, token), 20, "the keys")
    assert edge.call("GET", "/api/users", token_of(edge, user)).status_code == 403
    assert edge.call("GET", "/api/users").status_code == 401
    found, cursor = [], ""
    while cursor is not None:
        page = edge.call("GET", f"/api/users?email={prefix}&limit=3{cursor and '&cursor=' + cursor}", token)
        assert page.status_code == 200, page.text
        assert len(page.json()["items"]) <= 3 and "hash" not in page.text
        found += [one["email"] for one in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert found == emails
    assert edge.call("DELETE", f"/api/users/{id_of(stack, wanted)}", token).status_code == 200
    assert wanted not in edge.call("GET", f"/api/users?email={prefix}", token).text
    assert edge.call("GET", "/api/users?cursor=6g", token).status_code == 400


def test_a_user_takes_its_data_along(edge, api, stack, user):
    token, user_id = token_of(edge, user), id_of(stack, user)
    wait_until(lambda: takes(edge, token), 20, "the keys")
    placed = edge.place(token)
    assert placed.status_code in (201, 202), placed.text
    order_id = placed.json()["order_id"]
    api.note_accepted(order_id, placed.status_code)
    path = f"/api/orders/{order_id}"
    wait_until(lambda: edge.call("GET", path, token).json()["status"] == "CONFIRMED", 20, "its end")
    export = edge.call("GET", f"/api/users/{user_id}/export", token)
    assert export.status_code == 200, export.text
    assert export.json()["user"]["email"] == user
    assert [order["order_id"] for order in export.json()["orders"]["items"]] == [order_id]
    for path in (f"/api/users/{user_id}/orders", f"/orders/user/{user_id}"):
        assert [order["order_id"] for order in edge.call("GET", path, token).json()["items"]] == [order_id]
    other = address()
    assert register(api, other).status_code == 202
    stranger = token_of(edge, other)
    for path in (f"/api/users/{user_id}/export", f"/api/users/{user_id}/orders", f"/api/orders/user/{user_id}"):
        assert edge.call("GET", path, stranger).status_code == 404
    late = edge.call("PUT", f"/api/orders/{order_id}/status", token, json={"status": "CANCELLED"})
    assert late.status_code == 409
    refused = edge.call("PUT", f"/api/orders/{order_id}/status", token, json={"status": "RESERVED"})
    assert refused.status_code == 409 and "CANCELLED" in refused.json()["detail"]


# Programs

def token_for(edge, client_id, secret, **more):
    return edge.call("POST", "/api/auth/token", auth=(client_id, secret), data={"grant_type": "client_credentials"},
                     **more)


def test_a_shop_s_backend_orders_for_its_customers(edge, api, stack):
    url = stack.database_url("users")
    shop, other = client.make(url, "shop", ["orders:on-behalf"]), client.make(url, "other")
    answer = token_for(edge, *shop)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in ("token_type", "scope")} == {
        "token_type": "Bearer", "scope": "orders:on-behalf"}
    token = answer.json()["access_token"]
    assert (part(token, 1)["sub"], part(token, 1)["role"]) == (shop[0], "customer")
    wait_until(lambda: takes(edge, token), 20, "the keys")
    placed = edge.place(token, customer_id="c-of-the-shop")
    assert placed.status_code in (201, 202), placed.text
    api.note_accepted(placed.json()["order_id"], placed.status_code)
    owner = f"SELECT customer_id FROM orders.orders WHERE order_id = '{placed.json()['order_id']}'"
    assert wait_until(lambda: stack.sql("orders", owner), 20, "the order") == [["c-of-the-shop"]]
    plain = token_for(edge, *other).json()
    assert plain["scope"] is None
    assert edge.place(plain["access_token"], customer_id="c-of-the-shop").status_code == 403


def test_a_program_without_its_secret_gets_no_token(edge, stack):
    url = stack.database_url("users")
    shop, other = client.make(url, "shop"), client.make(url, "other")
    form = {"grant_type": "client_credentials", "client_id": shop[0], "client_secret": shop[1]}
    assert edge.call("POST", "/api/auth/token", data=form).status_code == 200
    for client_id, secret in ((shop[0], other[1]), (str(uuid.uuid4()), shop[1]), ("shop", shop[1])):
        refused = token_for(edge, client_id, secret)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
    for wrong, error in ((form | {"grant_type": "password"}, "unsupported_grant_type"),
                         ({"client_id": shop[0]}, "invalid_request")):
        answer = edge.call("POST", "/api/auth/token", data=wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert client.revoke(url, shop[0]) == "shop"
    assert token_for(edge, *shop).status_code == 401
    rows = json.dumps(stack.sql("users", "SELECT t::text FROM users.clients t"))
    assert shop[0] in rows and shop[1] not in rows
