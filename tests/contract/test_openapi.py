"""The OpenAPI document is valid, and breaks nothing of the last release."""
import json
import os
import subprocess

import pytest

from dev import build, releases

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
ACCEPTED = os.path.join(releases.FOLDER, "accepted.json")


@pytest.fixture
def document():
    program = os.path.join(build.programs(PRESET), "edge")
    return json.loads(subprocess.run([program, "--print-openapi"], capture_output=True, timeout=60, check=True).stdout)


def accepted():
    with open(ACCEPTED, encoding="utf-8") as file:
        return [line for line in json.load(file) if line.startswith("openapi: ")]


def breaking(oasdiff, folder, document):
    """→ the changes that oasdiff refuses, one line each"""
    new = os.path.join(folder, "openapi.json")
    with open(new, "w", encoding="utf-8") as file:
        json.dump(document, file)
    words = [oasdiff, "breaking", "--format", "json", releases.place("openapi.json"), new]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    return [f"openapi: {one['id']} {one['operation']} {one['path']}: {one['text']}" for one in
            json.loads(done.stdout or "[]") or ()]


def refused(oasdiff, folder, document):
    return [line for line in breaking(oasdiff, folder, document) if line not in accepted()]


def test_the_document_breaks_nothing_of_the_last_release(oasdiff, tmp_path, document):
    """Accept a change in docs/releases/accepted.json, with its reason."""
    assert refused(oasdiff, tmp_path, document) == []


def test_every_accepted_change_is_still_found(oasdiff, tmp_path, document):
    assert set(accepted()) <= set(breaking(oasdiff, tmp_path, document))


def test_a_field_that_is_gone_is_refused(oasdiff, tmp_path, document):
    answer = document["paths"]["/api/products/{product}"]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    schema["required"].remove("price")
    del schema["properties"]["price"]
    found = refused(oasdiff, tmp_path, document)
    assert len(found) == 1 and "response-required-property-removed GET /api/products/{product}" in found[0]


def test_a_new_field_that_a_request_must_have_is_refused(oasdiff, tmp_path, document):
    schema = document["paths"]["/api/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["properties"]["voucher"] = {"type": "string"}
    schema["required"].append("voucher")
    found = refused(oasdiff, tmp_path, document)
    assert len(found) == 1 and "new-required-request-property POST /api/orders" in found[0]


def test_credentials_that_another_route_needs_are_refused(oasdiff, tmp_path, document):
    """Credentials are accepted for some routes by name, not for all."""
    document["paths"]["/api/products"]["get"]["security"] = [{"bearer": ["customer"]}]
    found = refused(oasdiff, tmp_path, document)
    assert len(found) == 1 and "api-security-anonymous-access-removed GET /api/products:" in found[0]


def test_the_document_is_valid(schemathesis, tmp_path, document):
    with open(tmp_path / "openapi.json", "w", encoding="utf-8") as file:
        json.dump(document, file)
    words = [schemathesis.program("openapi-spec-validator"), "--schema", "3.1", tmp_path / "openapi.json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
