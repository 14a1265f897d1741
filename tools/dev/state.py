"""The state folder of a stack: data, logs, pids, passwords and ports, and the lock that serialises its changes."""
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import threading
import time

from dev import account, ports
from dev.report import DevError

MARK = "orderbus-state"
SUPERVISOR_SECONDS = 5
_SECRETS = threading.Lock()  # servers are started at the same time


def _locked(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class State:
    def __init__(self, path):
        self.path = os.path.realpath(path)
        # Postgres and RabbitMQ of root's stack must be able to pass through; all secrets lie in 0700 folders.
        self._mode = 0o711 if account.is_root() else 0o700

    def exists(self):
        return os.path.exists(os.path.join(self.path, MARK))

    def create(self):
        """Makes the folder ours; refuses one that holds something else, since reset wipes it."""
        if not self.exists():
            if os.path.isdir(self.path) and os.listdir(self.path):
                raise DevError(f"{self.path} is not empty and was not made by ./dev: choose another ORDERBUS_STATE")
            os.makedirs(self.path, mode=0o755, exist_ok=True)
            account.write_file(os.path.join(self.path, MARK), "One orderbus stack; ./dev reset wipes it.\n")
        os.chmod(self.path, self._mode)
        return self

    def folder(self, name, mode=0o700):
        path = os.path.join(self.path, name)
        if self.exists():
            os.makedirs(path, mode=mode, exist_ok=True)
        return path

    def wipe(self):
        if self.exists():
            shutil.rmtree(self.path)

    @contextlib.contextmanager
    def lock(self):
        """One change of the stack at a time; a second ./dev says so instead of waiting silently. A supervisor holds the
        lock for a moment, as long as it restarts a part."""
        self.create()
        patience = SUPERVISOR_SECONDS if os.path.exists(os.path.join(self.path, "run", "supervisor.json")) else 0.0
        deadline = time.monotonic() + patience
        with open(os.path.join(self.path, "lock"), "a", encoding="utf-8") as file:
            while not _locked(file):
                if time.monotonic() >= deadline:
                    raise DevError(f"another ./dev is changing the stack in {self.path}; wait for it to end")
                time.sleep(0.05)
            yield self

    def read(self, name):
        """A file of JSON; an empty dictionary if there is none."""
        try:
            with open(os.path.join(self.path, name), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def write(self, name, content):
        account.write_file(os.path.join(self.path, name), json.dumps(content, indent=1) + "\n")

    def secret(self, name):
        """A password, made at its first use and the same ever after."""
        with _SECRETS:
            known = self.read("secrets.json")
            if name not in known:
                known[name] = secrets.token_hex(16)
                self.write("secrets.json", known)
            return known[name]

    def known_ports(self):
        """The ports that the stack was last started with."""
        return self.read("ports.json")

    def save_ports(self, chosen):
        self.write("ports.json", chosen)

    def free_ports(self, names=tuple(ports.TABLE)):
        """Free ports, chosen once and kept as long as the state lives."""
        known = self.known_ports()
        missing = [name for name in names if name not in known]
        if missing:
            known |= ports.pick_free(missing)
            self.save_ports(known)
        return {name: known[name] for name in names}
