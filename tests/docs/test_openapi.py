"""The OpenAPI document that the edge prints of its routes: whole, and with what the tables of fields say."""
import json
import os
import re
import subprocess

import pytest

from dev import build, paths

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
METHODS = ("get", "post", "put", "patch", "delete")
# The words of JSON Schema that bound a value of each type.
BOUNDS = {"string": ({"minLength", "maxLength"}, {"format"}, {"enum"}), "integer": ({"minimum", "maximum"},),
          "array": ({"minItems", "maxItems"},), "boolean": (set(),), "object": ({"properties"},)}
# Headers whose values only the limit of a head bounds, and the operations that read each.
HEADERS = {
    "Prefer": {"POST /api/orders"},
    "Stripe-Signature": {"POST /webhooks/psp"},
    "Last-Event-ID": {"GET /api/orders/{id}/stream", "GET /api/events"},
    "If-Match": {"POST /api/inventory/update", "PUT /api/products/{product}", "DELETE /api/products/{product}"},
    "If-None-Match": {"POST /api/inventory/update", "PUT /api/products/{product}", "DELETE /api/products/{product}",
                      "GET /api/orders/{id}", "GET /api/inventory/{product}", "GET /api/products/{product}",
                      "GET /api/payments/{id}", "GET /api/openapi.json", "GET /docs", "GET /docs/page.css",
                      "GET /docs/page.js", "GET /ui/", "GET /ui/{file}"},
}


