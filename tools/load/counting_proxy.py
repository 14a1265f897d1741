"""A TCP proxy on loopback between a service and Postgres: reads the client's messages, counts its round trips."""
import socket
import threading

CHUNK = 1 << 20


class Frontend:
    """The client's side of one connection as a stream of messages (PostgreSQL manual, 55.7)."""

    def __init__(self, on_trip):
        self.on_trip = on_trip  # called with the SQL texts that were executed since the last Sync
        self.buffer = bytearray()
        self.started = False
        self.sql_of = {}
        self.executed = []

    def feed(self, data):
        self.buffer += data
        at = 0
        while True:
            head = 5 if self.started else 4
            if len(self.buffer) - at < head:
                break
            size = int.from_bytes(self.buffer[at + head - 4:at + head], "big") + head - 4
            if len(self.buffer) - at < size:
                break
            if self.started:
                self.message(chr(self.buffer[at]), self.buffer[at + 5:at + size])
            else:
                self.started = int.from_bytes(self.buffer[at + 4:at + 8], "big") == 196608  # else SSLRequest
            at += size
        del self.buffer[:at]

    def message(self, kind, body):
        if kind == "P":
            name, sql = bytes(body).split(b"\0")[:2]
            self.sql_of[name] = sql.decode()
        elif kind == "B":
            name = bytes(body).split(b"\0")[1]
            self.executed.append(self.sql_of.get(name, ""))
        elif kind == "S":
            self.on_trip(self.executed)
            self.executed = []


class CountingProxy:
    """Listens on a free port; `connections` holds, for each, what every Sync closed, in order."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append([])
            frontend = Frontend(self.connections[-1].append)
            threading.Thread(target=_pump, args=(client, server, frontend.feed), daemon=True).start()
            threading.Thread(target=_pump, args=(server, client, None), daemon=True).start()

    def close(self):
        self.listener.close()


def _pump(source, target, look):
    try:
        while data := source.recv(CHUNK):
            if look:
                look(data)
            target.sendall(data)
    except OSError:
        pass
    finally:
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
