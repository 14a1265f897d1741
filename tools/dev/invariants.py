"""./dev invariants: the five invariants of a system that may be running, one line for each."""
import os

from dev import manifests, packages, paths, services, session
from dev.management import Management
from dev.report import DevError
from dev.stack import Stack
from dev.state import State

GIVEN = (*manifests.DATABASES, "ledger", "management")


def add_options(added):
    added.add_argument("--state", metavar="DIR", help="the state folder of a stack; default: that of ./dev up")
    for name in manifests.DATABASES:
        added.add_argument("--" + name, metavar="URL", help=f"of the database {name}, where there is no state folder")
    added.add_argument("--ledger", metavar="FILE", help="the payment provider's own record")
    added.add_argument("--management", metavar="URL", help="of the broker's management interface")
    added.add_argument("--vhost", default="orderbus", help="of the broker (orderbus)")
    added.add_argument("--accepted", metavar="FILE", help="ids of orders that must exist, one a line")
    added.add_argument("--cancelled", metavar="FILE", help="ids of orders whose cancel was accepted, one a line")
    added.add_argument("--wait", type=float, metavar="SECONDS",
                       help="until the system is at rest, at most; what holds at rest must hold then. Without it a "
                            "system under load is checked for what holds at any moment")


class _KnownStack:
    """The attributes that Sources.of_stack needs, for a stack that another process started."""

    def __init__(self, folder):
        os.environ["ORDERBUS_STATE"] = folder
        self._stack = session.known() or Stack(folder)
        self.ledger = lambda: services.ledger_file(self._stack.state)

    def __getattr__(self, name):
        return getattr(self._stack, name)


def _ids(path):
    if not path:
        return []
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def _sources(options):
    from chaos.invariants import Sources
    accepted, cancelled = _ids(options.accepted), _ids(options.cancelled)
    if any(getattr(options, name) for name in GIVEN):
        missing = [f"--{name}" for name in GIVEN if not getattr(options, name)]
        if missing:
            raise DevError(f"{' '.join(missing)} not given: a system without a state folder needs all of "
                           f"{' '.join('--' + name for name in GIVEN)}", status=2)
        urls = {name: getattr(options, name) for name in manifests.DATABASES}
        return Sources(urls, options.ledger, Management.from_url(options.management), options.vhost, accepted,
                       cancelled)
    folder = os.path.abspath(options.state or paths.default_state())
    if not State(folder).exists():
        raise DevError(f"{folder} is no state folder of a stack: ./dev up makes one, --state names one", status=2)
    return Sources.of_stack(_KnownStack(folder), accepted, cancelled)


def _checked(sources, wait):
    from chaos import invariants as five
    if wait is None and not five.is_at_rest(sources):
        print("the system is not at rest: checked for what holds at any moment; --wait SECONDS waits for rest")
        return five.check_running(sources)
    return five.check_at_rest(sources, wait or 0)


def invariants(options):
    packages.ensure(packages.CHECK)
    found = _checked(_sources(options), options.wait)
    print(*found.lines(), sep="\n")
    return 1 if found.violations() else 0
