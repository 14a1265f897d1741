"""Two edges behind a proxy that is set up as docs/deployment.md says."""
import http.client
import json
import re
import time

import pytest

from chaos.pair import HOST, Link, Pair
from chaos.proxies import KINDS, Proxy, example
from load.traffic import Placed, Traffic

PRODUCT = "LOAD-1"


def ask(port, method, path, body=None, host=HOST, headers=None):
    """→ (status, headers, decoded body)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Host": host, "Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())
    finally:
        connection.close()


def clients_of(proxy, rate, burst):
    """Every answer but a 2xx, and every connection that ends without one, counts as refused."""
    return Traffic(("127.0.0.1", proxy.port), 32, Placed([PRODUCT], HOST), rate, burst, repeats=False)


@pytest.fixture(scope="module")
def pair(stack, api):
    with Pair(stack) as made:
        yield made


@pytest.fixture(scope="module")
def folder(stack):
    return stack.state.folder("work")


@pytest.mark.parametrize("kind", KINDS)
def test_example_works_as_written(pair, folder, kind):
    """An order, an order that is waited for, a read, and a burst: every answer is the edge's own."""
    with Proxy(kind, folder, [edge.port for edge in pair.edges]) as proxy:
        body = {"idempotency_key": f"behind-{kind}", "items": [{"product_id": PRODUCT, "quantity": 1}]}
        status, headers, order = ask(proxy.port, "POST", "/api/orders", body, headers={"Prefer": "wait=20"})
        assert status == 201 and order["status"] == "CONFIRMED", (status, order)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert ask(proxy.port, "GET", "/api/orders/" + order["order_id"])[2]["order_id"] == order["order_id"]
        load = clients_of(proxy, rate=40, burst=20)
        load.run(count=60)
        load.close()
        assert not load.refused() and len(load.answers) == 60, (load.statuses(), proxy.log()[-2000:])


def test_nginx_without_the_host_line_is_refused(pair, folder, monkeypatch):
    """Why the example has it: nginx sends the name of its upstream."""
    text = re.sub(r"^ *proxy_set_header Host .*\n", "", example("nginx"), flags=re.M)
    monkeypatch.setattr("chaos.proxies.example", lambda kind: text)
    with Proxy("nginx", folder, [edge.port for edge in pair.edges]) as proxy:
        assert ask(proxy.port, "GET", "/api/products")[0] == 400


def test_an_edge_that_is_killed_costs_nothing_that_a_repeat_does_not_heal(pair, folder, api):
    """SIGKILL under load: a request that was under way may fail; sent again it finds its order, or makes it."""
    with Proxy("nginx", folder, [edge.port for edge in pair.edges]) as proxy:
        load = clients_of(proxy, rate=50, burst=5)
        with load:
            time.sleep(1.5)
            pair.edges[0].kill()
            time.sleep(2.5)
        pair.edges[0].start()
        repeated = Traffic(("127.0.0.1", proxy.port), 8, load.mix, rate=100, repeats=False)
        repeated.run(count=load.number)
        repeated.close()
        assert not repeated.refused(), (repeated.statuses(), proxy.log()[-3000:])
    assert len(load.answers) > 150 and len(load.refused()) < 20, load.statuses()
    assert len(set(load.mix.accepted)) == load.number, "each request has one order"
    for order_id in load.mix.accepted:
        api.note_accepted(order_id, 202)


@pytest.mark.long
def test_rolling_restart_behind_nginx_costs_no_request(pair, folder):
    """Default numbers everywhere: an edge drains for 5 s, and nginx leaves out for 10 s what refused a connection. A
    request is under way for 25 ms, so that it can meet the close of its connection. An edge waits for connections that
    nginx keeps without using them: those that a burst of a busy machine left, for up to a minute."""
    with Link(pair.edges[0], 25) as first, Link(pair.edges[1], 25) as second, \
            Proxy("nginx", folder, [first.port, second.port]) as proxy:
        load = clients_of(proxy, rate=50, burst=5)
        with load:
            time.sleep(1)
            for edge in pair.edges:
                status, took = edge.stop()
                assert status == 0 and 4.5 < took < 75, (status, took)
                edge.start()
                time.sleep(10.5)
        assert not load.refused(), (load.statuses(), proxy.log()[-3000:])
        assert len(load.answers) > 1000
