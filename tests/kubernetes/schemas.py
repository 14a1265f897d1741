"""Schemas of kubeconform, made of the OpenAPI document of the API server: unknown fields are refused."""
import json

TEXT_OR_NUMBER = {"anyOf": [{"type": "string"}, {"type": "integer"}]}


def _strict(found):
    """A copy of a schema in which no object has fields that the schema does not name."""
    if found.get("format") == "int-or-string" or found.get("x-kubernetes-int-or-string"):
        return TEXT_OR_NUMBER
    made = {name: one for name, one in found.items() if name != "format"}
    for name in ("items", "additionalProperties"):
        if isinstance(made.get(name), dict):
            made[name] = _strict(made[name])
    if "properties" in made:
        made["properties"] = {name: _strict(one) for name, one in made["properties"].items()}
        if not made.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    return made


def write(document, folder):
    """A file for each kind; → the template of their places."""
    definitions = {name: _strict(one) for name, one in json.loads(document)["definitions"].items()}
    (folder / "all.json").write_text(json.dumps({"definitions": definitions}))
    for name, one in definitions.items():
        for kind in one.get("x-kubernetes-group-version-kind", ()):
            group = kind["group"].split(".")[0]
            place = folder / f"{'-'.join(filter(None, (kind['kind'], group, kind['version'])))}.json".lower()
            place.write_text(json.dumps({"$ref": f"all.json#/definitions/{name}"}))
    return str(folder / "{{.ResourceKind}}{{.KindSuffix}}.json")
