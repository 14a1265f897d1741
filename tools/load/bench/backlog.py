"""A backlog: orders that are taken on the broker's confirm alone while order-svc is away, and what they take once it is
back."""
import math
import time
import uuid

from load.bench import wrk
from load.bench.system import PRODUCTS
from dev.report import DevError

QUEUE = "order-svc.place"
PROBE_SECONDS = 3
DRAIN_SECONDS = 300


def run(system, options):
    system.stack.stop_service("order-svc")
    accepted, rate = fill(system, options)
    began = time.time()
    system.stack.start_service("order-svc")
    ready = time.time() - began
    system.wait(lambda: waiting(system) == 0 and system.since(began)[0] >= accepted, DRAIN_SECONDS,
                "the backlog is not taken")
    system.wait_for_rest()
    orders, confirmed, last = system.since(began)
    if confirmed != orders:
        raise DevError(f"{accepted} orders were accepted, {orders} exist, {confirmed} are CONFIRMED")
    return {"backlog orders": orders, "accepted on the confirm alone orders/s": rate, "ready after s": ready,
            "drained in s": last - began, "drained orders/s": orders / (last - began)}


def waiting(system):
    """As the broker knows it every second: asking the database would slow down what is measured."""
    api, vhost = system.stack.servers.rabbitmq.management(), system.stack.broker.admin.path
    return api.must("GET", "queues", vhost, QUEUE)["messages"]


def fill(system, options):
    """→ (orders accepted, how many a second once the edge has found out that nobody answers)"""
    accepted, rate = 0, 0.0
    while accepted < options.backlog:
        seconds = math.ceil((options.backlog - accepted) / rate) if rate else PROBE_SECONDS
        said = wrk.run(system.stack.url("edge"), "orders.lua", [uuid.uuid4(), PRODUCTS, 1], options.connections,
                       seconds)
        if said["status"] or said["broken"] or not said["requests"]:
            raise DevError(f"of {said['requests']} orders {said['status']} were refused and {said['broken']} broken")
        accepted, rate = accepted + said["requests"], said["requests"] / said["seconds"]
    return accepted, rate
