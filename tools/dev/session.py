"""The user's own stack: which one a verb means, from variables when it is started and from its state later."""
import os

from dev import build, manifests, paths, ports, urls
from dev.report import DevError
from dev.stack import Stack
from dev.state import State

AUTHS = ("own", "off")
GIVEN_DATABASES = {name: f"DATABASE_URL_{name.upper()}" for name in manifests.DATABASES}


def given_servers():
    """The administrators' URLs of servers that are not ours, from the environment."""
    found = {name: os.environ[variable] for name, variable in GIVEN_DATABASES.items() if os.environ.get(variable)}
    if found and len(found) < len(GIVEN_DATABASES):
        missing = [variable for name, variable in GIVEN_DATABASES.items() if name not in found]
        raise DevError(f"with one database given, all must be: {' and '.join(missing)} not set")
    for text in found.values():
        urls.database(text)
    if os.environ.get("RABBITMQ_URL"):
        url = urls.broker(os.environ["RABBITMQ_URL"])
        found["amqp"] = url.text()
        found["management"] = os.environ.get("RABBITMQ_MANAGEMENT_URL") or _usual_management(url)
    return found


def given_auth():
    """AUTH of the edge, from the environment: its clients need tokens of user-svc unless it is off."""
    found = os.environ.get("AUTH") or "own"
    if found not in AUTHS:
        raise DevError(f"AUTH={found}: must be {' or '.join(AUTHS)}", status=2)
    return found


def given_overrides():
    """GRPC_PORT of the edge, from the environment."""
    port = os.environ.get("GRPC_PORT")
    return {"edge": {"GRPC_PORT": port}} if port else {}


def _usual_management(url):
    place = urls.Url(f"http://{url.host}:15672/", ("http",), 15672, login=False)
    return place.text(url.user, url.password, "")


def new(preset=None, observed=False, tls=False):
    """The stack as the environment describes it now; what it says is kept for the verbs that come later."""
    state = State(paths.default_state()).create()
    preset, given, auth, chosen = preset or build.default_preset(), given_servers(), given_auth(), ports.configured()
    overrides = given_overrides()
    state.save_ports(chosen)
    state.write("stack.json", {"preset": preset, "given": given, "auth": auth, "observed": observed, "tls": tls,
                               "overrides": overrides})
    return Stack(state.path, chosen, preset, overrides, given=given, auth=auth, observed=observed, tls=tls)


def known():
    """The stack as it was last started, or None if there never was one."""
    state = State(paths.default_state())
    settings = state.read("stack.json")
    if not settings:
        return None
    return Stack(state.path, ports.configured() | state.known_ports(), settings["preset"],
                 settings.get("overrides"), given=settings["given"],
                 auth=settings.get("auth", "off"), observed=settings.get("observed", False),  # one of before has none
                 tls=settings.get("tls", False))


def required():
    stack = known()
    if stack is None:
        raise DevError(f"there is no stack in {paths.default_state()}: ./dev up makes one")
    return stack
