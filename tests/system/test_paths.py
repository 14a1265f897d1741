"""Names of the paths, entity tags of what they show, and pages in browsers."""
import uuid

import pytest

from testkit.client import item

ORIGIN = {"Origin": "https://shop.example"}


@pytest.mark.parametrize("path", ["/orders?limit=1", "/products?limit=1", "/products/A", "/inventory/A"])
def test_a_path_without_its_prefix_is_the_same_route(api, path):
    short, whole = api.get(path), api.get("/api" + path)
    assert (short.status_code, short.json()) == (whole.status_code, whole.json()) == (200, whole.json())


def test_an_order_is_placed_read_and_cancelled_without_the_prefix(api):
    body = {"idempotency_key": str(uuid.uuid4()), "items": [item("A")]}
    placed = api.post("/orders", body)
    assert placed.status_code == 202
    order = placed.json()["order_id"]
    api.accepted[order] = 202
    assert placed.headers["Location"] == f"/api/orders/{order}"
    assert api.get(f"/orders/{order}").json()["order_id"] == order
    assert api.get(f"/orders/{order}/events").json()["items"][0]["seq"] == 1
    assert api.post("/api/orders", body).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("path", ["/healthz", "/ready", "/health/live", "/health/ready"])
def test_probes_answer_on_both_ports(api, stack, path):
    assert api.get(path, headers={"Host": "10.0.0.7"}).json() == {"status": "UP"}
    admin = type(api)(f"http://127.0.0.1:{stack.ports['edge-admin']}")
    assert admin.get(path).json() == {"status": "UP"}


@pytest.mark.parametrize("path", ["/api/products/A", "/api/inventory/A", None])
def test_what_a_client_knows_is_not_sent_again(api, path):
    if path is None:
        placed = api.place(item("A"), headers={"Prefer": "wait=20"})
        path = f"/api/orders/{placed.json()['order_id']}"
    whole = api.get(path)
    tag = whole.headers["ETag"]
    shown = whole.json()
    assert tag == (f'"{shown["version"]}.{shown["stock_version"]}"' if "stock_version" in shown
                   else f'"{shown["version"]}"')
    again = api.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert api.call("HEAD", path, headers={"If-None-Match": tag}).status_code == 304
    assert api.get(path, headers={"If-None-Match": '"0"'}).json() == whole.json()


def test_a_new_version_is_sent(api):
    tag = api.get("/api/products/A").headers["ETag"]
    assert api.place(item("A"), headers={"Prefer": "wait=20"}).json()["status"] == "CONFIRMED"
    fresh = api.get("/api/products/A", headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert fresh.headers["ETag"] != tag


def test_E11_a_page_of_a_listed_origin_may_call_the_api(api):
    asked = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    allowed = api.call("OPTIONS", "/api/orders", headers=asked)
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    assert allowed.headers["Access-Control-Allow-Methods"] == "POST, GET, HEAD"
    assert "Idempotency-Key" in allowed.headers["Access-Control-Allow-Headers"]
    read = api.get("/api/products/A", headers=ORIGIN)
    assert read.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    assert "Access-Control-Allow-Credentials" not in read.headers


def test_E11_a_page_of_another_origin_may_not(api):
    other = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    refused = api.call("OPTIONS", "/api/orders", headers=other)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST, GET, HEAD")
    assert not [name for name in refused.headers if name.startswith("Access-Control-")]
