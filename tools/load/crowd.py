"""Many clients that ask again as soon as they are answered, each on its connection for as long as the edge keeps it:
how often each was served, and how long the longest wait was. Starts a stack of its own with the default numbers.

  ./dev load crowd [--connections 2000] [--seconds 30] [--path /api/products/SKU-00001] [--preset release]
"""
import argparse
import asyncio
import time

from load.memory import memory
from load.private_stack import edge_address, private_stack


class Client:
    """One connection at a time."""

    def __init__(self, address, request):
        self._address, self._request = address, request
        self.served, self.failed, self.longest = 0, 0, 0.0

    async def run(self, until):
        reader = writer = None
        while time.monotonic() < until:
            begin = time.monotonic()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(*self._address)
                writer.write(self._request)
                keeps = await self._read(reader)
                self.served += 1
            except (OSError, asyncio.IncompleteReadError, ValueError):
                self.failed += 1
                keeps = False
            self.longest = max(self.longest, time.monotonic() - begin)
            if not keeps and writer is not None:
                writer.close()
                writer = None
        if writer is not None:
            writer.close()

    @staticmethod
    async def _read(reader):
        """→ whether the connection is kept"""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if not head.startswith("http/1.1 200 "):
            raise ValueError(head)
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        return "connection: close" not in head


async def crowd(address, request, connections, seconds):
    clients = [Client(address, request) for _ in range(connections)]
    until = time.monotonic() + seconds
    await asyncio.gather(*(client.run(until) for client in clients))
    return clients


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load crowd", description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--path", default="/api/products/SKU-00001")
    parser.add_argument("--preset", default="release")
    options = parser.parse_args(words)
    request = f"GET {options.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with private_stack(options.preset, "crowd") as stack:
        clients = asyncio.run(crowd(edge_address(stack), request, options.connections, options.seconds))
        held = memory(stack.pid("edge"))
    served = sorted(client.served for client in clients)
    least, median, most, failed = served[0], served[len(served) // 2], served[-1], sum(c.failed for c in clients)
    print(f"{options.connections} connections, {sum(served) / options.seconds:.0f} requests/s; served least {least}, "
          f"median {median}, most {most}; longest wait {max(client.longest for client in clients):.2f} s, "
          f"{failed} failed; the edge holds {held[0] / 1024:.1f} MiB (RssAnon)")
    return 0 if failed == 0 and 2 * least >= median else 1
