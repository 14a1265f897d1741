"""Reports on the whole stack: each order is kept once, as order-svc has it, also while data-svc is killed; and orders
do not wait for it."""
import concurrent.futures
import datetime
import time

import pytest

from testkit.client import item, wait_until
from testkit.report_sums import MISFITS

ORDERS = 200


def row(stack, order_id):
    rows = stack.sql("reports", "SELECT status, reason, total, currency, refunded, customer_id, product_ids[1], "
                     f"quantities[1], unit_prices[1] FROM reports.orders WHERE order_id = '{order_id}'")
    assert len(rows) <= 1, rows
    return rows[0] if rows else None


def kept(stack, order):
    """Do reports have the order as order-svc shows it?"""
    found, line = row(stack, order["order_id"]), order["items"][0]
    reason = (order["reason"] or "").split(":")[0]
    return found == [order["status"], reason, str(order["total"] or ""), order["currency"] or "",
                     str(order["refunded"] or 0), order["customer_id"], line["product_id"], str(line["quantity"]),
                     str(line["unit_price"] or "")]


@pytest.fixture(autouse=True)
def sums_are_those_of_the_rows(stack):
    yield
    wait_until(lambda: stack.sql("reports", MISFITS) == [["0"]], 30, "sums that are those of the rows")


def test_an_order_is_kept_as_order_svc_has_it(api, stack):
    confirmed = api.complete(item("A", 2))
    declined = api.complete(item("B"), token="pm_card_visa_chargeDeclined")
    rejected = api.complete(item("NONE"))
    assert [one["status"] for one in (confirmed, declined, rejected)] == ["CONFIRMED", "CANCELLED", "REJECTED"]
    for order in (confirmed, declined, rejected):
        wait_until(lambda one=order: kept(stack, one), 30, order["status"])
    lines = stack.sql("reports", f"SELECT product_id FROM reports.lines WHERE order_id = '{confirmed['order_id']}'")
    assert lines == [["A"]]


def test_a_refund_is_kept(api, stack):
    order = api.complete(item("A"))
    answer = api.post("/api/payments/refund", {"order_id": order["order_id"], "amount": 7},
                      headers={"Idempotency-Key": order["order_id"]})
    assert answer.status_code in (200, 202), answer.text
    wait_until(lambda: (row(stack, order["order_id"]) or [""] * 5)[4] == "7", 60, "the refund")


def place_many(api, count):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda _: api.complete(item("LOAD-1"), seconds=60), range(count)))


def test_each_order_is_kept_once_while_data_svc_is_killed(api, stack):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        placing = pool.submit(place_many, api, ORDERS)
        for _ in range(4):
            time.sleep(1)
            stack.kill("data-svc")
            stack.start_service("data-svc")
        orders = placing.result()
    stack.part("data-svc").wait_ready()
    ids = "', '".join(one["order_id"] for one in orders)
    count = ("SELECT count(*), count(DISTINCT order_id) FROM reports.orders WHERE status = 'CONFIRMED' "
             f"AND order_id IN ('{ids}')")
    wait_until(lambda: stack.sql("reports", count) == [[str(ORDERS)] * 2], 60, "all orders")


@pytest.mark.long
def test_orders_do_not_wait_for_data_svc(api, stack):
    stack.stop_service("data-svc")
    try:
        orders = place_many(api, 50)
        assert {one["status"] for one in orders} == {"CONFIRMED"}
        assert not any(row(stack, one["order_id"]) for one in orders)
    finally:
        stack.start_service("data-svc")
    wait_until(lambda: all(kept(stack, one) for one in orders), 60, "what was ordered meanwhile")


# ---- reads ----

def report(api, path):
    answer = api.get(f"/api/reports/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def span(hours=1):
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = now - datetime.timedelta(hours=hours), now + datetime.timedelta(hours=hours)
    return f"from={begin:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}"


def test_reports_tell_of_an_order(api, stack):
    before = report(api, f"kpis?{span()}")
    order = api.complete(item("A", 2))
    rejected = api.complete(item("NONE"))
    for one in (order, rejected):
        wait_until(lambda one=one: kept(stack, one), 30, one["status"])
    after = report(api, f"kpis?{span()}")
    assert (after["orders"], after["confirmed"]) >= (before["orders"] + 2, before["confirmed"] + 1)
    assert after["time_to_final_p50_ms"] <= after["time_to_final_p95_ms"]
    assert {"CONFIRMED", "REJECTED"} <= {one["status"] for one in after["outcomes"]}
    slots = report(api, f"revenue?{span()}&currency=EUR")["items"]
    days = report(api, f"revenue?{span(24)}&currency=EUR&by=day")["items"]
    assert sum(one["revenue"] for one in slots) <= sum(one["revenue"] for one in days)
    assert sum(one["orders"] for one in slots) >= 1


def test_an_order_is_found_by_each_filter(api, stack):
    order = api.complete(item("LOAD-2", 3))
    wait_until(lambda: kept(stack, order), 30, "the order")
    total = order["total"]
    for query in ("", "&status=CONFIRMED", f"&customer_id={order['customer_id']}", "&product_id=LOAD-2",
                  f"&min_total={total}&max_total={total}", f"&{span()}"):
        found = report(api, f"orders?limit=100{query}")["items"]
        mine = [one for one in found if one["order_id"] == order["order_id"]]
        assert len(mine) == 1, query
        assert {name: mine[0][name] for name in ("status", "total", "currency", "customer_id", "items")} == {
            name: order[name] for name in ("status", "total", "currency", "customer_id", "items")}
    for query in ("status=REJECTED", f"min_total={total + 1}&max_total={total + 1}", "product_id=NONE",
                  "customer_id=nobody"):
        assert order["order_id"] not in [one["order_id"] for one in report(api, f"orders?limit=100&{query}")["items"]]


@pytest.mark.long
def test_pages_show_each_order_once(api):
    found, cursor = [], ""
    while cursor is not None:
        page = report(api, "orders?limit=7" + (f"&cursor={cursor}" if cursor else ""))
        found += [one["order_id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert len(found) == len(set(found)) > 7


def test_reports_that_are_asked_for_wrongly_name_the_field(api):
    for path, field in (("revenue?currency=EUR", "from"), ("kpis?from=yesterday", "from"), ("orders?limit=0", "limit")):
        answer = api.get(f"/api/reports/{path}")
        assert answer.status_code == 400 and field in [one["field"] for one in answer.json()["errors"]], answer.text


def test_reports_are_refused_while_data_svc_is_away(api, stack):
    stack.stop_service("data-svc")
    try:
        assert api.get("/api/reports/orders").status_code == 503
    finally:
        stack.start_service("data-svc")
    wait_until(lambda: api.get("/api/reports/orders").status_code == 200, 30, "reports")
