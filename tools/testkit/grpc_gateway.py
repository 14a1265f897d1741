"""nginx in front of edges that speak gRPC, as docs/grpc.md has it; only addresses are other ones."""
import os
import re
import signal
import subprocess

from dev import paths, ports
from testkit.client import wait_until

DOCUMENT = os.path.join(paths.ROOT, "docs", "grpc.md")
IN_DOCUMENT = ("10.0.0.11:8086", "10.0.0.12:8086")


def example():
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.search(r"^```nginx\n(.*?)^```$", file.read(), re.S | re.M).group(1)


class GrpcGateway:
    """It runs as long as the block."""

    def __init__(self, folder, upstreams):
        self.port = ports.pick_one(tuple(upstreams))
        self._folder = folder
        text = example()
        for address, upstream in zip(IN_DOCUMENT, upstreams):
            text = text.replace(address, f"127.0.0.1:{upstream}")
        text = text.replace("listen 8086 http2;", f"listen 127.0.0.1:{self.port} http2;")
        folders = "".join(f"{name}_temp_path {folder}/{name};\n"
                          for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        self._file = os.path.join(folder, "nginx.conf")
        os.makedirs(folder, exist_ok=True)
        with open(self._file, "w", encoding="utf-8") as file:
            file.write(f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log stderr notice;\n"
                       f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{folders}{text}}}\n")
        self._process = None

    def __enter__(self):
        with open(os.path.join(self._folder, "log"), "ab") as log:
            self._process = subprocess.Popen(["/usr/sbin/nginx", "-p", self._folder, "-e", "stderr", "-c", self._file],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: ports.is_served(self.port), 15, "nginx for gRPC")
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(15)
