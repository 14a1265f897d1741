"""Many clients that ask again as soon as they are answered, each on its connection for as long as the edge keeps it:
how often each was served, and how long the longest wait was. Starts a stack of its own with the default numbers.

  ./dev load crowd [--connections 2000] [--seconds 30] [--path /api/products/SKU-00001] [--preset release]
"""
import argparse
import collections

from load.memory import memory
from load.private_stack import edge_address, private_stack
from load.traffic import Reads, Traffic


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load crowd", description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--path", default="/api/products/SKU-00001")
    parser.add_argument("--preset", default="release")
    options = parser.parse_args(words)
    with private_stack(options.preset, "crowd") as stack:
        traffic = Traffic(edge_address(stack), options.connections, Reads(options.path))
        traffic.run(seconds=options.seconds)
        traffic.close()
        held = memory(stack.pid("edge"))
    failed = len(traffic.refused())
    by_client = collections.Counter(answer.client for answer in traffic.answers if answer.status == 200)
    served = sorted(by_client[client] for client in range(options.connections))
    least, median, most = served[0], served[len(served) // 2], served[-1]
    print(f"{options.connections} connections, {sum(served) / options.seconds:.0f} requests/s; served least {least}, "
          f"median {median}, most {most}; longest wait {max(answer.latency for answer in traffic.answers):.2f} s, "
          f"{failed} failed; the edge holds {held[0] / 1024:.1f} MiB (RssAnon)")
    return 0 if failed == 0 and 2 * least >= median else 1
