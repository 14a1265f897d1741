"""Objects of Kubernetes with marks for values, and the two forms of them: plain for kustomize, templates for helm."""
import re

import yaml

# <<path>> in a text stands for a value of values.yaml; <<path|name>> for what its name in FILTERS makes of it.
MARK = re.compile(r"<<([\w.]+)(?:\|(\w+))?>>")
# A text in quotes that has a mark, as _Dumper writes it.
_QUOTED = re.compile(r'"([^"\n]*<<[^"\n]*)"')
FILTERS = {"dashed": (lambda text: text.replace(".", "-"), ' | replace "." "-"')}
TAG = "image.tag"  # the version of the chart if it is empty


class _Dumper(yaml.SafeDumper):
    """Lists are indented, as yamllint wants them; texts of several lines are blocks; no object is written by name."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data):
        return True


def _text(dumper, text):
    style = "|" if "\n" in text else '"' if MARK.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(found, width=118):
    return yaml.dump(found, Dumper=_Dumper, sort_keys=False, width=width)


def dump_all(found):
    return "---\n".join(map(dump, found))


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def merged(below, above):
    """The values of a file over others, as helm merges them."""
    both = below | above
    return both | {name: merged(below[name], above[name]) for name in set(below) & set(above)
                   if isinstance(below[name], dict)}


def lookup(values, path):
    for name in path.split("."):
        values = values[name]
    return values


def plain(found, values, version):
    """The object with values in the places of its marks; a text that is one mark alone keeps the value's type."""
    if isinstance(found, dict):
        return {name: plain(one, values, version) for name, one in found.items()}
    if isinstance(found, list):
        return [plain(one, values, version) for one in found]
    if not isinstance(found, str):
        return found

    def value(mark):
        got = lookup(values, mark[1])
        got = version if mark[1] == TAG and not got else got
        return FILTERS[mark[2]][0](got) if mark[2] else got

    alone = MARK.fullmatch(found)
    return value(alone) if alone else MARK.sub(lambda mark: str(value(mark)), found)


def template(found, values):
    """The object as text of a template of helm; values: the defaults, whose types say what is quoted."""
    def expression(mark):
        default = " | default .Chart.AppVersion" if mark[1] == TAG else ""
        return f".Values.{mark[1]}{default}{FILTERS[mark[2]][1] if mark[2] else ''}"

    def scalar(quoted):
        alone = MARK.fullmatch(quoted[1])
        if not alone:
            return '"' + MARK.sub(lambda mark: "{{ " + expression(mark) + " }}", quoted[1]) + '"'
        quote = " | quote" if isinstance(lookup(values, alone[1]), str) else ""
        return "{{ " + expression(alone) + quote + " }}"

    return _QUOTED.sub(scalar, dump(found, width=10000))


def leaves(found, path=""):
    """(JSON pointer, value) of each scalar."""
    pairs = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else None
    if pairs is None:
        yield path, found
    else:
        for name, one in pairs:
            yield from leaves(one, f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}")


def patches(found, base, over, version):
    """Patches of kustomize that bring each object with the values `base` to the values `over`."""
    made = []
    for one in found:
        before, after = dict(leaves(plain(one, base, version))), dict(leaves(plain(one, over, version)))
        steps = [{"op": "replace", "path": path, "value": value}
                 for path, value in after.items() if before[path] != value]
        if steps:
            made.append({"target": {"kind": one["kind"], "name": plain(one["metadata"]["name"], base, version)},
                         "patch": dump(steps)})
    return made
