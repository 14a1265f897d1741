"""docs/messages.md: the messages of the AsyncAPI document that bus-topology prints, as tables for people."""
import json

HEAD = """# Messages

Look up a message: who sends it, which queues take it, and the fields of its body. This file is generated from the
topology and the field tables (`./dev generate`). `bus-topology asyncapi` prints the same as an AsyncAPI 3.0 document,
`bus-topology schemas` as JSON Schemas (2020-12). Beside its fields a body may have unknown ones, which readers ignore.
"""
# Words of JSON Schema that bound a kind, and their text.
BOUNDS = {"string": ("minLength", "maxLength", "{} of {} characters"), "integer": ("minimum", "maximum", "{} {}"),
          "array": ("minItems", "maxItems", "{} of {}")}


def markdown(asyncapi):
    document = json.loads(asyncapi)
    operations = document["operations"].values()
    schemas = document["components"]["schemas"]
    parts = [HEAD, "## Envelope\n\nIt is in the properties and headers of AMQP.", _fields(schemas["envelope"])]
    for kind in ("command", "event", "query", "answer"):
        parts.append(f"\n## {'Queries' if kind == 'query' else kind.title() + 's'}")
        for name, message in sorted(document["components"]["messages"].items()):
            if message["tags"][0]["name"] == kind:
                parts += [f"\n### {name}\n", _ends(name, kind, operations), _fields(schemas[name])]
    return "\n".join(parts) + "\n"


def _ends(name, kind, operations):
    """Senders and queues."""
    if kind == "answer":
        return "From the service that was asked, to the queue of the asker."
    return f"From {_named(name, 'send', 0, operations)}. Queues: {_named(name, 'receive', 2, operations)}."


def _named(name, action, word, operations):
    """The users or queues of the operations with a message: a word of their summaries."""
    found = [one["summary"].split()[word] for one in operations
             if one["action"] == action and one["messages"][0]["$ref"].endswith(f"/messages/{name}")]
    return ", ".join(f"`{who}`" for who in found) or "none"


def _fields(schema):
    rows = list(_rows(schema, ""))
    if not rows:
        return "\nNo fields."
    return "\n| field | type | meaning |\n|---|---|---|\n" + "\n".join(rows)


def _rows(schema, place):
    for name, inner in schema["properties"].items():
        required = name in schema["required"]
        yield f"| `{place}{name}` | {_type(inner)}{'' if required else ', optional'} | {inner['description']} |"
        if "properties" in inner:
            yield from _rows(inner, f"{place}{name}.")
        if "items" in inner:
            yield from _rows(inner["items"], f"{place}{name}[].")


def _type(schema):
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"] if one is not None)
    kinds = schema.get("type", "any JSON")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    least, most, text = BOUNDS.get(kind, (None, None, None))
    if most in schema:
        low, high = schema.get(least, 0), schema[most]
        return text.format(kind, low if low == high else f"{low} to {high}")
    return schema.get("format", kind)
