"""Currencies with 0, 2 and 3 decimals: prices, orders, refunds in part, and a ledger that balances in each of them."""
import uuid

import pytest

from dev import build
from testkit.client import item, wait_until

# currency: (price, a part that can be refunded, a part that cannot)
MONEY = {"JPY": (500, 1, None), "EUR": (999, 1, None), "KWD": (5120, 1230, 1234), "ISK": (15000, 100, 150)}


def put(api, name, price, currency):
    body = {"name": name, "price": price, "currency": currency, "on_hand": 100}
    return api.call("PUT", f"/api/products/{name}", body)


def refund(api, order_id, **members):
    return api.post("/api/payments/refund",
                    {"order_id": order_id, "idempotency_key": str(uuid.uuid4()), **members})


def legs(stack, order_id):
    """{account: its sum} of the order's movements, by their legs of double entry."""
    rows = stack.sql("payments", "SELECT account, currency, sum(amount) FROM payments.legs "
                                 f"WHERE order_id = '{order_id}' GROUP BY 1, 2 ORDER BY 1")
    return {(account, currency): int(total) for account, currency, total in rows}


@pytest.mark.parametrize("currency", MONEY)
def test_an_order_is_paid_and_refunded_in_part(api, stack, ledger, currency):
    price, part, _ = MONEY[currency]
    assert put(api, f"IN-{currency}", price, currency).status_code == 201
    order = api.complete(item(f"IN-{currency}", 3))
    assert (order["status"], order["total"], order["currency"]) == ("CONFIRMED", 3 * price, currency)
    paid = order["order_id"]
    assert refund(api, paid, amount=part).status_code == 202
    wait_until(lambda: api.order(paid)["refunded"] == part, 20, "the part")
    assert legs(stack, paid) == {("customer", currency): part - 3 * price, ("provider", currency): 3 * price - part}
    assert refund(api, paid).status_code == 202
    wait_until(lambda: api.order(paid)["refunded"] == 3 * price, 20, "the rest")
    assert set(legs(stack, paid).values()) == {0}
    moved = [(line["type"], line["amount"], line["currency"]) for line in ledger() if line.get("order_id") == paid]
    assert moved == [("captured", 3 * price, currency.lower()), ("refunded", part, currency.lower()),
                     ("refunded", 3 * price - part, currency.lower())]


@pytest.mark.parametrize("currency", ["KWD", "ISK"])
def test_a_part_that_the_provider_does_not_take_is_refused(api, ledger, currency):
    price, part, uneven = MONEY[currency]
    assert put(api, f"IN-{currency}", price, currency).status_code in (200, 201)
    paid = api.complete(item(f"IN-{currency}"))["order_id"]
    refused = refund(api, paid, amount=uneven)
    assert refused.status_code == 409 and f"in {currency}" in refused.json()["detail"]
    assert refund(api, paid, amount=part).status_code == 202
    wait_until(lambda: api.order(paid)["refunded"] == part, 20, "the part")
    assert [line["amount"] for line in ledger() if line.get("order_id") == paid] == [price, part]


@pytest.mark.parametrize("price, currency, field, value", [
    (5124, "KWD", "price", 5124), (150, "ISK", "price", 150),
    (1, "XXX", "currency", None), (1, "eur", "currency", None)])
def test_a_price_that_the_provider_does_not_take_is_refused(api, price, currency, field, value):
    answer = put(api, "UNEVEN", price, currency)
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["errors"]
    assert (error["field"], error.get("value")) == (field, value) and error["allowed"]
    assert api.get("/api/products/UNEVEN").status_code == 404


def test_a_price_that_comes_by_a_message_is_dead_lettered(api, stack):
    wrong = {"product_id": "UNEVEN", "name": "x", "price": 5124, "currency": "KWD", "on_hand": 1}
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1",
                         [wrong, wrong | {"product_id": "EVEN", "price": 5120}])
    wait_until(lambda: api.get("/api/products/EVEN").status_code == 200, 20, "the product behind it")
    assert api.get("/api/products/UNEVEN").status_code == 404
    causes = wait_until(lambda: stack.sql("inventory", "SELECT cause FROM bus.parked WHERE cause LIKE '%5124%'"), 20,
                        "the dead letter")
    assert causes == [["price 5124: must be a multiple of 10 in KWD, whose amounts have 3 decimals"]]
