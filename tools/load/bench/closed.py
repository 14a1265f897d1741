"""The closed loop: so many connections, each with its next order as soon as the last one is answered."""
import uuid

from load.bench import cpu, wrk
from load.bench.system import PRODUCTS
from load.bench.window import Window
from dev.report import DevError


def run(system, options, products=PRODUCTS, items=1, url=None, token=None):
    """Orders over so many products, each with so many items. Every order that is made must be CONFIRMED. url: of
    another edge than the stack's own; token: the access token of each request."""
    window, processors = Window(system), cpu.Processors()
    arguments = [uuid.uuid4(), products, items] + ([token] if token else [])
    said = wrk.run(url or system.stack.url("edge"), "orders.lua", arguments, options.connections, options.seconds)
    idle, stolen = processors.end()
    orders, confirmed, took, costs = window.end()
    check(said, orders, confirmed)
    return {"accepted orders/s": said["requests"] / said["seconds"], "confirmed orders/s": confirmed / took,
            "orders": orders, "accept p50 ms": said["p50"], "accept p95 ms": said["p95"], "accept p99 ms": said["p99"],
            "processors idle %": idle, "processors stolen %": stolen,
            "CPU ms/order generator": said["cpu_ms"] / orders} | costs


def check(said, orders, confirmed):
    """Ends the run if its answers are wrong: such a run has no valid figures."""
    if said["status"] or said["broken"]:
        raise DevError(f"of {said['requests']} requests {said['status']} were refused and {said['broken']} broken")
    if orders < said["requests"] or confirmed != orders:
        raise DevError(f"{said['requests']} orders were accepted, {orders} exist, {confirmed} are CONFIRMED")
