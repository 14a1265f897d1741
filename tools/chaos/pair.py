"""Two edges of a stack with the default numbers, as they stand behind a proxy, and slow links to them."""
import http.client
import os
import signal
import subprocess
import sys
import time

from dev import account, ports
from dev.management import connect
from dev.report import DevError
from dev.services import SANITIZERS

HOST = "shop.example"
LOCAL_ONLY = ("DRAIN_MS", "DRAIN_KEPT_MS", "ADDRESS_RATE_LIMIT")  # what a local stack sets otherwise
READY_SECONDS = 30
END_SECONDS = 80


class Edge:
    """One edge with ports of its own. changes: variables other than the defaults."""

    def __init__(self, stack, name, changes=None):
        self._stack = stack
        self._file = os.path.join(stack.state.folder("env"), name + ".env")
        self.log = os.path.join(stack.state.folder("logs"), name + ".log")
        self.port, self.admin_port = ports.pick_one(()), ports.pick_one(())
        self._changes = changes or {}
        self._process = None

    def start(self):
        service = self._stack.services["edge"]
        variables = {name: value for name, value in service.variables().items() if name not in LOCAL_ONLY}
        variables |= {"PORT": str(self.port), "ADMIN_PORT": str(self.admin_port), "ALLOWED_HOSTS": HOST,
                      "TRUSTED_PROXIES": "127.0.0.1"} | self._changes
        account.write_file(self._file, "".join(f"{name}={value}\n" for name, value in variables.items()))
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | SANITIZERS
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen([service.program, "--env-file", self._file], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + READY_SECONDS
        while not self.ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise DevError(f"an edge is not ready: see {self.log}")
            time.sleep(0.02)

    def pid(self):
        return self._process.pid

    def ca(self):
        """[the file that its ports are verified with], or [] where they speak no TLS"""
        return [self._stack.certificates.ca] if self._stack.certificates else []

    def ready(self):
        certificates = self._stack.certificates
        connection = connect("127.0.0.1", self.admin_port, certificates and certificates.context(), seconds=2)
        try:
            connection.request("GET", "/health/ready", headers={"Host": HOST, "Connection": "close"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, seconds=END_SECONDS):
        """SIGTERM; → (exit status, seconds that it took)."""
        begin = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(seconds)
        return status, time.monotonic() - begin

    def kill(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Pair:
    """Both run as long as the block."""

    def __init__(self, stack, changes=None):
        self.edges = [Edge(stack, f"edge-{n}", changes) for n in (1, 2)]

    def __enter__(self):
        try:
            for edge in self.edges:
                edge.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for edge in self.edges:
            edge.kill()


class Link:
    """One edge as a proxy sees it over a slow network, as long as the block."""

    def __init__(self, edge, delay_ms):
        self.port = ports.pick_one(())
        self._words = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "delayed_link.py"),
                       *map(str, (self.port, edge.port, edge.admin_port, delay_ms)), *edge.ca()]
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_SECONDS
        while not ports.is_served(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise DevError("a slow link does not listen")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
