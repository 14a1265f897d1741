"""Paths that lead out of the route table, or that two readers take for two different ones."""
import pytest

from testkit.wire import exchange, request

CLOSE = "Connection: close"
ESCAPES = [
    "/../etc/passwd", "/..", "/.", "/./health/live", "/api/../health/live", "/api/orders/..", "/api/orders/../products",
    "/%2e%2e/etc/passwd", "/api/%2e%2e/health", "/%2e/health/live", "/..%2fetc/passwd", "/api%2forders",
    "/api/orders%2f",
    "/..%5cetc", "/..\\etc\\passwd", "/api\\orders", "/%c0%ae%c0%ae/etc/passwd", "/%252e%252e/etc/passwd",
    "/..;/etc/passwd",
    "/api/products;a=b", "/api/products/A;x", "/api//products", "//api/products", "//evil.example/api/products",
    "/api/products/", "/api/products%00", "/api/products/A%00.json", "/api/products%0d%0aSet-Cookie:%20x",
    "/api/products%0a", "/API/products", "/Api/Products", "/api/products%20", "/api/products%09", "/api/products.json",
    "/api/products/%zz", "/api/products/%", "/api/products/%u0041", "/api/products/a b", "/%", "/.git/config", "/.env",
    "/docs/../page.html", "/docs/%2e%2e/page.html", "/docs/page.css/..", "/ui/../../etc/passwd", "/server-status",
    "/debug/pprof", "/actuator/env", "/metrics/..", "/api/orders/{id}", "/api/users/me/../admin",
    "/api/products/" + "a" * 3000,
    "/" + "a/" * 500, "/api/orders/" + "%41" * 600, "/proc/self/environ", "/api/openapi.json/../../../etc/passwd",
]


@pytest.mark.parametrize("path", ESCAPES, ids=lambda path: path[:40])
def test_E10_a_path_leads_nowhere_else(edge, path):
    answer, closed = exchange(edge.port, request("GET", path, headers=[CLOSE]))
    assert answer is not None and answer.status in (400, 401, 404, 414), answer.status
    assert closed and b"root:" not in answer.body and "set-cookie" not in answer.headers


TARGETS = ["http://evil.example/api/products", "http://127.0.0.1/api/products", "*", "api/products", "?x", "",
           "127.0.0.1:80", "/api/products#x", "/api/products\x00",
           "/api/\x7fproducts"]


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_E10_a_target_that_is_no_path(edge, target):
    answer, closed = exchange(edge.port, request("GET", target, headers=[CLOSE]))
    assert closed and (answer is None or answer.status in (400, 404, 405, 505)), answer.status


METHODS = ["TRACE", "TRACK", "CONNECT", "PROPFIND", "MKCOL", "LOCK", "PATCH", "FOO", "get", "GETGET", "OPTIONS",
           "DEBUG"]


@pytest.mark.parametrize("method", METHODS)
def test_E9_a_method_that_no_route_has(edge, method):
    answer, _ = exchange(edge.port, request(method, "/api/products", headers=[CLOSE]))
    assert answer is not None and answer.status in (400, 404, 405), answer.status


@pytest.mark.parametrize("line", ["X-HTTP-Method-Override: DELETE", "X-HTTP-Method: PUT", "X-Method-Override: DELETE",
                                  "X-Original-URL: /metrics", "X-Rewrite-URL: /metrics", "X-Forwarded-Prefix: /metrics",
                                  "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"])
def test_E9_a_header_makes_no_other_request(edge, line):
    answer, _ = exchange(edge.port, request("GET", "/api/products/A", headers=[line, CLOSE]))
    assert answer.status == 200 and answer.json()["product_id"] == "A" and b"evil" not in answer.body


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=-1", "limit=1e9", "limit=0x10", "limit=", "limit=1&limit=2", "limit=%00", "LIMIT=1",
    "cursor=%27%20OR%201=1--", "cursor=" + "A" * 3000, "cursor=../../x", "q=%00", "q=%ff",
    "q=" + "x" * 1000,
    "min_price=-1", "min_price=1e99", "sort=price;DROP%20TABLE", "order=%27", "a=b", "%", "limit=%zz", "limit[]=1"])
def test_D7_a_query_that_is_none_of_ours(edge, query):
    answer, _ = exchange(edge.port, request("GET", "/api/products?" + query, headers=[CLOSE]))
    assert answer.status in (400, 414, 431), answer.body
