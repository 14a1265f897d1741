"""More processes of a stack's services; two edges with the default numbers, as they stand behind a proxy, and slow
links to them."""
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


class Instance:
    """One process of a service beside the stack's own, with ports of its own. changes: variables other than that one's.
    Between a stop and a start, `stack` may become one of another version."""

    def __init__(self, stack, service, name, changes=None):
        self.stack = stack
        self._service = service
        self._file = os.path.join(stack.state.folder("env"), name + ".env")
        self.log = os.path.join(stack.state.folder("logs"), name + ".log")
        self.port = ports.pick_one(())
        two = stack.services[service].manifest.serves_clients
        self.admin_port = ports.pick_one(()) if two else self.port
        self._ports = {"PORT": str(self.port)} | ({"ADMIN_PORT": str(self.admin_port)} if two else {})
        self._changes = changes or {}
        self._process = None

    def _variables(self):
        return self.stack.services[self._service].variables() | self._ports | self._changes

    def start(self):
        account.write_file(self._file, "".join(f"{name}={value}\n" for name, value in self._variables().items()))
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | SANITIZERS
        program = self.stack.services[self._service].program
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen([program, "--env-file", self._file], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + READY_SECONDS
        while not self.ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise DevError(f"{self._service} is not ready: see {self.log}")
            time.sleep(0.02)

    def pid(self):
        return self._process.pid

    def ca(self):
        """[the file that its ports are verified with], or [] where they speak no TLS"""
        return [self.stack.certificates.ca] if self.stack.certificates else []

    def ready(self):
        certificates = self.stack.certificates
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


class Edge(Instance):
    """One edge with the default numbers."""

    def __init__(self, stack, name, changes=None):
        super().__init__(stack, "edge", name, {"ALLOWED_HOSTS": HOST, "TRUSTED_PROXIES": "127.0.0.1"} | (changes or {}))

    def _variables(self):
        return {name: value for name, value in super()._variables().items() if name not in LOCAL_ONLY}


class Pair:
    """Both run as long as the block."""

    def __init__(self, stack, changes=None, names=("edge-1", "edge-2")):
        self.edges = [Edge(stack, name, changes) for name in names]

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
