"""The documents by the rules of Spectral, and as a collection for Postman."""
import json
import os
import subprocess

import pytest

from dev import build, contract

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
RULES = os.path.join(contract.PINNED, "spectral.yaml")
DOCUMENTS = {"openapi": ("edge", "--print-openapi"), "asyncapi": ("bus-topology", "asyncapi")}


def write(folder, name):
    """The document as its program prints it; → its path."""
    program, word = DOCUMENTS[name]
    done = subprocess.run([os.path.join(build.programs(PRESET), program), word], capture_output=True, timeout=60,
                          check=True)
    path = folder / f"{name}.json"
    path.write_bytes(done.stdout)
    return path


def lint(node_programs, path):
    words = [node_programs.program("spectral"), "lint", "--ruleset", RULES, "--fail-severity", "hint", path]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_follows_the_rules(node_programs, tmp_path, name):
    done = lint(node_programs, write(tmp_path, name))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name, spoil", (
    ("openapi", lambda document: document["paths"]["/api/orders"]["get"].update(operationId="post_api_orders")),
    ("asyncapi", lambda document: document.pop("channels"))))
def test_a_document_that_breaks_a_rule_is_refused(node_programs, tmp_path, name, spoil):
    path = write(tmp_path, name)
    document = json.loads(path.read_text())
    spoil(document)
    path.write_text(json.dumps(document))
    assert lint(node_programs, path).returncode == 1


def requests(items):
    for item in items:
        yield from requests(item["item"]) if "item" in item else [item["request"]]


def test_it_becomes_a_collection_without_a_warning(node_programs, tmp_path):
    path, collection = write(tmp_path, "openapi"), tmp_path / "collection.json"
    words = [node_programs.program("openapi2postmanv2"), "--spec", path, "--output", collection]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "Conversion successful" in said, said
    assert not any(word in said.lower() for word in ("warn", "deprecat", "could not", "invalid")), said
    operations = {(method, path.rstrip("/")) for path, methods in json.loads(path.read_text())["paths"].items()
                  for method in methods}  # a collection does not tell /ui from /ui/
    found = list(requests(json.loads(collection.read_text())["item"]))
    assert len(found) == len(operations)
    order = next(one for one in found if one["method"] == "POST" and one["url"]["path"] == ["api", "orders"])
    assert json.loads(order["body"]["raw"])["items"][0]["product_id"]
