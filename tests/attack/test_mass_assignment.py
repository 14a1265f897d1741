"""Members of a body that are not the client's to set: every route that takes a body refuses them, and says which."""
import pytest

from operations import all_operations, name_of, sample
from testkit.client import item

EXTRAS = {
    "status": "CONFIRMED", "price_cents": 1, "price_total": 1, "total": 1, "unit_price": 1, "roles": ["admin"],
    "role": "admin", "is_admin": True, "owner": "victim", "user_id": "victim", "order_id": "0", "version": 7,
    "created_at": "2020-01-01T00:00:00Z", "__proto__": {"role": "admin"}, "constructor": {}, "withdrawn": False,
    "email_verified": True, "refunded": 0,
}
# The provider's event has no table of members: it is signed, and may have any.
TAKING = [one for one in all_operations() if one.schema and "properties" in one.schema]
CASES = [(one, name) for one in TAKING for name in EXTRAS if name not in one.schema.get("properties", {})]


@pytest.mark.parametrize("operation, name", CASES,
                         ids=lambda value: value if isinstance(value, str) else name_of(value))
def test_Z3_a_member_that_is_not_the_clients(edge, issuer, operation, name):
    path = operation.path
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, "A" if part == "{product}" else "00000000-0000-4000-8000-000000000001")
    token = issuer.token("someone", role="admin") if operation.role else None
    answer = edge.call(operation.method, path, token, json=sample(operation.schema) | {name: EXTRAS[name]})
    assert answer.status_code == 400, answer.text
    assert name in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("name", ["price", "unit_price", "total", "name", "reserved", "discount", "status", "currency"])
def test_Z3_a_member_of_an_item_that_is_not_the_clients(edge, issuer, name):
    body = {"idempotency_key": "mass", "items": [item("A") | {name: 1}]}
    answer = edge.call("POST", "/api/orders", issuer.token("someone"), json=body)
    assert answer.status_code == 400
    assert f"items[0].{name}" in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("customer", ["victim", "VICTIM", "someone ", "", "*", "someone,victim"])
def test_Z3_a_body_names_no_other_customer(edge, issuer, customer):
    body = {"idempotency_key": "mass", "items": [item("A")], "customer_id": customer}
    assert edge.call("POST", "/api/orders", issuer.token("someone"), json=body).status_code in (400, 403)
