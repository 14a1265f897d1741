"""Two customers and every route: what belongs to the other looks as if it were not there, and takes as long. The matrix
is made of the API's own document."""
import statistics
import time
import uuid

import pytest

from operations import ROLES, all_operations, name_of, sample
from testkit.client import wait_until
from testkit.users import id_of

CALLS = 200
PUBLIC_IDS = ("product",)  # parameters that name what everybody may see
OF_A_REQUEST = ("trace_id", "instance")
LIKE_NONE = (403, 404)  # 403: a user of another issuer has no user of ours, whatever its id


def parameters(operation):
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


NAMING = [one for one in all_operations() if one.role == "customer" and parameters(one)]


@pytest.fixture(scope="module")
def victims(stack, edge, place):
    """Ids that belong to somebody else, by the names of path parameters. A new parameter needs a line here."""
    email = f"victim-{uuid.uuid4()}@example.org"
    body = {"email": email, "password": "correct horse battery"}

    def registered():
        return edge.call("POST", "/api/auth/register", json=body).status_code == 202

    wait_until(registered, 60, "a registration")
    wait_until(lambda: stack.sql("users", f"SELECT 1 FROM users.users WHERE email = '{email}'"), 30, "the user")
    return {"id": place("victim"), "user": id_of(stack, email)}


def ask(edge, token, operation, ids):
    path = operation.path
    for name in parameters(operation):
        path = path.replace("{" + name + "}", ids[name])
    body = {"json": sample(operation.schema)} if operation.schema else {}
    return edge.call(operation.method, path, token, **body)


def shown(answer):
    body = {name: value for name, value in answer.json().items() if name not in OF_A_REQUEST}
    headers = {name: value for name, value in answer.headers.items()
               if name.lower() not in ("traceparent", "x-request-id", "date", "content-length")}
    return answer.status_code, body, headers


def absent(victims):
    return {name: str(uuid.uuid4()) for name in victims}


def test_the_matrix_has_the_routes():
    assert len(NAMING) >= 6
    assert {name for one in NAMING for name in parameters(one)} - set(PUBLIC_IDS) == {"id", "user"}


@pytest.mark.parametrize("operation", NAMING, ids=name_of)
def test_Z1_anothers_looks_like_none(edge, issuer, victims, operation):
    token = issuer.token("stranger")
    answer = ask(edge, token, operation, victims)
    assert answer.status_code in LIKE_NONE, answer.text
    assert shown(answer) == shown(ask(edge, token, operation, absent(victims)))


@pytest.mark.parametrize("operation", NAMING, ids=name_of)
def test_Z1_anothers_takes_as_long_as_none(edge, issuer, victims, operation):
    token, times = issuer.token("stranger"), ([], [])
    for number in range(2 * CALLS):
        ids = absent(victims) if number % 2 else victims
        begin = time.perf_counter()
        assert ask(edge, token, operation, ids).status_code in LIKE_NONE
        times[number % 2].append(time.perf_counter() - begin)
    theirs, none = map(statistics.median, times)
    assert abs(theirs - none) < max(0.001, 0.1 * none), f"{theirs * 1000:.2f} ms, and {none * 1000:.2f} ms for none"


@pytest.mark.parametrize("operation", [one for one in all_operations() if one.role], ids=name_of)
def test_Z4_a_role_that_is_less_is_refused(edge, issuer, operation):
    ids = {name: "A" if name in PUBLIC_IDS else str(uuid.uuid4()) for name in parameters(operation)}
    assert ask(edge, None, operation, ids).status_code == 401
    for role in ROLES[:ROLES.index(operation.role)]:
        answer = ask(edge, issuer.token("someone", role=role), operation, ids)
        assert answer.status_code == 403 and 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("query", ["customer_id=victim", "customer_id=victim&limit=100", "customer_id=VICTIM",
                                   "customer_id=victim%00", "customer_id=%25",
                                   "customer_id=victim&customer_id=stranger",
                                   "customer=victim", "customer_id[]=victim", "CUSTOMER_ID=victim"])
def test_Z1_a_query_names_nobody_else(edge, issuer, victims, query):
    answer = edge.call("GET", "/api/orders?" + query, issuer.token("stranger"))
    assert answer.status_code == 400 or (answer.status_code == 200 and answer.json()["items"] == []), answer.text


def test_Z7_a_cursor_of_anothers_list_shows_only_ones_own(edge, issuer, place):
    for _ in range(3):
        place("victim")
    wait_until(lambda: len(edge.call("GET", "/api/orders", issuer.token("victim")).json()["items"]) >= 3, 30, "orders")
    page = edge.call("GET", "/api/orders?limit=1", issuer.token("victim")).json()
    answer = edge.call("GET", f"/api/orders?cursor={page['next_cursor']}", issuer.token("stranger"))
    assert answer.status_code == 400 or answer.json()["items"] == []


def test_Z6_anothers_key_is_free(edge, issuer, place, accepted):
    body = {"idempotency_key": "the-same-key", "items": [{"product_id": "A", "quantity": 1}]}
    found = []
    for customer in ("victim", "stranger"):
        answer = edge.call("POST", "/api/orders", issuer.token(customer), json=body)
        assert answer.status_code in (200, 201, 202)
        found.append(answer.json()["order_id"])
        accepted[found[-1]] = answer.status_code
    assert found[0] != found[1]
