"""A DNS server of its own for records SRV: Debian's dnsmasq on a port of the loopback address."""
import os
import subprocess
import time

from dev import ports
from dev.report import DevError

PROGRAM = "/usr/sbin/dnsmasq"
ZONE = "orderbus.test"
SECONDS = 10


class Dns:
    """Knows the names of ZONE, and nothing else. It stops with the block."""

    def __init__(self, folder):
        self.port = ports.pick_one(())
        self.address = f"127.0.0.1:{self.port}"
        self._log = os.path.join(folder, "dnsmasq.log")
        self._process = None

    def serve(self, records):
        """Starts again with other records: {"_amqp._tcp.mq": [(priority, weight, port, target), …]}."""
        self.stop()
        words = [PROGRAM, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-daemon",
                 "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={self.port}", "--pid-file=",
                 f"--local=/{ZONE}/", "--local-ttl=0"]
        words += ["--user=root"] if os.geteuid() == 0 else []
        words += [f"--srv-host={name}.{ZONE},{target},{port},{priority},{weight}"
                  for name, rows in records.items() for priority, weight, port, target in rows]
        with open(self._log, "a", encoding="utf-8") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + SECONDS
        while not ports.is_served(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                raise DevError(f"dnsmasq does not serve: {self._log}")
            time.sleep(0.05)

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait(SECONDS)
            self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *causes):
        self.stop()
