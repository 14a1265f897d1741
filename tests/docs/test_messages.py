"""The documents of messages: whole, right, and compatible with the last release in both directions."""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import types

import jsonschema
import pytest

from dev import build, paths, releases

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
# Words of a schema that a reader of either release checks. The bounds of both must be the same: a wider one lets one
# side send what the other refuses.
CHECKED = ("type", "format", "minimum", "maximum", "minLength", "maxLength", "x-maxBytes", "minItems", "maxItems",
           "pattern", "enum")


def printed(word):
    program = os.path.join(build.programs(PRESET), "bus-topology")
    done = subprocess.run([program, word], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def schemas():
    return printed("schemas")


@pytest.fixture(scope="module")
def asyncapi():
    return printed("asyncapi")


def recorded():
    """The messages of the last release."""
    with open(releases.place("messages.json"), encoding="utf-8") as file:
        return json.load(file)["$defs"]


def accepted_differences():
    with open(os.path.join(releases.FOLDER, "accepted.json"), encoding="utf-8") as file:
        return json.load(file)


# The last release

def differences(old, new, place):
    """Each change of a body that a program of one of both releases would refuse."""
    for word in CHECKED:
        if old.get(word) != new.get(word):
            yield f"{place}: {word} was {old.get(word)}, is {new.get(word)}"
    for name, inner in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            if name in old["required"]:
                yield f"{place}.{name}: a required field is gone"
            continue
        if (name in old["required"]) != (name in new["required"]):
            yield f"{place}.{name}: was {'required' if name in old['required'] else 'optional'} and is not"
        yield from differences(inner, new["properties"][name], f"{place}.{name}")
    for name in new.get("properties", {}):
        if name not in old.get("properties", {}) and name in new["required"]:
            yield f"{place}.{name}: a new field is required"
    if "items" in old:
        yield from differences(old["items"], new.get("items", {}), f"{place}[]")


def all_differences(old, new):
    for name, schema in old.items():
        if name not in new:
            yield f"{name}: the type is gone"
        else:
            yield from differences(schema, new[name], name)


def test_messages_of_the_last_release_and_of_today_are_read_by_both(schemas):
    """Accept a difference in docs/releases/accepted.json, with its reason, or make a new version."""
    accepted = accepted_differences()
    found = list(all_differences(recorded(), schemas["$defs"]))
    assert [line for line in found if line not in accepted] == []
    assert [line for line in accepted if line not in found and not line.startswith("openapi: ")] == [], "is no more"
    assert all(accepted.values())


@pytest.mark.parametrize("change, line", (
    (lambda one: one["properties"].pop("items"), "order.place.v1.items: a required field is gone"),
    (lambda one: one["properties"]["items"].update(maxItems=99), "order.place.v1.items: maxItems was 100, is 99"),
    (lambda one: one["properties"]["items"]["items"]["properties"]["quantity"].update(type="string"),
     "order.place.v1.items[].quantity: type was integer, is string"),
    (lambda one: one["required"].remove("items"), "order.place.v1.items: was required and is not"),
    (lambda one: (one["properties"].update(note={"type": "string"}), one["required"].append("note")),
     "order.place.v1.note: a new field is required"),
))
def test_a_breaking_change_is_named(change, line):
    old = {"order.place.v1": recorded()["order.place.v1"]}
    new = copy.deepcopy(old)
    change(new["order.place.v1"])
    assert list(all_differences(old, new)) == [line]


def test_a_new_optional_field_and_a_new_type_break_nothing():
    old = recorded()
    new = copy.deepcopy(old) | {"order.new.v1": {}}
    new["order.place.v1"]["properties"]["note"] = {"type": "string"}
    assert not list(all_differences(old, new))


def bodies_of_releases():
    return sorted(glob.glob(os.path.join(paths.ROOT, "docs", "releases", "v*", "messages", "*.json")))


@pytest.mark.parametrize("path", bodies_of_releases(), ids=os.path.basename)
def test_a_message_of_a_release_fits_the_schema_of_today(path, schemas):
    name = os.path.basename(path)[:-len(".json")]
    if name in schemas["$defs"]:
        with open(path, encoding="utf-8") as file:
            jsonschema.Draft202012Validator(schemas["$defs"][name]).validate(json.load(file))


# The documents themselves

def test_the_schemas_are_valid_and_every_field_is_described(schemas):
    jsonschema.Draft202012Validator.check_schema(schemas)
    assert schemas["$schema"] == "https://json-schema.org/draft/2020-12/schema" and len(schemas["$defs"]) >= 41

    def undescribed(schema, place):
        for name, inner in schema.get("properties", {}).items():
            if not inner.get("description"):
                yield f"{place}.{name}"
            yield from undescribed(inner.get("items", inner), f"{place}.{name}")
    assert [line for name, schema in schemas["$defs"].items() for line in undescribed(schema, name)] == []


def test_both_documents_have_the_same_messages(schemas, asyncapi):
    components = asyncapi["components"]
    alone = {name for name in components["messages"] if not name.endswith(".bundle")}
    assert alone == set(schemas["$defs"]) == set(components["schemas"]) - {"envelope", "bundle", "cloudevent"}
    assert all(components["schemas"][name] == schema for name, schema in schemas["$defs"].items())


def references(part):
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from references(inner)


def test_every_reference_leads_to_its_part(asyncapi):
    found = set(references(asyncapi))
    assert len(found) > 100
    for reference in found:
        part = asyncapi
        for name in reference[2:].split("/"):
            part = part[name]


def test_every_message_is_on_one_channel_and_every_command_has_a_sender_and_a_queue(asyncapi):
    listed = [name for channel in asyncapi["channels"].values() for name in channel["messages"]]
    assert sorted(listed) == sorted(asyncapi["components"]["messages"])
    messages = asyncapi["components"]["messages"]
    commands = {name for name, message in messages.items() if message["tags"][0]["name"] == "command"}
    for name, message in messages.items():
        found = {one["action"] for one in asyncapi["operations"].values()
                 if any(form["$ref"].endswith(f"/messages/{name}") for form in one["messages"])}
        if message["name"] in commands:
            assert found == {"send", "receive"}, name


# Both forms of a message

def test_commands_events_and_answers_have_a_second_form_and_queries_have_none(asyncapi):
    messages = asyncapi["components"]["messages"]
    for name, message in messages.items():
        kind = message["tags"][0]["name"]
        if kind in ("command", "answer"):
            assert messages[name + ".bundle"]["contentType"] == "application/cloudevents-batch+json"
        assert kind != "query" or name + ".bundle" not in messages
    assert "order.confirmed.v1.bundle" in messages and "order.changed.v1.bundle" not in messages, "a notice is single"


def forms():
    """The properties and body of each AMQP message that the C encoder makes of two messages: one, the other, both."""
    program = os.path.join(build.folder(PRESET), "tests", "print_forms")
    done = subprocess.run([program], capture_output=True, timeout=60, check=True)
    for line in done.stdout.splitlines():
        *texts, body = line.split(b"\t")
        names = ("content_type", "message_id", "type", "correlation_id")
        yield types.SimpleNamespace(**{name: text.decode() or None for name, text in zip(names, texts)}), body


def reader_of_the_document():
    with open(os.path.join(paths.ROOT, "docs", "messages.md"), encoding="utf-8") as file:
        return re.search(r"```python\n(.*?)```", file.read(), re.S).group(1)


def read_by(source, deliveries, capsys, monkeypatch):
    """Runs a reader on the deliveries: what it prints, and what it acks."""
    acked = []

    class Channel:
        def basic_consume(self, queue, on_message):
            self.on_message = on_message

        def start_consuming(self):
            for tag, (properties, body) in enumerate(deliveries):
                self.on_message(self, types.SimpleNamespace(delivery_tag=tag), properties, body)

        def basic_qos(self, prefetch_count):
            pass

        def basic_ack(self, tag):
            acked.append(tag)
    pika = types.ModuleType("pika")
    pika.URLParameters = str
    pika.BlockingConnection = lambda url: types.SimpleNamespace(channel=Channel)
    monkeypatch.setitem(sys.modules, "pika", pika)
    monkeypatch.setenv("RABBITMQ_URL", "amqp://localhost")
    monkeypatch.setattr(sys, "argv", ["reader", "a-queue"])
    exec(compile(source, "reader", "exec"), {"__name__": "__main__"})  # pylint: disable=exec-used
    return capsys.readouterr().out.splitlines(), acked


def test_the_reader_of_the_document_reads_both_forms(capsys, monkeypatch):
    source = reader_of_the_document()
    assert len(source.splitlines()) <= 30
    first, second, bundle = forms()
    alone = read_by(source, [first, second], capsys, monkeypatch)
    assert alone == ([
        'order.confirmed.v1 02000000-0000-0000-0000-000000000000 {"note": "\\u00e9 ]},{\\""}',
        'order.confirmed.v1 04000000-0000-0000-0000-000000000000 {"numbers": [1, 2]}'], [0, 1])
    assert read_by(source, [bundle], capsys, monkeypatch) == (alone[0], [0])
    assert read_by(source, [second, bundle, first], capsys, monkeypatch)[0] == alone[0][::-1], "each message once"


def test_a_bundle_fits_its_schema(asyncapi):
    *_, (properties, body) = forms()
    message = asyncapi["components"]["messages"][properties.type + ".bundle"]
    assert message["contentType"] == properties.content_type
    schema = copy.deepcopy({**message["payload"], "components": asyncapi["components"]})
    events = json.loads(body)
    schema["components"]["schemas"][properties.type]["required"] = []  # the bodies are any ones
    jsonschema.Draft202012Validator(schema).validate(events)
    events[1]["type"] = "order.place.v1"
    assert not jsonschema.Draft202012Validator(schema).is_valid(events)
