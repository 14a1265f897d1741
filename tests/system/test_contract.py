"""The contract that the edge serves: its documents are cacheable, and every route keeps it under its examples."""
import fnmatch
import re

import jsonschema
import pytest
import requests

from dev import build
from testkit import users
from testkit.client import wait_until

EXAMPLE_PRODUCT = "SKU-00001"
ENDLESS = "/api/events"  # a stream that goes on forever: test_events.py reads it
# With AUTH=off nobody is a caller.
OF_CALLERS = ("/api/users", "/api/users/{user}", "/api/users/{user}/export", "/api/auth/password")


@pytest.fixture(scope="module")
def document(api, stack):
    product = {"product_id": EXAMPLE_PRODUCT, "name": "Sample", "price": 999, "currency": "EUR", "on_hand": 100}
    stack.broker.publish(build.programs(stack.preset), "inventory.put-product.v1", [product])
    wait_until(lambda: api.get(f"/api/products/{EXAMPLE_PRODUCT}").status_code == 200, 30, "the example's product")
    return api.get("/api/openapi.json").json()


def operations(document):
    """In an order in which the examples work: the order is placed first, and cancelled last."""
    found = [(method.upper(), path, operation) for path, methods in document["paths"].items()
             for method, operation in methods.items() if path != ENDLESS]
    return sorted(found, key=lambda one: (one[:2] != ("POST", "/api/orders"), one[1].endswith("/cancel")))


def example_of(parameter):
    return parameter["schema"].get("examples", [None])[0]


def body_of(content):
    """A body without members has no example."""
    return content.get("example", {})


def tokens_of(api, stack, path, example):
    """A body's example with the token that a client would have: a document cannot have one that works."""
    account = {"email": "ann@example.org", "password": "correct horse battery"}
    if path in ("/api/auth/refresh", "/api/auth/logout"):
        return {"refresh_token": api.post("/api/auth/login", account).json()["refresh_token"]}
    if path == "/api/auth/reset":
        return example | {"token": users.reset_token(stack, account["email"])}
    return example


def send_example(api, stack, method, path, operation):
    """The operation with every example that it has. A key is in the body or in the header."""
    given = {place: {one["name"]: example_of(one) for one in operation.get("parameters", ())
                     if one["in"] == place and example_of(one) is not None} for place in ("path", "query")}
    url = re.sub(r"{(\w+)}", lambda found: given["path"][found[1]], path)
    if given["query"]:
        url += "?" + "&".join(f"{name}={value}" for name, value in given["query"].items())
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    form = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded")
    if form:
        return requests.request(method, api.base + url, data=form["example"], timeout=35)
    if (method, path) == ("POST", "/api/orders"):
        return api.place_body(content["example"])
    return api.call(method, url, content and tokens_of(api, stack, path, body_of(content)))


def resolved(document, part):
    if "$ref" not in part:
        return part
    for name in part["$ref"][2:].split("/"):
        document = document[name]
    return document


def check_response(document, operation, response):
    """The response has a documented status, media type and body."""
    where = f"{response.request.method} {response.request.path_url}: {response.status_code} {response.text[:300]}"
    assert str(response.status_code) in operation["responses"], where
    documented = resolved(document, operation["responses"][str(response.status_code)]).get("content", {})
    if not documented:
        assert not response.content, where
        return
    media_type = response.headers["Content-Type"]
    fitting = next((one for one in documented if fnmatch.fnmatchcase(media_type, one)), None)  # "text/*" is a range
    assert fitting, where
    schema = resolved(document, documented[fitting]["schema"])
    if schema.get("type") == "object":
        jsonschema.Draft202012Validator(schema).validate(response.json())


# Examples of these ask for what the order or job has behind it.
LATE = ("/cancel", "/status", "/confirm", "/release", "/payments", "/result", "/retry")


def test_every_example_works_as_documented(api, stack, document):
    for method, path, operation in operations(document):  # no example names a program that is there
        response = send_example(api, stack, method, path, operation)
        check_response(document, operation, response)
        refused = 401 if path in (*OF_CALLERS, "/api/auth/token") else 0
        refused = 409 if path.endswith(LATE) else refused
        refused = 400 if path == "/webhooks/psp" else refused  # the provider alone can sign
        assert response.status_code < 400 or response.status_code == refused, response.text


def test_every_route_has_an_example_for_its_path_and_its_body(document):
    for method, path, operation in operations(document):
        assert all(example_of(one) is not None for one in operation.get("parameters", ()) if one["required"]), path
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content.get("example") or not content["schema"].get("properties"), path


def wrong_requests(operation):
    """Bodies and queries that the document refuses: → (query, body)"""
    yield "?no_such=1", None
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            yield f"?{parameter['name']}=%00", None
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        if media_type != "application/json":
            continue
        yield "", [1]
        yield "", {"no_such": 1}
        for name in content["schema"].get("properties", ()):
            yield "", content["example"] | {name: {"no_such": 1}}


def test_wrong_requests_are_answered_as_documented(api, document):
    for method, path, operation in operations(document):
        url = re.sub(r"{(\w+)}", EXAMPLE_PRODUCT if "product" in path else "93a6faf9-8e60-5688-b327-4e76310d86ff", path)
        takes_body = "requestBody" in operation
        for query, body in wrong_requests(operation):
            response = api.call(method, url + query, body if takes_body else None)
            check_response(document, operation, response)
            if body is not None:
                assert response.status_code == 400, (path, body)


def test_a_method_that_a_path_has_not_is_405_with_allow(api, document):
    for path, methods in document["paths"].items():
        url = re.sub(r"{(\w+)}", "x", path)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {name.upper() for name in methods}:
            response = api.call(method, url)
            allowed = {name.upper() for name in methods} | ({"HEAD"} if "get" in methods else set())
            assert response.status_code == 405, (method, path)
            assert set(response.headers["Allow"].split(", ")) == allowed, (method, path)


# Documents

DOCUMENTS = {"/api/openapi.json": "application/json", "/docs": "text/html; charset=utf-8",
             "/docs/page.css": "text/css; charset=utf-8", "/docs/page.js": "text/javascript; charset=utf-8",
             "/ui/": "text/html; charset=utf-8", "/ui/app.css": "text/css; charset=utf-8",
             "/ui/app.js": "text/javascript; charset=utf-8"}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_cached_by_its_entity_tag(api, path):
    whole = api.get(path)
    tag = whole.headers["ETag"]
    assert whole.status_code == 200 and whole.headers["Content-Type"] == DOCUMENTS[path]
    assert whole.headers["Cache-Control"] == "public, max-age=300" and re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for known in (tag, f'"other", W/{tag}', "*"):
        again = api.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag), known
    assert api.get(path, headers={"If-None-Match": '"other"'}).content == whole.content


def test_other_responses_are_not_cached(api):
    response = api.get("/api/products")
    assert response.headers["Cache-Control"] == "no-store" and "ETag" not in response.headers


def test_metrics_are_in_the_document_only_if_they_are_served(api, document):
    assert "/metrics" not in document["paths"] and api.get("/metrics").status_code == 404


def test_the_page_loads_only_what_this_server_serves(api):
    page, style, script = (api.get(path) for path in ("/docs", "/docs/page.css", "/docs/page.js"))
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text) + re.findall(r"fetch\('([^']+)'\)", script.text)
    assert sorted(set(loaded)) == ["api/openapi.json", "data:,", "docs/page.css", "docs/page.js"]
    assert all("//" not in one.text.replace("/*", "") for one in (page, style, script))
    assert "innerHTML" not in script.text and "<script>" not in page.text and "<style>" not in page.text
