#!/usr/bin/python3
"""A TCP link that delivers everything later, for a server whose readiness it follows: while that says 503 the link
takes no new connections and keeps the old ones, as a load balancer does. (A proxy that accepts and then finds nobody
behind it would look like a server that drops requests.)

  delayed_link.py PORT TARGET_PORT READY_PORT DELAY_MS [CA]

CA: the file that READY_PORT is verified with, where it speaks TLS.
"""
import asyncio
import contextlib
import ctypes
import socket
import ssl
import struct
import sys

LOOK_SECONDS = 0.05
SETTLE_SECONDS = 0.2
SO_ATTACH_FILTER = 26
# Loads the flags of the TCP header; drops the packet where SYN is among them.
NO_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


def refuse_new(listening):
    """Connections whose handshake has begun still come through."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in NO_SYN))
    listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                         struct.pack("HL", len(NO_SYN), ctypes.addressof(code)))


class Pipe(asyncio.Protocol):
    """One end of a connection: what it gets the other end sends `delay` seconds later; so it is with its end."""

    def __init__(self, delay):
        self.delay = delay
        self.other = None
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        asyncio.get_running_loop().call_later(self.delay, self.other.send, data)

    def eof_received(self):
        asyncio.get_running_loop().call_later(self.delay, self.other.send, None)
        return True  # the other direction stays open

    def connection_lost(self, _):
        asyncio.get_running_loop().call_later(self.delay, self.other.close)

    def send(self, data):
        if self.transport is None or self.transport.is_closing():
            return
        if data is not None:
            self.transport.write(data)
        elif self.transport.can_write_eof():
            with contextlib.suppress(OSError):  # the peer has reset the connection
                self.transport.write_eof()

    def close(self):
        if self.transport is not None:
            self.transport.close()


class Near(Pipe):
    """The end towards the client; it connects to the server first, and holds what comes until then."""

    def __init__(self, delay, target):
        super().__init__(delay)
        self._target = target

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.pause_reading()
        self.other = Pipe(self.delay)
        self.other.other = self
        asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self):
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.other, "127.0.0.1", self._target)
            self.transport.resume_reading()
        except OSError:
            self.transport.abort()


async def is_ready(port, context):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET /health/ready HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return line.split()[1:2] == [b"200"]
    except OSError:
        return False


def listen(port):
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(4096)
    made.setblocking(False)
    return made


async def main(port, target, ready_port, delay_ms, context):
    loop, server, listening = asyncio.get_running_loop(), None, None
    while True:
        ready = await is_ready(ready_port, context)
        if ready and server is None:
            listening = listen(port)
            server = await loop.create_server(lambda: Near(delay_ms / 1000, target), sock=listening)
        elif not ready and server is not None:
            refuse_new(listening)
            await asyncio.sleep(SETTLE_SECONDS)
            server.close()
            server = None
        await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    ca = ssl.create_default_context(cafile=sys.argv[5]) if sys.argv[5:] else None
    asyncio.run(main(*map(int, sys.argv[1:5]), ca))
