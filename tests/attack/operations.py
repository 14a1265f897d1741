"""The operations of the API as its own document has them. Attacks on every route are made from it, so that a new route
is attacked as well."""
import collections
import functools
import json
import os
import subprocess

from dev import build

Operation = collections.namedtuple("Operation", "method path role schema")
ROLES = ("customer", "operator", "admin")


@functools.cache
def document():
    program = os.path.join(build.programs(os.environ.get("ORDERBUS_PRESET") or "asan"), "edge")
    return json.loads(subprocess.run([program, "--print-openapi"], capture_output=True, text=True, check=True).stdout)


def resolved(schema):
    while "$ref" in schema:
        schema = functools.reduce(lambda found, part: found[part], schema["$ref"].split("/")[1:], document())
    return schema


@functools.cache
def all_operations():
    """role: the least that the route asks for; None: it is public. schema: of the JSON body; None: it takes none."""
    found = []
    for path, methods in document()["paths"].items():
        for method, row in methods.items():
            role = row["security"][0]["bearer"][0] if row.get("security") else None
            body = row.get("requestBody", {}).get("content", {}).get("application/json")
            found.append(Operation(method.upper(), path, role, resolved(body["schema"]) if body else None))
    return found


def name_of(operation):
    return f"{operation.method} {operation.path}"


def sample(schema):
    """A value of the schema, made of its examples."""
    schema = resolved(schema)
    if "example" in schema or "examples" in schema:
        return schema.get("example", (schema.get("examples") or [None])[0])
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: sample(part) for name, part in schema.get("properties", {}).items()
                if name in schema.get("required", ())}
    if kind == "array":
        return [sample(schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": schema.get("minimum", 1), "boolean": True}.get(kind, "x" * max(8, schema.get("minLength", 1)))
