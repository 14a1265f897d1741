"""Clients of many addresses, each of which asks the edge again as soon as it is answered."""
import selectors
import socket
import threading
import time
import urllib.parse

PER_ADDRESS = 60  # ADDRESS_CONNECTIONS allows 64
APART_SECONDS = 0.02
REQUEST = b"GET /api/orders?limit=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Crowd:
    """So many connections, in one thread, as long as a with block lasts. Each answer ends its connection."""

    def __init__(self, base, count):
        where = urllib.parse.urlsplit(base)
        self._address = where.hostname, where.port
        self._count = count
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def _open(self, selector, number):
        """All of 127.0.0.0/8 is this machine; 127.0.0.1 is left to the others."""
        made = socket.create_connection(self._address, timeout=5,
                                        source_address=(f"127.0.0.{2 + number // PER_ADDRESS}", 0))
        made.sendall(REQUEST)
        selector.register(made, selectors.EVENT_READ, number)

    def _run(self):
        with selectors.DefaultSelector() as selector:
            for number in range(self._count):
                self._open(selector, number)
                time.sleep(APART_SECONDS)  # not all of them are between two requests at a time
            while not self._ends.is_set():
                for key, _ in selector.select(0.5):
                    if not _read(key.fileobj):
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
                        self._open(selector, key.data)
            for key in list(selector.get_map().values()):
                key.fileobj.close()


def _read(connection):
    """False: the connection has ended."""
    try:
        return bool(connection.recv(65536))
    except ConnectionError:
        return False
