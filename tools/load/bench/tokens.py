"""The closed loop through two edges of one stack in turn: one asks for no token, the other checks that of every
request."""
import contextlib
import itertools

from chaos.pair import Edge
from dev import token
from load.bench import closed, cpu

OPERATOR = "operator"  # has no limit of requests a second
SHOWN = ("confirmed orders/s", "accept p50 ms", "accept p99 ms")
MODES = {"without tokens": "off", "with tokens": "own"}
turn = itertools.count()


def run(system, options):
    """The edges change places from run to run, because the servers still work for the first one during the second."""
    found, backwards = {}, next(turn) % 2
    with contextlib.ExitStack() as opened:
        for name, auth in sorted(MODES.items(), reverse=not backwards):
            edge = Edge(system.stack, f"edge-{auth}", {"AUTH": auth, "ALLOWED_HOSTS": "localhost,127.0.0.1"})
            edge.start()
            opened.callback(edge.stop)
            sent = token.log_in(system.stack, OPERATOR) if auth == "own" else None
            groups = cpu.Groups({"edge": lambda edge=edge: [edge.pid()]})
            before = groups.read()
            every = closed.run(system, options, url=f"http://127.0.0.1:{edge.port}", token=sent)
            spent = cpu.difference(before, groups.read())["edge"]
            found |= {f"{name}: {what}": every[what] for what in SHOWN}
            found[f"{name}: CPU ms/order edge"] = spent / every["orders"]
    off, own = (found[f"{name}: confirmed orders/s"] for name in MODES)
    return found | {"with tokens, of the rate without %": 100 * own / off}
