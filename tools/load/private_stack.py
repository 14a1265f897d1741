"""A stack of a load program's own, with the sample catalogue, in a folder that goes with it."""
import contextlib
import signal
import sys
import time

from dev import build, demo, private
from dev.stack import Stack

UNFINISHED = "SELECT count(*) FROM orders.order_list WHERE NOT (final AND payment_settled)"


@contextlib.contextmanager
def private_stack(preset, name, overrides=None):
    """SIGTERM ends the run like any error, so that no server is left over."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build.build_programs(preset)
    with private.stack(name, lambda folder: Stack(folder, preset=preset, overrides=overrides)) as stack:
        demo.seed(stack)
        yield stack


def edge_address(stack):
    return "127.0.0.1", stack.ports["edge"]


def wait_until_final(stack, seconds):
    """Until every order is; → False when that takes longer."""
    deadline = time.monotonic() + seconds
    while int(stack.sql("orders", UNFINISHED)[0][0]) > 0:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
