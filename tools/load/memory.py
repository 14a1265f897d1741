"""Peaks of the services' memory while something else runs, from /proc/PID/status."""
import threading

from dev import manifests
from dev.proc import Process
from dev.state import State

SERVICES = tuple(one.name for one in manifests.ON_BUS)


class Sampler(threading.Thread):
    """Looks every 100 ms until it is stopped; `peaks` is {service: (RssAnon, VmRSS)} in KiB."""

    def __init__(self, state_dir):
        super().__init__(daemon=True)
        state = State(state_dir)
        self.pids = {name: Process(state, name).pid() for name in SERVICES}
        self.peaks = {name: (0, 0) for name in SERVICES}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.1):
            for name, pid in self.pids.items():
                now = memory(pid)
                self.peaks[name] = tuple(max(pair) for pair in zip(self.peaks[name], now))

    def stop(self):
        self.ended.set()
        self.join()


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["RssAnon"].split()[0]), int(fields["VmRSS"].split()[0])
