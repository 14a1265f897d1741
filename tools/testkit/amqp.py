"""A bare AMQP 0-9-1 client: it publishes what a compromised service may publish, with any property and header."""
import socket
import struct

from dev import urls

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
ACK, NACK, RETURN, CHANNEL_CLOSE, CONNECTION_CLOSE = (60, 80), (60, 120), (60, 50), (20, 40), (10, 50)


def _short(text):
    data = text.encode()
    return struct.pack(">B", len(data)) + data


def _long(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


def _value(value):
    if isinstance(value, (list, tuple)):
        return b"A" + _long(b"".join(_value(item) for item in value))
    return b"S" + _long(value)


def _table(entries):
    return _long(b"".join(_short(name) + _value(value) for name, value in entries.items()))


def _properties(properties, headers):
    """In the order of the protocol's flags, highest first."""
    flags, data = 0, b""
    for bit, name in ((15, "content_type"), (13, "headers"), (12, "delivery_mode"), (10, "correlation_id"),
                      (9, "reply_to"), (7, "message_id"), (5, "type"), (4, "user_id"), (3, "app_id")):
        value = headers if name == "headers" else properties.get(name)
        if value:
            flags |= 1 << bit
            data += _table(value) if name == "headers" else \
                struct.pack(">B", value) if name == "delivery_mode" else _short(value)
    return struct.pack(">H", flags) + data


class Refused(Exception):
    """The broker closed the channel or the connection, or let nobody in; args[0] is its code, 0 without one."""


class Publisher:
    def __init__(self, url):
        self.url = urls.broker(url)
        self.socket = socket.create_connection((self.url.host, self.url.port), timeout=10)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def _open(self):
        url = self.url
        self.socket.sendall(b"AMQP\x00\x00\x09\x01")
        self._expect((10, 10))
        plain = f"\x00{url.user}\x00{url.password}"
        self._send(0, (10, 11), _table({}) + _short("PLAIN") + _long(plain) + _short("en_US"))
        tune = self._expect((10, 30))
        self._send(0, (10, 31), tune[:6] + struct.pack(">H", 0))
        self._send(0, (10, 40), _short(url.path) + _short("") + b"\x00")
        self._expect((10, 41))
        self._send(1, (20, 10), _short(""))
        self._expect((20, 11))
        self._send(1, (85, 10), b"\x00")
        self._expect((85, 11))

    def publish(self, exchange, key, properties=None, headers=None, body=b"{}"):
        """→ "ack", "nack" or "returned"; Refused where the broker closes."""
        self._send(1, (60, 40), struct.pack(">H", 0) + _short(exchange) + _short(key) + b"\x01")  # mandatory
        self._frame(HEADER, 1, struct.pack(">HHQ", 60, 0, len(body)) + _properties(properties or {}, headers))
        self._frame(BODY, 1, body)
        returned = False
        while True:
            method, _ = self._next()
            returned = returned or method == RETURN
            if method in (ACK, NACK):
                return "nack" if method == NACK else "returned" if returned else "ack"

    def depth(self, queue):
        """How many messages lie ready in the queue, now."""
        self._send(1, (50, 10), struct.pack(">H", 0) + _short(queue) + b"\x01" + _table({}))  # passive
        arguments = self._expect((50, 11))
        return struct.unpack(">I", arguments[1 + arguments[0]:5 + arguments[0]])[0]

    def take(self, queue):
        """Takes a message off the queue, for good; → False if there is none."""
        self._send(1, (60, 70), struct.pack(">H", 0) + _short(queue) + b"\x01")
        return self._next()[0] == (60, 71)

    def _send(self, channel, method, arguments):
        self._frame(METHOD, channel, struct.pack(">HH", *method) + arguments)

    def _frame(self, kind, channel, payload):
        self.socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")

    def _expect(self, wanted):
        method, arguments = self._next()
        assert method == wanted, f"{method}, not {wanted}"
        return arguments

    def _next(self):
        """The next method; content of returned messages is skipped."""
        while True:
            kind, _, size = struct.unpack(">BHI", self._read(7))
            payload = self._read(size + 1)[:-1]
            if kind != METHOD:
                continue
            method = struct.unpack(">HH", payload[:4])
            if method in (CHANNEL_CLOSE, CONNECTION_CLOSE):
                code, = struct.unpack(">H", payload[4:6])
                raise Refused(code, payload[7:7 + payload[6]].decode())
            return method, payload[4:]

    def _read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise Refused(0, "the broker closed the connection")
            data += more
        return data
