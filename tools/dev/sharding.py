"""Changes the number of shards of each work queue on a running stack (docs/scaling.md)."""
import time

from dev import build, manifests
from dev.report import DevError

DRAIN_SECONDS = 60


def change(stack, number):
    """From 1 to more or back; to another number by way of 1."""
    if stack.broker.shards != number and stack.broker.shards > 1:
        shrink(stack)
    if stack.broker.shards != number:
        grow(stack, number)


def grow(stack, number):
    """The broker first, then every program: both numbers are read and written meanwhile."""
    stack.reshard(number)
    stack.broker.apply(build.programs(stack.preset))
    stack.start_services()


def shrink(stack):
    """The bindings first. Workers of the old number empty the shards before those of the new one start; what comes
    meanwhile waits in the queues themselves."""
    programs, broker = build.programs(stack.preset), stack.broker
    stack.reshard(1)
    broker.declare(programs)
    _wait_empty(broker)
    for one in manifests.WITH_DATABASE:
        stack.stop_service(one.name)
    said, status = broker.retire_shards(programs)
    if status != 0:
        raise DevError(f"bus-topology retire: {said}")
    broker.permit(programs)
    stack.start_services()


def _wait_empty(broker):
    deadline = time.monotonic() + DRAIN_SECONDS
    while lying := {one["name"]: one["messages"] for one in broker.shard_queues() if one.get("messages")}:
        if time.monotonic() > deadline:
            raise DevError(f"shards are not empty within {DRAIN_SECONDS} s: {lying}")
        time.sleep(0.2)
