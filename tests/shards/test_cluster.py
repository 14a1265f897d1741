"""Four shards of each work queue, two processes of each worker, three brokers: a broker and processes die."""
import os
import signal
import time
import uuid

import pytest

from chaos import invariants
from chaos.cluster import ClusterStack
from chaos.stack import chaos_stack
from dev import demo
from load.traffic import Mix, Traffic
from testkit import shards
from testkit.client import Api, item, wait_until

SHARDS, RATE, CLIENTS = 4, 20, 16
BEFORE, BETWEEN, ORDERS = 150, 350, 600
NUMBERED, PAUSE = 20, 0.02
FIRST, SECOND = {"CONSUME_SHARDS": "0-1"}, {"CONSUME_SHARDS": "2-3"}
# Without it the first processes would take the others' shards before these have started.
USUAL = {"LOG_LEVEL": "debug", "SHARD_STANDBY_MS": "20000"}


class ShardedCluster(ClusterStack):
    usual = {name: found | (USUAL | FIRST if name in shards.WORKERS else {})
             for name, found in ClusterStack.usual.items()}

    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        self.reshard(SHARDS)


@pytest.fixture(name="stack", scope="module")
def fixture_stack():
    with chaos_stack(os.environ.get("ORDERBUS_PRESET") or "asan", make=ShardedCluster) as made:
        demo.seed(made)
        yield made


@pytest.fixture(name="seconds", scope="module")
def fixture_seconds(stack):
    made = {name: shards.Further(stack, name, 2, **SECOND) for name in shards.WORKERS}
    try:
        for process in made.values():
            process.start()
        for process in made.values():
            process.wait_ready()
        yield made
    finally:
        for process in made.values():
            process.stop()


def readers(stack):
    return shards.readers(stack.cluster.management(), "orderbus")


def are_doubly_read(stack):
    found = readers(stack)
    return all(len(found[name]) == 2 for name in shards.names(SHARDS))


def active(found, name):
    return next(port for port, is_active in found[name].items() if is_active)


def test_each_process_has_its_shards_and_stands_by_for_the_others(stack, seconds):
    assert seconds
    wait_until(lambda: are_doubly_read(stack), 60, "two readers of each shard")
    found = readers(stack)
    for queue in shards.QUEUES:
        ports = [active(found, f"{queue}.{number:02}") for number in range(SHARDS)]
        assert ports[0] == ports[1] != ports[2] == ports[3], f"{queue}: {ports}"
        assert len(found[queue]) == 2


@pytest.mark.parametrize("number", (1, 2, 8))
def test_a_service_with_another_number_than_the_broker_says_the_cure(stack, number):
    stranger = shards.Further(stack, "payment-svc", 3, QUEUE_SHARDS=str(number), CONSUME_SHARDS="all")
    stranger.start()
    wait_until(lambda: not stranger.running(), 60, "the end of a service with another number")
    with open(shards.log_of(stranger.process), encoding="utf-8") as log:
        said = log.read()
    assert f"QUEUE_SHARDS is {number}" in said and "set the number that bus-topology apply was given" in said


def place(api):
    """Until it is accepted: the edge of a busy machine may refuse."""
    key = str(uuid.uuid4())
    return wait_until(lambda: api.place(item("SKU-00001"), key=key).json().get("order_id"), 60, "an accepted order")


def final_orders(stack, count):
    api = Api(stack.url("edge"))
    return [api.wait_final(order_id, 60)["order_id"] for order_id in [place(api) for _ in range(count)]]


def test_nothing_is_lost_and_the_order_kept_when_a_broker_and_a_process_die(stack, seconds):
    wait_until(lambda: are_doubly_read(stack), 60, "two readers of each shard")
    orders = final_orders(stack, NUMBERED)
    numbered = shards.Numbered(shards.node_urls(stack, "edge"), orders, SHARDS, PAUSE)
    mix = Mix(reads=False)
    with Traffic(("127.0.0.1", stack.ports["edge"]), CLIENTS, mix, RATE, repeats=False):
        numbered.start()
        wait_until(lambda: len(mix.accepted) >= BEFORE, 180, "orders before")
        node = stack.cluster.members("order-svc.00")[0]
        stack.cluster.kill(node)
        time.sleep(5)
        stack.kill("order-svc")
        seconds["inventory-svc"].process.signal(signal.SIGKILL)
        wait_until(lambda: len(mix.accepted) >= BETWEEN, 180, "orders without them")
        stack.cluster.start()
        stack.start_service("order-svc")
        seconds["inventory-svc"].start()
        seconds["order-svc"].stop()
        wait_until(lambda: len(mix.accepted) >= ORDERS, 180, "orders after")
        seconds["order-svc"].start()
        numbered.stop()
    found = invariants.check_at_rest(invariants.Sources.of_stack(stack, accepted=mix.accepted + orders), 180)
    assert not found.violations(), "\n".join(found.lines())
    check_order(stack, seconds, numbered, len(mix.accepted))


def check_order(stack, seconds, numbered, accepted):
    logs = {(name, kind): shards.log_of(process) for name in shards.WORKERS
            for kind, process in (("first", stack.services[name].process), ("second", seconds[name].process))}
    lines = [line for line in shards.decided(logs) if line.queue in shards.QUEUES]
    done = {line.message for line in lines if line.message in numbered.numbers}
    assert done == set(numbered.numbers), f"{len(numbered.numbers) - len(done)} numbered commands were not decided"
    wrong = shards.out_of_order(lines, numbered.numbers)
    assert not wrong, f"{len(wrong)} out of order, such as {wrong[0]}"
    by_order = shards.handovers(lines, lambda line: (line.queue, line.order))
    by_shard = shards.handovers(lines, lambda line: (line.queue, shards.shard_of(line.order, SHARDS)))
    print(f"shards: {accepted} orders accepted, {len(lines)} messages decided, {numbered.sent} numbered ones in the "
          f"order of the queue; handovers of a shard: {sorted(by_shard.values(), reverse=True)[:8]}")
    # The end of its reader's process or connection hands a shard over; a process that comes back stands by.
    assert max(by_shard.values()) <= 3 and max(by_order.values()) <= 3
