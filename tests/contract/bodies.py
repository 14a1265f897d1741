"""Bodies of a JSON Schema: the least and the most that it allows, and each value of each list of values."""
import re

TIME = "2026-03-01T12:00:00.000Z"
UUID = "018f0000-0000-7000-8000-000000000001"
LEAST, MOST = "least", "most"


def _text(schema, shape):
    if "enum" in schema:
        return schema["enum"][0]
    if "format" in schema:
        return {"uuid": UUID, "date-time": TIME}[schema["format"]]
    length = max(schema.get("minLength", 0), 1) if shape == LEAST else schema.get("maxLength", 8)
    text = "a" * length
    return text if re.search(schema.get("pattern", ""), text) else "1" * length


def _value(schema, shape):
    kinds = schema.get("type")  # an optional field may be null, too
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        return body(schema, shape)
    if kind == "array" and "enum" in schema["items"]:
        names = schema["items"]["enum"]
        return names[:max(schema["minItems"], 1)] if shape == LEAST else names
    if kind == "array":
        return [_value(schema["items"], shape)] * max(schema["minItems"] if shape == LEAST else schema["maxItems"], 1)
    if kind == "integer":
        return schema["minimum" if shape == LEAST else "maximum"]
    if kind == "boolean":
        return shape == MOST
    return _text(schema, shape) if kind == "string" else {}


def body(schema, shape):
    """LEAST: the required fields alone. MOST: all, and one that no reader knows."""
    names = schema["required"] if shape == LEAST else schema["properties"]
    found = {name: _value(schema["properties"][name], shape) for name in names}
    return found if shape == LEAST else found | {"a_field_of_tomorrow": 1}


def _choices(schema, place=()):
    """Each value of each enum, with the path to its field."""
    for name, inner in schema["properties"].items():
        is_set = "enum" in inner.get("items", {})
        inner = inner.get("items", inner)
        if is_set:
            yield from (((*place, name), [value]) for value in inner["enum"])
        elif "enum" in inner:
            yield from (((*place, name), value) for value in inner["enum"])
        if "properties" in inner:
            yield from _choices(inner, (*place, name))


def _set(value, path, chosen):
    for one in value if isinstance(value, list) else [value]:
        if len(path) == 1:
            one[path[0]] = chosen
        else:
            _set(one[path[0]], path[1:], chosen)


def bodies(schema):
    yield body(schema, LEAST)
    yield body(schema, MOST)
    for path, chosen in _choices(schema):
        made = body(schema, MOST)
        _set(made, path, chosen)
        yield made
