"""Parts of files that list services: ./dev generate writes them of each service.json, between its mark and "# end"."""
import os
import re

from dev import compose, manifests, paths
from dev.report import DevError

MARK = " made by ./dev generate: "
# A comment of roff begins with .\" and not with #.
_PART = re.compile(r'^(?P<begin>(?P<indent> *)(?P<comment>#|\.\\")' + re.escape(MARK) +
                   r"(?P<name>\w+)\n).*?^(?P<end>(?P=indent)(?P=comment) end\n)", re.M | re.S)
DOCKER = os.path.join("infrastructure", "docker")
CHART = os.path.join("infrastructure", "kubernetes", "chart")
PROMETHEUS = os.path.join("infrastructure", "prometheus")


def filled(text, makers):
    """The text with each part made by the function of its name, which is given the text without its parts."""
    rest = _PART.sub("", text)
    named = [found["name"] for found in _PART.finditer(text)]
    if sorted(named) != sorted(makers):
        raise DevError(f'"{MARK.strip()}" is before {", ".join(sorted(named)) or "nothing"}; it must be before '
                       f'{", ".join(sorted(makers))}')

    def part(found):
        lines = (found["indent"] + line if line else "" for line in makers[found["name"]](rest).splitlines())
        return found["begin"] + "".join(line + "\n" for line in lines) + found["end"]
    return _PART.sub(part, text)


def _each(services, form):
    """A part with the same text for each service."""
    return lambda _rest: "".join(form.format(one=one) for one in services)


def unless_written(services, field, form):
    """The same for the services that the rest of the file does not name by themselves."""
    return lambda rest: "".join(form.format(one=one) for one in services
                                if not re.search(rf"^ *{getattr(one, field)}:", rest, re.M))


def _manual(variable, says):
    """The entry of orderctl's variables: roff, in which a comma must not be bold."""
    between = ' ", " '
    return lambda _rest: (f".TP\n.BR {between.join(getattr(one, variable) for one in manifests.FOR_OPERATORS)}\n"
                          f"{says}.\n")


ROLES = ", ".join(one.roles[manifests.OPERATOR] for one in manifests.FOR_OPERATORS)
USERS = ", ".join(one.broker_user.replace("-", "\\-") for one in manifests.FOR_OPERATORS)


def _absences(_rest):
    terms = "\n    or ".join(f'absent(up{{job="orderbus", service="{one.name}"}})' for one in manifests.ON_BUS)
    return f"expr: |\n  {terms}\n"


def _targets(host):
    form = f'- targets: ["{host}:{{one.admin_port}}"]\n  labels: {{{{service: {{one.name}}}}}}\n'
    return _each(manifests.ON_BUS, form)


FOLDERS = [one for one in manifests.ALL if "/" not in one.folder]
IMAGE = """FROM service AS {one.name}
LABEL org.opencontainers.image.title="orderbus {one.name}"
COPY --from=files /image/{one.name} /program

"""
SIZE = {"services": unless_written(manifests.ON_BUS, "short", "{one.short}: *service\n")}

# {file: {name of the part: what makes it}}
TABLE = {
    os.path.join(DOCKER, "Dockerfile"): {
        "packages": _each(manifests.ALL, "orderbus-{one.name} \\\n"),
        "images": lambda rest: _each(manifests.ALL, IMAGE)(rest).rstrip("\n")},
    os.path.join(DOCKER, "Dockerfile.dockerignore"): {"folders": _each(FOLDERS, "!{one.folder}\n")},
    os.path.join(DOCKER, "compose.yaml"): compose.PARTS,
    os.path.join(DOCKER, "compose.prod.yaml"): {
        "databases": _each(manifests.WITH_DATABASE, "postgres-{one.database}: *postgres\n"),
        "services": unless_written(manifests.ALL, "name", "{one.name}: *service\n")},
    os.path.join(DOCKER, "compose.observe.yaml"): {"services": _each(manifests.ON_BUS, "{one.name}: *traced\n")},
    os.path.join(DOCKER, "observe", "targets", "services.yml"): {"targets": _targets("{one.name}")},
    os.path.join(PROMETHEUS, "targets", "services.yml"): {"targets": _targets("127.0.0.1")},
    os.path.join(PROMETHEUS, "rules", "availability.yml"): {"services": _absences},
    os.path.join("infrastructure", "packages", "orderctl.env"): {"databases": _each(
        manifests.FOR_OPERATORS, "{one.database_variable}_FILE=/etc/orderbus/orderctl/{one.database}-database-url\n")},
    os.path.join("orderctl", "man", "orderctl.1"): {
        "databases": _manual("database_variable", f"The databases, as the roles {ROLES}"),
        "brokers": _manual("broker_variable",
                           f"The broker, as the users {USERS}, for\n.B dead undo\nof their queues")},
} | {os.path.join(CHART, f"{name}.yaml"): SIZE for name in ("values", "values-dev", "values-prod")}


def made(name):
    """The text of the file with its parts as they must be."""
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        return filled(file.read(), TABLE[name])


def write():
    for name in TABLE:
        text = made(name)
        with open(os.path.join(paths.ROOT, name), "w", encoding="utf-8") as file:
            file.write(text)
