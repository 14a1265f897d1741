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
PASSWORD = "correct horse battery"
PUBLIC_IDS = ("product",)  # parameters that name what everybody may see
BODY_IDS = ("order_id", "payment_id")  # members of a body that name what belongs to somebody
OF_A_REQUEST = ("trace_id", "instance")
VICTIMS = ("order", "user", "webhook")  # what the victim has, each by its id; a payment has the id of its order


def parameters(operation):
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def members(operation):
    return [name for name in BODY_IDS if operation.schema and name in operation.schema.get("properties", ())]


NAMING = [one for one in all_operations() if one.role == "customer" and (parameters(one) or members(one))]
MATRIX = [pytest.param(one, kind, id=f"{name_of(one)}, {kind}") for one in NAMING for kind in VICTIMS]


@pytest.fixture(scope="module")
def own_edge(stack, start_edge):
    """An edge for the users of user-svc."""
    return start_edge(AUTH="own", OIDC_ISSUER=stack.services["edge"].variables()["OIDC_ISSUER"])


@pytest.fixture(scope="module")
def people(stack, own_edge):
    """{name: (a user's id, an access token)}"""
    found = {}
    for name in ("victim", "stranger"):
        body = {"email": f"{name}-{uuid.uuid4()}@example.org", "password": PASSWORD}
        answers = {}

        def said(path, status):
            answers[path] = own_edge.call("POST", path, json=body)
            return answers[path].status_code == status

        wait_until(lambda: said("/api/auth/register", 202), 60, "a registration")
        wait_until(lambda: said("/api/auth/login", 200), 60, "a login")
        found[name] = (id_of(stack, body["email"]), answers["/api/auth/login"].json()["access_token"])
    return found


@pytest.fixture(scope="module")
def stranger(people):
    return people["stranger"][1]


@pytest.fixture(scope="module")
def victims(own_edge, people, accepted):
    """{what: its id}"""
    user, token = people["victim"]
    answer = own_edge.place(token)
    assert answer.status_code in (201, 202), answer.text
    order = answer.json()["order_id"]
    accepted[order] = answer.status_code
    path = f"/api/orders/{order}"
    wait_until(lambda: own_edge.call("GET", path, token).json()["status"] == "CONFIRMED", 60, "the order")
    hook = own_edge.call("POST", "/api/webhooks", token, json={
        "url": "https://example.org/hook", "events": ["order.refunded"], "idempotency_key": str(uuid.uuid4())})
    assert hook.status_code == 201, hook.text
    return {"order": order, "user": user, "webhook": hook.json()["webhook_id"]}


def ask(edge, token, operation, one_id):
    path = operation.path
    for name in parameters(operation):
        path = path.replace("{" + name + "}", one_id)
    named = {name: one_id for name in members(operation)[:1]}
    if operation.schema and "idempotency_key" in operation.schema.get("properties", ()):
        named["idempotency_key"] = str(uuid.uuid4())
    body = {"json": sample(operation.schema) | named} if operation.schema else {}
    return edge.call(operation.method, path, token, **body)


def shown(answer):
    body = {name: value for name, value in answer.json().items() if name not in OF_A_REQUEST}
    headers = {name: value for name, value in answer.headers.items()
               if name.lower() not in ("traceparent", "x-request-id", "date", "content-length")}
    return answer.status_code, body, headers


def absent():
    return str(uuid.uuid4())


def test_the_matrix_has_the_routes():
    assert len(NAMING) >= 11
    assert {name for one in NAMING for name in parameters(one)} - set(PUBLIC_IDS) == {"id", "user", "webhook"}


@pytest.mark.parametrize("operation", [one for one in NAMING if one.method != "DELETE"], ids=name_of)
def test_Z1_the_owner_finds_it(own_edge, people, victims, operation):
    """So the matrix asks for what is there."""
    one_id = victims[next((name for name in ("user", "webhook") if name in parameters(operation)), "order")]
    assert ask(own_edge, people["victim"][1], operation, one_id).status_code in (200, 201, 202, 409)


@pytest.mark.parametrize("operation, kind", MATRIX)
def test_Z1_anothers_looks_like_none(own_edge, stranger, victims, operation, kind):
    answer = ask(own_edge, stranger, operation, victims[kind])
    assert answer.status_code == 404, answer.text
    assert shown(answer) == shown(ask(own_edge, stranger, operation, absent()))


@pytest.mark.parametrize("operation, kind", MATRIX)
def test_Z1_anothers_takes_as_long_as_none(own_edge, stranger, victims, operation, kind):
    times = ([], [])
    for number in range(2 * CALLS):
        one_id = absent() if number % 2 else victims[kind]
        begin = time.perf_counter()
        assert ask(own_edge, stranger, operation, one_id).status_code == 404
        times[number % 2].append(time.perf_counter() - begin)
    theirs, none = map(statistics.median, times)
    assert abs(theirs - none) < max(0.001, 0.1 * none), f"{theirs * 1000:.2f} ms, and {none * 1000:.2f} ms for none"


@pytest.mark.parametrize("operation", [one for one in all_operations() if one.role], ids=name_of)
def test_Z4_a_role_that_is_less_is_refused(edge, issuer, operation):
    one_id = absent()
    assert ask(edge, None, operation, one_id).status_code == 401
    for role in ROLES[:ROLES.index(operation.role)]:
        answer = ask(edge, issuer.token("someone", role=role), operation, one_id)
        assert answer.status_code == 403 and 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("query", ["customer_id=victim", "customer_id=victim&limit=100", "customer_id=VICTIM",
                                   "customer_id=victim%00", "customer_id=%25",
                                   "customer_id=victim&customer_id=stranger",
                                   "customer=victim", "customer_id[]=victim", "CUSTOMER_ID=victim"])
def test_Z1_a_query_names_nobody_else(edge, issuer, place, query):
    place("victim")
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
