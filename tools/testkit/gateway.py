"""infrastructure/nginx as it stands in front of edges with TLS; only addresses and folders are others."""
import glob
import os
import shutil
import signal
import subprocess
import time

from dev import paths, ports
from dev.certificates import GATEWAY
from dev.report import DevError

START_SECONDS = 15
SOURCES = os.path.join(paths.ROOT, "infrastructure", "nginx")


class Gateway:
    """nginx as long as the block. blue, green: ports of two edges each. changes: (old, new) texts of its files."""

    def __init__(self, folder, certificates, blue, green, changes=()):
        self.port, self.plain = ports.pick_one(()), ports.pick_one(())
        self.ca = certificates.ca
        self._folder = folder
        self._access, self._log = (os.path.join(folder, name) for name in ("access.log", "error.log"))
        os.makedirs(folder, exist_ok=True)
        for source, name in ((certificates.cert(GATEWAY), "gateway.pem"), (certificates.key(GATEWAY), "gateway.key"),
                             (certificates.ca, "ca.pem")):
            shutil.copy(source, os.path.join(folder, name))
        self._write(blue, green, changes)
        self._process = None

    def _write(self, blue, green, changes):
        addresses = ("10.0.0.11:8080", "10.0.0.12:8080", "10.0.0.21:8080", "10.0.0.22:8080")
        others = [(old, f"127.0.0.1:{port}") for old, port in zip(addresses, (*blue, *green))]
        others += [("listen 443 ", f"listen 127.0.0.1:{self.port} "), ("/etc/nginx/orderbus", self._folder),
                   ("/var/log/nginx/orderbus.log", self._access),
                   # The load generator speaks plain HTTP.
                   ("    server_name shop.example;", f"    listen 127.0.0.1:{self.plain};\n    server_name {GATEWAY};")]
        unused = {old for old, _ in (*others, *changes)}
        for path in glob.glob(os.path.join(SOURCES, "*.inc")) + [os.path.join(SOURCES, "orderbus.conf")]:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            unused -= {old for old in unused if old in text}
            for old, new in (*others, *changes):
                text = text.replace(old, new)
            with open(os.path.join(self._folder, os.path.basename(path)), "w", encoding="utf-8") as file:
                file.write(text)
        if unused:
            raise DevError(f"the configuration of nginx has no \"{unused.pop()}\" any more")
        folders = "".join(f"{name}_temp_path {self._folder}/{name};\n"
                          for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        with open(os.path.join(self._folder, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(f"{user}daemon off;\nworker_processes 2;\npid {self._folder}/pid;\n"
                       f"error_log {self._log} notice;\nevents {{ worker_connections 4096; }}\n"
                       f"http {{\n{folders}include {self._folder}/orderbus.conf;\n}}\n")

    def __enter__(self):
        words = ["/usr/sbin/nginx", "-p", self._folder, "-e", self._log, "-c", f"{self._folder}/nginx.conf"]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, cwd=self._folder)
        deadline = time.monotonic() + START_SECONDS
        while not ports.is_served(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise DevError(f"nginx does not listen: {self.log()[-2000:]}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)

    def switch(self, to_green):
        path = os.path.join(self._folder, "green")
        if to_green:
            with open(path, "w", encoding="ascii"):
                return
        os.unlink(path)

    def log(self):
        return _text(self._log)

    def requests(self):
        """Lines of the access log."""
        return _text(self._access).splitlines()

    def curl(self, path, *words, host=GATEWAY, seconds=20):
        """→ what curl says: the head and body of the answer, and behind them its status and version"""
        done = subprocess.run(["curl", "--silent", "--show-error", "--include", "--cacert", self.ca, "--no-buffer",
                               "--max-time", str(seconds), "--resolve", f"{host}:{self.port}:127.0.0.1",
                               "--write-out", "\n%{http_code} HTTP/%{http_version}", *words,
                               f"https://{host}:{self.port}{path}"], capture_output=True, text=True, check=False)
        return done.stdout + (f"\ncurl failed: {done.stderr}" if done.returncode else "")


def _text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
