"""A field of orders is added by a patch of seven files, and everything that knows orders knows it."""
import os
import subprocess

import pytest

from testkit.client import item

PATCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "field.patch")
NOTE = "Leave it at the back door, it's open \u2713"


@pytest.fixture(scope="module")
def changed(copy):
    """The folder of the programs of a tree with the patch."""
    files = copy.apply(PATCH)
    assert len(files) <= 7
    assert sum(name.endswith(".sql") for name in files) == 3
    return copy.build("bin/edge", "bin/order-svc", "bin/order-audit", "bin/simulation")


@pytest.fixture(scope="module")
def stack_and_api(changed, serve):
    with serve(changed, "edge", "order-svc") as (api, stack):
        yield stack, api


def place(api, key, **members):
    return api.place_body({"idempotency_key": key, "items": [item("A")], **members})


def audit(changed, stack):
    """\u2192 what the audit says about each line that is not the fold of its log."""
    lines = "".join(line + "\n" for line, in stack.sql("orders", "SELECT line FROM orders.audit_lines"))
    done = subprocess.run([os.path.join(changed, "order-audit")], input=lines, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == bool(done.stdout), done.stderr
    return done.stdout


def test_a_note_is_kept_and_shown_and_logged_and_audited(changed, stack_and_api):
    stack, api = stack_and_api
    placed = place(api, "noted", note=NOTE)
    assert placed.status_code == 202 and placed.json()["note"] == NOTE
    order_id = placed.json()["order_id"]
    api.wait_status(order_id, "CONFIRMED")
    assert api.order(order_id)["note"] == NOTE
    assert [order["note"] for order in api.get("/api/orders").json()["items"]] == [NOTE]
    assert [event["data"].get("note") for event in api.events(order_id)["items"]][:2] == [NOTE, None]
    assert stack.sql("orders", "SELECT note FROM orders.orders") == [[NOTE]]
    assert audit(changed, stack) == ""
    stack.sql("orders", "UPDATE orders.orders SET note = 'another'")
    assert "note: log" in audit(changed, stack)
    stack.sql("orders", "UPDATE orders.orders SET note = NULL")
    assert "note: log" in audit(changed, stack)


def test_a_note_has_500_bytes_at_most_and_may_be_absent(stack_and_api):
    _, api = stack_and_api
    longest = "\u2713" * 166 + "ab"
    assert place(api, "longest", note=longest).json()["note"] == longest
    refusal = place(api, "longer", note=longest + "c")
    assert refusal.status_code == 400
    assert [error["field"] for error in refusal.json()["errors"]] == ["note"]
    assert place(api, "empty", note="").status_code == 400
    without = place(api, "without")
    assert without.status_code == 202 and without.json()["note"] is None
    assert place(api, "longest", note="a note").status_code == 422


def test_the_simulations_customers_write_notes_and_see_them(changed):
    done = subprocess.run([os.path.join(changed, "simulation"), "--seeds", "20"], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout
