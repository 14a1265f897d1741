"""docs/messages.md: the messages of the AsyncAPI document that bus-topology prints, as tables for people."""
import json

HEAD = """# Messages

Look up a message: who sends it, which queues take it, and the fields of its body. This file is generated from the
topology and the field tables (`./dev generate`). `bus-topology asyncapi` prints the same as an AsyncAPI 3.0 document,
`bus-topology schemas` as JSON Schemas (2020-12). Beside its fields a body may have unknown ones, which readers ignore.
"""
FORMS = """
## Two forms

A message comes alone, or in a bundle with others of its type: one AMQP message that holds up to 128 of them. The
property `content_type` says which form it is.

| alone | in a bundle |
|---|---|
| `content_type` is `application/json` | `application/cloudevents-batch+json` |
| The body is that of the message. | A JSON array of CloudEvents 1.0; `data` is the body of a message. |
| `message_id` and `type` are the message's. | `id` and `type` of the event; `message_id` is the bundle's own. |
| `correlation_id`, `causation-id` | `subject`, `causationid` |
| `traceparent`, `tracestate` | The same names, in the event. |
| headers `cloudEvents:…` | header `bus-count`: the number of messages |

The AMQP binding of CloudEvents defines only the single event; a reader of that binding does not know the batch. Each
message of a bundle has an id of its own and may come again, alone or in another bundle. Queries, requests and notices
always come alone, and so do the types marked `single` in the topology, for readers that cannot cut a bundle. The types
below that say "Alone or in bundles" come in both forms.

This program reads both, with the library [pika](https://pika.readthedocs.io):

```python
import json
import os
import sys
import pika

def messages(properties, body):  # id, type, order and data of each
    kind = (properties.content_type or "").split(";")[0].strip().lower()
    if kind == "application/cloudevents-batch+json":
        for event in json.loads(body):
            yield event["id"], event["type"], event.get("subject"), event["data"]
    else:
        yield properties.message_id, properties.type, properties.correlation_id, json.loads(body)

def on_delivery(channel, method, properties, body):
    for message_id, name, order, data in messages(properties, body):
        if message_id not in seen:  # a message may come twice: keep the ids with your data
            seen.add(message_id)
            print(name, order, json.dumps(data))
    channel.basic_ack(method.delivery_tag)

seen = set()
connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
channel = connection.channel()
channel.basic_qos(prefetch_count=16)
channel.basic_consume(sys.argv[1], on_delivery)
channel.start_consuming()
```
"""
# Words of JSON Schema that bound a kind, and their text.
BOUNDS = {"string": ("minLength", "maxLength", "{} of {} characters"), "integer": ("minimum", "maximum", "{} {}"),
          "array": ("minItems", "maxItems", "{} of {}")}


def markdown(asyncapi):
    document = json.loads(asyncapi)
    operations = document["operations"].values()
    schemas = document["components"]["schemas"]
    parts = [HEAD, "## Envelope\n\nIt is in the properties and headers of AMQP.", _fields(schemas["envelope"]),
             FORMS.rstrip("\n")]
    for kind in ("command", "event", "query", "answer"):
        parts.append(f"\n## {'Queries' if kind == 'query' else kind.title() + 's'}")
        for name, message in sorted(document["components"]["messages"].items()):
            if message["tags"][0]["name"] == kind:
                forms = " Alone or in bundles." if f"{name}.bundle" in document["components"]["messages"] else ""
                parts += [f"\n### {name}\n", _ends(name, kind, operations) + forms, _fields(schemas[name])]
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
        if "properties" in inner.get("items", {}):
            yield from _rows(inner["items"], f"{place}{name}[].")


def _type(schema):
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"] if one is not None)
    if "enum" in schema.get("items", {}):
        return f"list of {_type(schema['items'])}"
    kinds = schema.get("type", "any JSON")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    least, most, text = BOUNDS.get(kind, (None, None, None))
    if most in schema:
        low, high = schema.get(least, 0), schema[most]
        return text.format(kind, low if low == high else f"{low} to {high}")
    return schema.get("format", kind)
