"""A whole stack whose services reach Postgres, RabbitMQ and the payment provider through proxies that can be spoilt."""
import contextlib
import os
import shutil
import threading
import time

from dev import build, demo, manifests, paths, private
from dev.report import DevError
from dev.stack import Stack

from chaos.links import TABLE, Link, Proxies

# Shorter than in production, where an outage of hours must not wear anything out, so that a run takes seconds: the
# payment provider's silence is noticed after 1.5 s, its slow retries come every 1 to 3 s, and outbox rows whose confirm
# was lost are due after 2 s. The circuit breakers have their default numbers.
OUTBOX = {"OUTBOX_GRACE_MS": "2000", "OUTBOX_LEASE_MS": "5000"}
SHORT = {one.name: (OUTBOX if one.database else {}) | one.variables("chaos") for one in manifests.ALL}
PLENTY = ("CHAOS-1", "CHAOS-2", "CHAOS-3", "CHAOS-4")
SOLD_OUT = "CHAOS-NONE"
UNKNOWN = "CHAOS-UNKNOWN"
KEPT = os.path.join(paths.ROOT, "build", "chaos", "logs")
_KEEPING = threading.Lock()  # several may end at a time


class ChaosStack(Stack):
    usual = SHORT

    def __init__(self, state_dir, preset="release", overrides=None, observed=False):
        super().__init__(state_dir, preset=preset, observed=observed)
        self.proxies = Proxies(self.state, {name: self.ports[behind] for name, (_, _, behind) in TABLE.items()})
        self.links = {name: Link(self.proxies, name) for name in TABLE}
        self._usual = _merged(self.usual, overrides or {})
        for service, variables in self._usual.items():
            self.overrides[service] = variables | self._addresses(service)

    def _addresses(self, service):
        """The service's usual settings, with the proxy's port in place of the server's."""
        given = self.services[service].variables()
        found = {}
        for link, (of, variable, behind) in TABLE.items():
            if of == service:
                found[variable] = given[variable].replace(f"127.0.0.1:{self.ports[behind]}",
                                                          f"127.0.0.1:{self.proxies.ports[link]}")
        return found

    def link(self, name):
        if name not in self.links:
            raise DevError(f"there is no link {name}: choose one of {', '.join(self.links)}")
        return self.links[name]

    def prepare(self):
        """Queues that are declared now count themselves often, not every five seconds, so that rest is soon seen."""
        self.servers.rabbitmq.ctl("eval", "application:set_env(rabbit, quorum_tick_interval, 300).")
        return super().prepare()

    def start_services(self):
        self.proxies.start()
        return super().start_services()

    def stop_services(self):
        super().stop_services()
        self.proxies.stop()

    def restart_with(self, service, variables, wait=True):
        """Stops the service and starts it with these variables over its usual ones; {}: with its usual ones alone."""
        self.overrides[service] = self._usual[service] | self._addresses(service) | variables
        self.stop_service(service)
        self.start_service(service, wait)

    def heal(self):
        """Every link whole, every program and server running; → the names of what had to be started."""
        self.proxies.start()
        self.proxies.heal()
        started = self.start_servers()
        return started + self.start_services()

    def put_catalogue(self):
        products = [{"product_id": name, "name": name, "price": 1000 + n, "currency": "EUR", "on_hand": 1_000_000_000}
                    for n, name in enumerate(PLENTY)]
        products.append({"product_id": SOLD_OUT, "name": SOLD_OUT, "price": 500, "currency": "EUR", "on_hand": 0})
        self.broker.publish(build.programs(self.preset), "inventory.put-product.v1", products)
        deadline = time.monotonic() + 30
        while demo.call(self, "GET", "/api/products/" + SOLD_OUT)[0] != 200:
            if time.monotonic() > deadline:
                raise DevError("the catalogue did not arrive within 30 s")
            time.sleep(0.05)


class DefaultStack(ChaosStack):
    """With the numbers of production."""
    usual = {name: {} for name in SHORT}


def _merged(first, second):
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in {*first, *second}}


def default_stack(preset="release"):
    return chaos_stack(preset, make=DefaultStack)


def chaos_stack(preset="release", overrides=None, make=ChaosStack):
    return stack_for_a_while("chaos", lambda folder: make(folder, preset, overrides), KEPT)


@contextlib.contextmanager
def stack_for_a_while(name, make, kept):
    """One that lives as long as the block, in a folder of its own. Its logs stay in `kept` until the next one."""
    def keep_logs(made):
        with _KEEPING:
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(made.state.folder("logs"), kept)

    with private.stack(name, make, keep_logs) as made:
        made.put_catalogue()
        yield made
