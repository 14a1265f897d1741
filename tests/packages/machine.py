"""A Debian that boots in a container of its own: systemd as its init, loopback alone, all changes forgotten."""
import os
import signal
import subprocess
import time

from dev import systems

BOOT_SECONDS = 120
STOP_SECONDS = 30


class Machine:
    def __init__(self, folder, shared):
        """folder: of the base system, which stays as it is. shared: a folder that the machine sees as /shared."""
        words = [*systems.NSPAWN, "--boot", "--private-network", "--volatile=overlay", f"--bind-ro={shared}:/shared",
                 "-D", folder]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.init = self._wait_init()

    def _wait_init(self):
        """The pid of the machine's init, once it takes orders; servers may still be starting."""
        until = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            children = self._children()
            if children and self._is_up(children[0]):
                return children[0]
            time.sleep(0.2)
        self.stop()
        raise AssertionError(f"the machine does not boot: {self._process.stderr.read()}")

    def _children(self):
        with open(f"/proc/{self._process.pid}/task/{self._process.pid}/children", encoding="ascii") as file:
            return file.read().split()

    @staticmethod
    def _is_up(init):
        return subprocess.run(["nsenter", "--target", init, "--all", "/bin/systemctl", "is-active", "basic.target"],
                              capture_output=True, check=False).returncode == 0

    def run(self, *words, status=0, text=None, seconds=600, env=()):
        """Runs a command in the machine as its root; → what it printed."""
        done = subprocess.run(["nsenter", "--target", self.init, "--all", "/usr/bin/env", "-i", "LC_ALL=C.UTF-8",
                               "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *env, *words],
                              input=text or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds, check=False)
        assert status is None or done.returncode == status, f"{' '.join(words)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def write(self, path, text, mode="0400"):
        self.run("sh", "-c", f"umask 077; mkdir -p $(dirname {path}); cat > {path}; chmod {mode} {path}", text=text)

    def exists(self, path):
        return self.run("sh", "-c", f"test -e '{path}' && echo there || true").strip() == "there"

    def show(self, unit, what):
        return self.run("systemctl", "show", "--value", f"--property={what}", unit).strip()

    def stop(self):
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
