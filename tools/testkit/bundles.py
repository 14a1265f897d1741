"""Messages as RabbitMQ's management API returns them, single or in bundles (docs/messages.md)."""
import json

BATCH = "application/cloudevents-batch+json"


def messages(got):
    """[(type, body)] of a queue's messages, a bundle's one after another."""
    found = []
    for message in got:
        body = json.loads(message["payload"])
        if message["properties"].get("content_type") == BATCH:
            found += [(element["type"], element["data"]) for element in body]
        else:
            found.append((message["properties"]["type"], body))
    return found
