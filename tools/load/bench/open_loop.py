"""The open loop: orders that come when they are due, however long the earlier ones take. A latency counts from the
moment that its request was due."""
import gc
import time
import uuid

from load.bench import counts, cpu, figures
from load.bench.system import PRODUCTS
from dev.report import DevError
from load.soak_verdict import percentile
from load.traffic import Single, Traffic, encode

ACCEPT, TO_THE_END = "accept", "to the end"
CONNECTIONS = 128
WAITING_PER_SECOND = 200  # requests that ask to wait for the end: all of them at low rates
WAIT_SECONDS = 10
WARM_UP = 1.0  # what is due in this time does not count: connections are made


class Orders(Single):
    """Plain ones, and every so often (0: never) one that is answered when it is final."""

    def __init__(self, waiting_every=0):
        self.run, self.waiting_every = uuid.uuid4(), waiting_every

    def request(self, number):
        items = [{"product_id": f"BENCH-{1 + number * 7 % PRODUCTS:05}", "quantity": 1}]
        body = {"idempotency_key": f"{self.run}-{number}", "items": items}
        if self.waiting_every and number % self.waiting_every == 0:
            return TO_THE_END, encode("POST", "/api/orders", body, f"Prefer: wait={WAIT_SECONDS}\r\n")
        return ACCEPT, encode("POST", "/api/orders", body)

    def note(self, kind, status, body):
        """Whether they are CONFIRMED, the database says."""

    @staticmethod
    def is_acceptable(answer):
        return answer.status in (201, 202)


class Punctual(Traffic):
    """Knows how late it was itself with each request; one that then waits for a free connection waits for the edge."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.late = []

    def _add(self, due):
        self.late.append(time.monotonic() - due)
        super()._add(due)


def run(system, options):
    found = {}
    for rate in options.rates:
        every = max(1, rate // WAITING_PER_SECOND)
        for orders, kind in ((Orders(), ACCEPT), (Orders(every), TO_THE_END)):
            figures_of = at_rate(system, options, rate, orders, kind)
            found |= {f"{rate}/s {name}": value for name, value in figures_of.items()}
    return found


def at_rate(system, options, rate, orders, kind):
    groups, began = cpu.of_stack(system.stack), time.time()
    before, own = groups.read(), time.process_time()
    traffic = send(system.stack.ports["edge"], rate, orders, options.seconds)
    own = (time.process_time() - own) * 1000
    system.wait_for_rest()
    spent = cpu.difference(before, groups.read())
    check(system, traffic, *system.since(began)[:2])
    count = len(traffic.answers)
    found = latencies(traffic.answers, kind)
    found[f"{kind}, generator late p99 ms"] = percentile(traffic.late, .99) * 1000
    if kind == ACCEPT:
        found["CPU ms/order"] = sum(spent[name] for name in cpu.SYSTEM) / count
        found["CPU ms/order generator"] = own / count
    return found


def send(port, rate, orders, seconds):
    """→ the traffic with its answers"""
    traffic = Punctual(("127.0.0.1", port), CONNECTIONS, orders, rate)
    gc.disable()  # its pauses would be latencies
    try:
        traffic.run(seconds=seconds + WARM_UP)
    finally:
        gc.enable()
        traffic.close()
    return traffic


def latencies(answers, kind):
    """The edge lets no more than a quarter of its threads wait: who asked for the end and got no more than a 202 counts
    as if it had waited in vain."""
    counted = [one for one in answers if one.kind == kind and one.due >= WARM_UP]
    vain = [kind == TO_THE_END and one.status != 201 for one in counted]
    found = figures.quantiles([1000 * (WAIT_SECONDS if in_vain else one.latency)
                               for one, in_vain in zip(counted, vain)], kind)
    return found | ({f"{kind}, in vain": sum(vain)} if kind == TO_THE_END else {})


def check(system, traffic, count, confirmed):
    refused = traffic.refused()
    if refused:
        counted = counts.by(counts.fetch(system.stack.url("edge")), "edge_refused_total", "cause")
        causes = ", ".join(f"{cause} {number:.0f}" for cause, number in counted.items() if number)
        raise DevError(f"{len(refused)} requests were refused, due at {refused[0].due:.2f} to {refused[-1].due:.2f} s, "
                       f"such as {refused[0]}; the edge counts {causes}")
    if not len(traffic.answers) == count == confirmed:
        raise DevError(f"{len(traffic.answers)} orders were placed, {count} exist, {confirmed} are CONFIRMED")
