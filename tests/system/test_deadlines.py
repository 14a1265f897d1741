"""Sagas whose next step does not come: they are undone after their deadline, and what comes late meets a tombstone."""
import time

import pytest
import requests

from testkit.client import item, wait_until
from testkit.overridden import overridden

DEADLINE = {"SAGA_DEADLINE_MS": "2000", "SAGA_RESEND_MS": "1000"}


@pytest.fixture(scope="module", autouse=True)
def short_deadlines(stack, api, invariants_hold):
    """This module's order-svc has little patience."""
    with overridden(stack, "order-svc", DEADLINE):
        yield


def net(ledger, order_id):
    signs = {"captured": 1, "refunded": -1, "declined": 0}
    return sum(signs[line["type"]] * line["amount"] for line in ledger() if line.get("order_id") == order_id)


def test_stock_that_is_not_reserved_in_time(api, stack):
    """The release comes before the reservation was ever answered; the reservation, when it comes, finds it."""
    stack.stop_service("inventory-svc")
    order_id = api.place(item("A", 7)).json()["order_id"]
    api.wait_status(order_id, "COMPENSATING", 15)
    stack.start_service("inventory-svc")
    order = api.wait_final(order_id)
    assert order["status"] == "CANCELLED" and order["reason"]
    assert order["total"] is None
    rows = stack.sql("inventory", f"SELECT state FROM inventory.reservations WHERE order_id = '{order_id}'")
    assert rows in ([["RELEASED"]], [["REJECTED"]])


@pytest.mark.long
def test_new_orders_wait_while_others_are_late(api, stack):
    """Taken in now they would only wait behind those, and be undone by their deadline."""
    patience = {"SAGA_DEADLINE_MS": "20000", "MAX_LATE_SAGAS": "1"}
    with overridden(stack, "order-svc", patience):
        stack.stop_service("inventory-svc")
        late = api.place(item("A")).json()["order_id"]
        wait_until(lambda: "orders_late_sagas 1" in metrics(stack), 15, "a late saga")
        time.sleep(1)  # the gate's own interval, and what was on its way to the worker
        waiting = api.place(item("A")).json()["order_id"]
        time.sleep(3)
        assert stack.sql("orders", f"SELECT count(*) FROM orders.orders WHERE order_id = '{waiting}'") == [["0"]]
        stack.start_service("inventory-svc")
        assert [api.wait_final(order_id)["status"] for order_id in (late, waiting)] == ["CONFIRMED", "CONFIRMED"]


def metrics(stack):
    return requests.get(stack.url("order-svc") + "/metrics", timeout=5).text


def test_charge_that_is_not_answered_in_time(api, stack, ledger):
    """The refund is asked while the provider is away; whatever it did before, nothing is kept."""
    stack.stop_service("psp-sandbox")
    order_id = api.place(item("A")).json()["order_id"]
    api.wait_status(order_id, "COMPENSATING", 20)
    stack.start_service("psp-sandbox")
    assert api.wait_final(order_id, 60)["status"] == "CANCELLED"
    wait_until(lambda: net(ledger, order_id) == 0, 20, "the refund")
    assert api.product("A")["reserved"] == 0


def test_payment_service_that_is_away(api, stack, ledger):
    stack.stop_service("payment-svc")
    order_id = api.place(item("A")).json()["order_id"]
    api.wait_status(order_id, "COMPENSATING", 15)
    stack.start_service("payment-svc")
    assert api.wait_final(order_id, 60)["status"] == "CANCELLED"
    wait_until(lambda: net(ledger, order_id) == 0, 20, "the refund")


def test_an_order_is_confirmed_without_inventory_and_sold_when_it_is_back(api, stack):
    """The capture is the pivot: no deadline and no cancel behind it, and the sale waits in inventory-svc's queue."""
    order_id = confirmed_without_inventory(api, stack)
    assert api.cancel(order_id).status_code == 409
    assert reservation_of(stack, order_id) == "RESERVED"
    stack.start_service("inventory-svc")
    wait_until(lambda: reservation_of(stack, order_id) == "COMMITTED", 20, "the sale")
    assert api.product("A")["reserved"] == 0


def test_a_sale_that_was_lost_is_sent_again(api, stack):
    """inventory-svc asks order-svc about a reservation that it holds for too long."""
    order_id = confirmed_without_inventory(api, stack)
    contents = ("queues", stack.broker.admin.path, "inventory-svc", "contents")
    wait_until(lambda: stack.sql("orders", "SELECT count(*) FROM bus.outbox") == [["0"]], 15, "the event's confirm")
    stack.broker.management.must("DELETE", *contents)
    stack.start_service("inventory-svc")
    wait_until(lambda: reservation_of(stack, order_id) == "COMMITTED", 60, "the sale")
    assert 'orders_saga_resends_total{command="order.confirmed"} 1' in metrics(stack)


def confirmed_without_inventory(api, stack):
    order_id = api.place(item("A"), token="pm_sandbox_timeout").json()["order_id"]
    api.wait_status(order_id, "RESERVED")
    stack.stop_service("inventory-svc")
    assert api.wait_final(order_id, 15)["status"] == "CONFIRMED"
    return order_id


def reservation_of(stack, order_id):
    return stack.sql("inventory", f"SELECT state FROM inventory.reservations WHERE order_id = '{order_id}'")[0][0]


LEAVE_PAID = """
    WITH paid AS (UPDATE orders.orders SET status = 2, version = 3, captured = total, updated_at = now(),
                                           deadline = now() + interval '1 second', due_at = now()
                  WHERE order_id = '{}' AND status = 1 RETURNING order_id, total)
    INSERT INTO orders.order_events
    SELECT order_id, 3, 'order.paid', now(), json_build_object('amount', total) FROM paid"""


def test_an_order_that_the_release_before_left_in_paid_is_confirmed(api, stack):
    stack.stop_service("payment-svc")
    order_id = api.place(item("A")).json()["order_id"]
    api.wait_status(order_id, "RESERVED")
    stack.sql("orders", LEAVE_PAID.format(order_id))
    assert api.wait_final(order_id, 20)["status"] == "CONFIRMED"
    assert api.event_types(order_id)[2:] == ["order.paid", "order.confirmed"]
    stack.start_service("payment-svc")
    wait_until(lambda: reservation_of(stack, order_id) == "COMMITTED", 20, "the sale")


def test_outage_longer_than_the_deadline_is_no_storm(api, stack):
    """Order-svc itself away: what was answered meanwhile is taken before any deadline fires."""
    orders = [api.place(item("A")).json()["order_id"] for _ in range(5)]
    stack.stop_service("order-svc")
    more = [api.place(item("A")).json()["order_id"] for _ in range(5)]
    time.sleep(3)
    stack.start_service("order-svc")
    assert {api.wait_final(order_id)["status"] for order_id in orders + more} == {"CONFIRMED"}
