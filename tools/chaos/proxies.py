"""nginx, HAProxy and Caddy as docs/deployment.md has them, in front of two edges; only addresses are other ones."""
import os
import re
import signal
import subprocess
import time

from dev import paths, ports
from dev.report import DevError

DOCUMENT = os.path.join(paths.ROOT, "docs", "deployment.md")
IN_DOCUMENT = ("10.0.0.11:8080", "10.0.0.12:8080")
START_SECONDS = 15
KINDS = ("nginx", "haproxy", "caddy")


def example(kind):
    """The document's block in that language."""
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.search(rf"^```{kind}\n(.*?)^```$", file.read(), re.S | re.M).group(1)


def _replaced(text, old, new):
    if old not in text:
        raise DevError(f"{DOCUMENT} has no \"{old}\" any more")
    return text.replace(old, new)


class Proxy:
    """One that runs as long as the block. upstreams: the ports of both edges, or of what stands before them."""

    def __init__(self, kind, folder, upstreams):
        self.port = ports.pick_one(())
        self._folder = os.path.join(folder, kind)
        self._log = os.path.join(self._folder, "log")
        text = example(kind)
        for address, upstream in zip(IN_DOCUMENT, upstreams):
            text = _replaced(text, address, f"127.0.0.1:{upstream}")
        os.makedirs(self._folder, exist_ok=True)
        self._words = getattr(self, "_" + kind)(text)
        self._process = None

    def _write(self, text):
        path = os.path.join(self._folder, "config")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _nginx(self, text):
        """The frame of a distribution's nginx.conf: two workers, as on two cores."""
        folders = "".join(f"{name}_temp_path {self._folder}/{name};\n"
                          for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        around = (f"{user}daemon off;\nworker_processes 2;\npid {self._folder}/pid;\nerror_log stderr notice;\n"
                  f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{folders}")
        text = _replaced(text, "listen 80;", f"listen 127.0.0.1:{self.port};")
        return ["/usr/sbin/nginx", "-p", self._folder, "-e", "stderr", "-c", self._write(around + text + "}\n")]

    def _haproxy(self, text):
        text = _replaced(text, "bind :80", f"bind 127.0.0.1:{self.port}")
        return ["/usr/sbin/haproxy", "-db", "-f", self._write("global\n    nbthread 2\n\n" + text)]

    def _caddy(self, text):
        text = _replaced(text, "http://shop.example", f"http://shop.example:{self.port}")
        path = self._write("{\n\tadmin off\n}\n\n" + text)
        return ["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", path]

    def __enter__(self):
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin", "HOME": self._folder}
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=environment, cwd=self._folder)
        deadline = time.monotonic() + START_SECONDS
        while not ports.is_served(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise DevError(f"{self._words[0]} does not listen: {self.log()[-2000:]}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def log(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()
