"""A route with a query is added by a patch of four files, and answers."""
import json
import os
import subprocess
import uuid

import pytest

from testkit.client import item

PATCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "route.patch")


@pytest.fixture(scope="module")
def changed(copy):
    """The folder of the programs of a tree with the patch."""
    files = copy.apply(PATCH)
    assert 1 <= len(files) <= 4
    return copy.build("bin/edge")


@pytest.fixture
def api(changed, serve):
    """A client of the changed edge, in a stack whose other programs are the checkout's."""
    with serve(changed, "edge") as (made, _):
        yield made


def test_a_route_with_a_query_takes_four_files(api):
    order_id = api.place(item("A", 2), customer="c-1").json()["order_id"]
    api.wait_status(order_id, "CONFIRMED")
    place = f"/api/orders/{order_id}/summary"
    summary = {"order_id": order_id, "status": "CONFIRMED", "total": 1998}
    assert api.get(place).json() == summary
    assert api.get(place + "?customer_id=c-1").json() == summary
    assert api.get(place + "?customer_id=another").status_code == 404
    assert api.get(f"/api/orders/{uuid.uuid4()}/summary").status_code == 404
    assert api.get("/api/orders/x/summary").json()["detail"] == "no such order"
    refusal = api.get(place + "?customer_id=a%20b&more=1")
    assert refusal.status_code == 400
    assert [error["field"] for error in refusal.json()["errors"]] == ["customer_id", ""]
    assert api.post(place, {}).status_code == 405


def test_the_document_has_the_new_route(changed):
    program = os.path.join(changed, "edge")
    done = subprocess.run([program, "--print-openapi"], capture_output=True, text=True, timeout=60, check=True)
    added = json.loads(done.stdout)["paths"]["/api/orders/{id}/summary"]["get"]
    assert [parameter["name"] for parameter in added["parameters"]] == ["id", "customer_id"]
    schema = added["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["properties"]["total"]["description"] == "what it costs, once that is known"
