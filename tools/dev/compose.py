"""Parts of compose.yaml: servers, services, volumes and secrets, made of each service.json."""
from dev import manifests, secret_files

STATE = "/var/lib/orderbus"
SECRETS = "/run/secrets"
# Settings that a service has in these containers, besides those of its service.json.
SETTINGS = {
    "edge": {"AUTH": "own", "OIDC_ISSUER": "${ORDERBUS_URL:-http://127.0.0.1:8080}",
             "ALLOWED_HOSTS": "${ORDERBUS_HOSTS:-127.0.0.1,localhost,edge}",
             "TRUSTED_PROXIES": "${ORDERBUS_NETWORK:-172.30.0.0/16}"},
    "user-svc": {"TOKEN_ISSUER": "${ORDERBUS_URL:-http://127.0.0.1:8080}"},
    "payment-svc": {"PSP_URL": "http://psp-sandbox:8090", "PSP_ALLOW_PLAIN": '"true"'},
    "psp-sandbox": {"WEBHOOK_URL": "http://edge:8080/webhooks/psp"},
}
SERVICE = """
{name}:
  <<: *service
  image: ${{ORDERBUS_IMAGES:-orderbus}}/{name}:${{ORDERBUS_VERSION:-latest}}
  build:
    context: ../..
    dockerfile: infrastructure/docker/Dockerfile
    target: {name}
    args: *args
"""
DATABASE = """
postgres-{database}:
  <<: *postgres
  volumes: ["postgres-{database}:/var/lib/postgresql/data"]
"""
SETUP = """
setup-{database}:
  <<: *admin
  entrypoint: [sh, -ec, "orderbus-roles {database}; orderbus-migrate {database}"]
"""
BROKER = """
setup-broker:
  <<: *admin
  entrypoint: [orderbus-broker]
"""


def _mapping(name, found):
    return f"  {name}:\n" + "".join(f"    {key}: {value}\n" for key, value in found.items()) if found else ""


def _secrets(names):
    return "  secrets:\n" + "".join(f"    - {name}\n" for name in names)


def _after(conditions):
    """conditions: {service: what it must have done}"""
    return _mapping("depends_on", {name: f"{{condition: service_{done}}}" for name, done in conditions.items()})


def _urls(names):
    """{variable: file} of URLs of administrators, by the name of each secret."""
    return {f"{variable}_URL_FILE": f"{SECRETS}/{name}" for variable, name in names.items()}


# Services

def _own_secrets(one):
    """{variable: name of the secret}; one of these names stands for one file of one service."""
    return {variable: f"{one.name}-{file}" for variable, file in secret_files.of_deployment(one).items()}


def _service(one):
    secrets = _own_secrets(one)
    state = {name: STATE if place.endswith("/") else f"{STATE}/{place}" for name, place in one.state.items()}
    environment = {name: f"{SECRETS}/{secret}" for name, secret in secrets.items()} | SETTINGS.get(one.name, {}) | state
    text = SERVICE.format(name=one.name) + _mapping("environment", environment)
    if one.serves_clients:
        text += "  env_file: [secrets/edge.env]\n"
    text += _secrets(secrets.values())
    if one.calls_strangers:
        text += "  networks: [inside, outside]\n"
    if one.database:
        text += _after({f"setup-{one.database}": "completed_successfully", "setup-broker": "completed_successfully"})
    return text + (f'  volumes: ["{one.name}:{STATE}"]\n' if one.state else "")


# Jobs: roles, databases and migrations, and the broker's users and queues

def _administrators(one):
    return {name.upper(): f"{one.database}-{name}-url" for name in ("admin", *secret_files.administrators(one))}


def _setup(one):
    names = _administrators(one) | {"SERVICE": f"{one.name}-database-url"}
    return (SETUP.format(database=one.database) + _mapping("environment", _urls(names)) + _secrets(names.values()) +
            _after({f"postgres-{one.database}": "healthy"}))


def _broker():
    users = [f"{name}-rabbitmq-url" for name in ("operator", *(one.name for one in manifests.ON_BUS))]
    names = {"MANAGEMENT": "management-url", "RABBITMQ": "rabbitmq-url"}
    files = "".join(f"\n      {SECRETS}/{name}" for name in users)
    return (BROKER + _mapping("environment", _urls(names) | {"USER_URL_FILES": ">-" + files}) +
            _secrets([*names.values(), *users]) + _after({"rabbitmq": "healthy"}))


def _places():
    """{secret: its file} of administrators and services."""
    found = {}
    for one in manifests.WITH_DATABASE:
        found |= {name: f"admin/{name}" for name in _administrators(one).values()}
    for one in manifests.ALL:
        found |= {f"{one.name}-{file}": f"{one.name}/{file}" for file in secret_files.of_deployment(one).values()}
    return found


def _all(make, services):
    """A part of several entries, with an empty line between two."""
    return lambda _rest: "".join(map(make, services)).lstrip("\n")


PARTS = {
    "databases": _all(lambda one: DATABASE.format(database=one.database), manifests.WITH_DATABASE),
    "setups": lambda rest: _all(_setup, manifests.WITH_DATABASE)(rest) + _broker(),
    "services": _all(_service, manifests.ALL),
    "volumes": _all("{}: {{}}\n".format, [f"postgres-{one.database}" for one in manifests.WITH_DATABASE] +
                    [one.name for one in manifests.ALL if one.state]),
    "secrets": lambda _rest: "".join(f"{name}: {{file: secrets/{place}}}\n" for name, place in _places().items()),
}
