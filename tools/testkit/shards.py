"""Workers that share the shards of their queues, numbered messages for them, and what their logs say of the order."""
import collections
import itertools
import json
import os
import threading
import time
import uuid

from dev import urls
from load.bench.scale import Twin
from testkit.amqp import Publisher, Refused

WORKERS = ("order-svc", "inventory-svc", "payment-svc")
QUEUES = ("order-svc", "order-svc.place", "inventory-svc", "payment-svc")


def shard_of(order_id, shards):
    """As libbus computes it (bus_shard_of), counted from 0."""
    value = 14695981039346656037
    for byte in uuid.UUID(order_id).bytes:
        value = (value ^ byte) * 1099511628211 % 2 ** 64
    return (value ^ value >> 32) % shards


def names(shards):
    return [f"{queue}.{number:02}" for queue in QUEUES for number in range(shards)]


class Further(Twin):
    """A further process of a worker, with settings of its own: it reads other shards at once than the first."""

    def __init__(self, stack, name, number, **variables):
        super().__init__(stack, name, number)
        self._own = variables

    def variables(self):
        return super().variables() | self._own


def readers(management, vhost):
    """→ {queue: {connection: whether it is the active one}}, of queues with a single active consumer."""
    found = collections.defaultdict(dict)
    for one in management.must("GET", "consumers", vhost):
        found[one["queue"]["name"]][one["channel_details"]["peer_port"]] = one["active"]
    return found


class Numbered(threading.Thread):
    """Sends each order the same command again and again, numbered, each once the broker has confirmed the one before:
    so their places in the queue are known. A command whose confirm was lost is sent again under its own id."""

    def __init__(self, nodes, orders, shards, pause):
        super().__init__(daemon=True)
        self._nodes, self._orders, self._shards, self._pause = itertools.cycle(nodes), orders, shards, pause
        self.numbers = {}  # message id: (order, number)
        self.sent = 0
        self._stopped = threading.Event()
        self._publisher = None

    def run(self):
        for number in itertools.count():
            for order_id in self._orders:
                if self._stopped.wait(self._pause):
                    return
                message_id = str(uuid.uuid4())
                self.numbers[message_id] = (order_id, number)
                while not self._try(order_id, message_id):
                    time.sleep(0.2)
                self.sent += 1

    def stop(self):
        self._stopped.set()
        self.join(60)
        assert not self.is_alive()

    def _try(self, order_id, message_id):
        shard = f"{shard_of(order_id, self._shards):02}/{self._shards}"
        properties = {"message_id": message_id, "correlation_id": order_id, "type": "order.cancel.v1",
                      "user_id": "edge", "app_id": "edge", "content_type": "application/json", "delivery_mode": 2}
        try:
            self._publisher = self._publisher or Publisher(next(self._nodes))
            body = json.dumps({"order_id": order_id}).encode()
            return self._publisher.publish("bus.cmd", "order.cancel", properties, {"bus-shard": shard}, body) == "ack"
        except (OSError, Refused):
            self._publisher = None
            return False


def node_urls(stack, user):
    """One URL for each node of the stack's cluster."""
    url = urls.broker(stack.amqp_url(user))
    url.others = ""
    found = []
    for node in stack.cluster.nodes.values():
        url.host = node.address
        found.append(url.text())
    return found


Decided = collections.namedtuple("Decided", "time process queue order message verdict")


def decided(logs):
    """logs: {process: its log at level debug}. → every message that a process decided, in the order of time."""
    found = []
    for process, log in logs.items():
        with open(log, encoding="utf-8") as file:
            for line in file:
                if '"message decided"' in line and line.endswith("}\n"):
                    one = json.loads(line)
                    if one.get("queue") and one.get("order_id"):
                        found.append(Decided(one["time"], process, one["queue"], one["order_id"], one["message_id"],
                                             one["verdict"]))
    return sorted(found, key=lambda one: one.time)  # stable: lines of one process stay as they were written


def handovers(lines, key):
    """→ {key(line): how often another process decided than the one before}."""
    found, last = collections.Counter(), {}
    for line in lines:
        if line.verdict == "duplicate":
            continue
        before = last.setdefault(key(line), line.process)
        found[key(line)] += before != line.process
        last[key(line)] = line.process
    return found


def out_of_order(lines, numbers):
    """→ the lines of numbered messages that were decided before one that lay before them in the queue. A message may
    be decided again: its first process has died, or its transaction was not committed."""
    top, wrong = collections.Counter(), []
    for line in lines:
        if line.message not in numbers or line.verdict == "duplicate":
            continue
        order, number = numbers[line.message]
        if number > top[order]:
            wrong.append((line, top[order]))
        top[order] = max(top[order], number + 1)
    return wrong


def log_of(process):
    return os.fspath(process.log)