@pytest.fixture(scope="module")
def document():
    program = os.path.join(build.programs(PRESET), "edge")
    done = subprocess.run([program, "--print-openapi"], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def read(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        return file.read()


def operations(document):
    return {(method.upper(), path): operation for path, methods in document["paths"].items()
            for method, operation in methods.items()}


def fields(schema, place):
    """Every property below a schema with its place, the items of lists included."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{place}.{name}", inner
        yield from fields(inner, f"{place}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{place}[]")


def schemas(document):
    """Every schema with its place: of parameters, of bodies, of answers."""
    for (method, path), operation in operations(document).items():
        for parameter in operation.get("parameters", ()):
            yield f"{method} {path} {parameter['name']}", parameter["schema"]
        parts = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for name, part in parts.items():
            for content in part.get("content", {}).values():
                yield from fields(content["schema"], f"{method} {path} {name}")
    yield from fields(document["components"]["schemas"]["problem"], "problem")


ROWS = ("edge/src/routes.c", "edge/src/webhook_rows.h", "edge/src/report_rows.h", "edge/src/job_rows.h")


def test_the_document_has_the_rows_of_the_table_of_routes_and_no_others(document):
    rows = re.findall(r'\.method = "(\w+)".*?\.path = "([^"]+)"',
                      "".join(map(read, ROWS)), re.DOTALL)
    assert document["openapi"] == "3.1.0" and len(rows) >= 13
    assert set(operations(document)) == set(rows)
    assert all(method in METHODS for methods in document["paths"].values() for method in methods)


def test_every_operation_is_described(document):
    for key, operation in operations(document).items():
        assert operation["summary"], key
        answers = operation["responses"]
        assert any(status.startswith("2") or status == "308" for status in answers), key
        assert {"400", "412", "413", "415", "431", "503"} <= set(answers) and "default" not in answers, key
        assert all(answer.get("description") or "$ref" in answer for answer in answers.values()), key


def test_every_operation_has_an_id_of_its_own(document):
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids)) and "post_api_orders_id_cancel" in ids


def test_a_route_with_a_body_tells_what_becomes_of_a_slow_one(document):
    for key, operation in operations(document).items():
        assert ("408" in operation["responses"]) == ("requestBody" in operation), key


def test_every_reference_leads_somewhere(document):
    found = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))
    assert found
    for reference in set(found):
        part = document
        for name in reference.split("/"):
            part = part[name]


def test_a_body_that_no_table_describes_has_its_media_type(document):
    stream = operations(document)["GET", "/api/orders/{id}/stream"]["responses"]
    assert stream["200"]["content"] == {"text/event-stream": {"schema": {}}} and "content" not in stream["204"]
    shown = operations(document)["GET", "/api/openapi.json"]["responses"]
    assert shown["200"]["content"] == {"application/json": {"schema": {"type": "object"}}}
    assert "content" not in shown["304"]


def test_an_address_has_the_pattern_that_is_checked(document):
    body = operations(document)["POST", "/api/auth/login"]["requestBody"]["content"]["application/json"]["schema"]
    pattern = body["properties"]["email"]["pattern"]
    for good in ("a@b", " a@b ", "a@b@c", "ann@example.org", "x" * 64 + "@b"):
        assert re.search(pattern, good), good
    for bad in ("a", "@b", "a@", "a b@c", "a@b c", "a@\x85", "x" * 65 + "@b"):
        assert not re.search(pattern, bad), bad


def test_every_segment_of_a_path_is_a_parameter(document):
    for (method, path), operation in operations(document).items():
        named = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path" and one["required"]]
        assert named == re.findall(r"{(\w+)}", path), (method, path)


def test_every_value_has_a_description_and_its_bounds(document):
    seen = 0
    for place, schema in schemas(document):
        assert schema["description"], place
        kinds = schema.get("type", ())  # without one it is any JSON
        for kind in {kinds} if isinstance(kinds, str) else set(kinds) - {"null"}:
            is_header = place.split(" ")[-1] in HEADERS and "pattern" in schema
            assert is_header or any(words <= set(schema) for words in BOUNDS[kind]), place
            seen += 1
    assert seen > 100


def test_the_parameters_of_a_list_have_the_bounds_of_their_table(document):
    listed = {one["name"]: one for one in operations(document)["GET", "/api/orders"]["parameters"]}
    assert list(listed) == ["limit", "status", "customer_id", "cursor"]
    assert listed["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20,
                                         "examples": [20], "description": "how many at most"}
    assert "CONFIRMED" in listed["status"]["schema"]["enum"]
    assert listed["customer_id"]["schema"]["maxLength"] == 64


def test_a_request_with_a_key_has_it_in_body_and_header(document):
    for path in ("/api/orders", "/api/inventory/update"):
        operation = operations(document)["POST", path]
        assert [one["name"] for one in operation["parameters"] if one["in"] == "header"][0] == "Idempotency-Key"
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert "idempotency_key" in body["properties"] and body["additionalProperties"] is False


def test_a_request_that_may_have_a_key_has_it_in_the_header(document):
    for path in ("register", "login", "refresh", "logout", "forgot", "reset"):
        operation = operations(document)["POST", f"/api/auth/{path}"]
        key = next(one for one in operation["parameters"] if one["name"] == "Idempotency-Key")
        assert key["in"] == "header" and not key["required"] and key["schema"]["maxLength"] == 255, path
        assert "idempotency_key" not in json.dumps(operation["requestBody"]), path


def described(name):
    return set(re.findall(r'BUS_(?:OPTIONAL|REQUIRED),\s*"([^"]+)"', read(name)))


def test_the_descriptions_of_the_tables_are_in_it(document):
    shown = {schema["description"] for _, schema in schemas(document)}
    requests = described("edge/src/requests.c")
    assert len(requests) >= 8 and not requests - shown
    for messages in ("order-svc/src/order_messages.c", "inventory-svc/src/inventory_messages.c"):
        assert len(described(messages) & shown) >= 5, messages


def test_the_headers_that_an_operation_reads_are_parameters(document):
    found = {}
    for (method, path), operation in operations(document).items():
        for one in operation.get("parameters", ()):
            if one["in"] == "header" and one["name"] != "Idempotency-Key":
                found.setdefault(one["name"], set()).add(f"{method} {path}")
                assert not one["required"], path
    assert found == HEADERS


def test_a_route_with_nothing_to_say_takes_an_empty_object(document):
    for word in ("confirm", "release"):
        operation = operations(document)["POST", "/api/inventory/reservations/{reservation}/" + word]
        body = operation["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        assert not body["required"] and schema["properties"] == {} and schema["additionalProperties"] is False


def test_a_segment_has_characters_that_a_path_may_have(document):
    for place, operation in operations(document).items():
        for one in operation.get("parameters", ()):
            if one["in"] == "path" and "format" not in one["schema"]:
                assert one["schema"]["pattern"] == r"^(?!\.{1,2}$)[A-Za-z0-9._:-]*$", place


def test_a_cursor_of_orders_has_its_pattern(document):
    for path in ("/api/orders", "/api/users/{user}/orders", "/api/users/{user}/export"):
        found = [one["schema"]["pattern"] for one in operations(document)["GET", path]["parameters"]
                 if one["name"] == "cursor"]
        assert len(found) == 1 and found[0].startswith("^[0-9]{1,17}"), path
