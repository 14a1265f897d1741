"""HTTP as bytes on a socket, for what no well-behaved client would send."""
import json
import socket
import time


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    def json(self):
        return json.loads(self.body)


class Wire:
    """One connection."""

    def __init__(self, port, timeout=10):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, data):
        """False when the other side has already closed."""
        try:
            self._socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
            return True
        except OSError:
            return False

    def _fill(self):
        try:
            more = self._socket.recv(65536)
        except ConnectionError:
            return False
        self._buffer += more
        return bool(more)

    def read(self, head=False):
        """The next answer; None when the connection was closed before one. head: of a HEAD request, without a body."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._fill():
                return None
        raw, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = 0 if head else int(headers.get("content-length", "0"))
        while len(self._buffer) < length and self._fill():
            pass
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(lines[0].split()[1]), headers, body)

    def is_closed(self, seconds=3):
        """Did the server close, without sending anything more?"""
        if self._buffer:
            return False
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


def exchange(port, data, timeout=10):
    """Sends bytes on a new connection; → (the answer or None, whether the server then closed)."""
    with Wire(port, timeout) as wire:
        wire.send(data)
        answer = wire.read()
        return answer, answer is None or wire.is_closed()


def request(method="POST", path="/api/orders", headers=(), body=b"", host="localhost", length=True):
    """A request's bytes; headers are whole lines, put before Content-Length."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += list(headers)
    if length and (body or method == "POST"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def trickle(wire, data, seconds_per_byte, seconds):
    """One byte at a time, until the other side has had enough; → after how many seconds that was, or None."""
    begin = time.monotonic()
    for byte in data:
        if not wire.send(bytes([byte])):
            return time.monotonic() - begin
        time.sleep(seconds_per_byte)
        if time.monotonic() - begin > seconds:
            return None
    return None
