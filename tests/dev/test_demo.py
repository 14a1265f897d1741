"""The end of ./dev up: the catalogue is added once, and a failed order is reported as failed."""
import types

import pytest

from dev import build, demo
from dev.report import DevError

ORDER = {"order_id": "o-1", "status": "PENDING"}


@pytest.fixture
def answers(monkeypatch):
    """The API answers with these, the last one for ever."""
    made, asked = [], []

    def call(_stack, method, path, body=None, token=None):
        assert token is None
        found = made.pop(0) if len(made) > 1 else made[0]
        asked.append((method, path, body))
        return found

    monkeypatch.setattr(demo, "call", call)
    return types.SimpleNamespace(list=made, asked=asked)


def test_the_catalogue_is_small_and_its_last_product_is_out_of_stock():
    products = demo.catalogue()
    assert [products[0]["product_id"], products[-1]["product_id"]] == ["SKU-00001", "SKU-00100"]
    assert len(products) == 100 and products[0]["price"] * 2 == 1998
    assert [product["product_id"] for product in products if product["on_hand"] == 0] == ["SKU-00100"]


def test_a_catalogue_that_is_there_is_not_sent_again(answers):
    answers.list.append((200, {}))
    assert demo.seed(None) == 0


def test_the_catalogue_is_awaited(answers, monkeypatch):
    monkeypatch.setattr(build, "programs", lambda preset: "/nowhere")
    sent = []
    broker = types.SimpleNamespace(publish=lambda programs, kind, bodies: sent.append((programs, kind, len(bodies))))
    answers.list += [(404, {}), (404, {}), (503, {}), (200, {})]
    assert demo.seed(types.SimpleNamespace(broker=broker, preset="dev")) == 100
    assert sent == [("/nowhere", "inventory.put-product.v1", 100)]


def test_an_order_is_followed_until_it_is_confirmed(answers):
    answers.list += [(202, ORDER), (404, {}), (200, ORDER), (200, ORDER | {"status": "CONFIRMED"})]
    assert demo.place_order(None)["status"] == "CONFIRMED"
    method, path, body = answers.asked[0]
    assert (method, path, body["items"]) == ("POST", "/api/orders", [{"product_id": "SKU-00001", "quantity": 2}])
    assert {path for _, path, _ in answers.asked[1:]} == {"/api/orders/o-1"}


def test_an_order_that_is_refused_shows_the_answer(answers):
    answers.list.append((503, {"title": "no broker"}))
    with pytest.raises(DevError, match="503.*no broker"):
        demo.place_order(None)


def test_an_order_that_ends_otherwise_is_an_error(answers):
    answers.list += [(202, ORDER), (200, ORDER | {"status": "REJECTED", "reason": "out_of_stock"})]
    with pytest.raises(DevError, match="not confirmed.*out_of_stock"):
        demo.place_order(None)


def test_an_order_that_does_not_end_is_an_error_that_shows_it(answers, monkeypatch):
    monkeypatch.setattr(demo, "CONFIRM_SECONDS", 0.2)
    answers.list += [(202, ORDER), (200, ORDER)]
    with pytest.raises(DevError, match="did not end.*PENDING"):
        demo.place_order(None)
