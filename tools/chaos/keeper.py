"""Cleans up after a run that was killed: waits for the end of its standard input, which the run holds, and then ends
what is left in the state folder, and takes down its mount and its network.

    python3 -m chaos.keeper STATE [--network COUNT] [--mount FOLDER]
"""
import argparse
import os
import subprocess
import sys
import time

from chaos.namespaces import Network
from dev import paths
from dev.servers import end_leftovers
from dev.state import State


class Keeper:
    """Held by the run: `release` says that the run has cleaned up by itself."""

    def __init__(self, state, *words):
        self._child = subprocess.Popen([sys.executable, "-B", "-m", "chaos.keeper", state.path, *words],
                                       stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
                                       cwd="/", env=os.environ | {"PYTHONPATH": paths.TOOLS})

    def release(self):
        self._child.stdin.write(b"done\n")
        self._child.stdin.close()
        self._child.wait(10)


def clean(state, hosts, mount):
    end_leftovers(state)
    if hosts:
        Network(state, hosts).down()
    if mount and os.path.ismount(mount):
        subprocess.run(["/usr/bin/umount", mount], check=True, timeout=10)
    state.wipe()


def main():
    parser = argparse.ArgumentParser(prog="keeper", description=__doc__)
    parser.add_argument("state")
    parser.add_argument("--network", type=int, default=0)
    parser.add_argument("--mount")
    options = parser.parse_args()
    if sys.stdin.read() == "done\n":
        return
    for attempt in range(5):  # what was being started while the run was killed may come up late
        try:
            clean(State(options.state), options.network, options.mount)
        except Exception as error:
            print(f"keeper: {error}", file=sys.stderr)
        time.sleep(1)


if __name__ == "__main__":
    main()
