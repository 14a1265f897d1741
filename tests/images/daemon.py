"""A Docker daemon of the test's own: its images, containers and socket lie in one folder, and it leaves the machine's
firewall alone."""
import json
import os
import re
import signal
import subprocess
import time

DOCKER, DOCKERD, COMPOSE = "/usr/bin/docker", "/usr/sbin/dockerd", "/usr/bin/docker-compose"
START_SECONDS = 120
STOP_SECONDS = 60
# Published ports are served by a process of Docker's, and containers reach each other over their bridge.
ALONE = ("--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false", "--bridge=none",
         "--default-address-pool", "base=10.79.0.0/16,size=24")


def _own_group():
    """[option that puts containers into the control group of this test, which may limit it], or []"""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        found = re.search(r"^\d+:(?:\S+,)?cpu(?:,\S+)?:(/.+)$", file.read(), re.M)
    return ["--cgroup-parent", found[1]] if found else []


class Docker:
    def __init__(self, folder):
        self._socket = "unix://" + os.path.join(folder, "docker.sock")
        self._environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder, "LANG": "C.UTF-8",
                             "DOCKER_HOST": self._socket, "DOCKER_BUILDKIT": "1"}
        self._log = os.path.join(folder, "dockerd.log")
        with open(self._log, "w", encoding="utf-8") as log:
            self._daemon = subprocess.Popen(
                [DOCKERD, "--data-root", os.path.join(folder, "data"), "--exec-root", os.path.join(folder, "exec"),
                 "--pidfile", os.path.join(folder, "pid"), "--host", self._socket, *ALONE, *_own_group()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._environment,
                start_new_session=True)
        self._wait()

    def _wait(self):
        until = time.monotonic() + START_SECONDS
        while self._call([DOCKER, "version"])[0] != 0:
            if time.monotonic() > until or self._daemon.poll() is not None:
                self.stop()
                with open(self._log, encoding="utf-8") as log:
                    raise AssertionError("the daemon does not start:\n" + log.read()[-3000:])
            time.sleep(0.2)

    def _call(self, words, seconds=120, env=None, text=None):
        done = subprocess.run(words, input=text or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds, check=False, env=self._environment | (env or {}))
        return done.returncode, done.stdout

    def run(self, *words, status=0, seconds=120, text=None):
        """docker WORDS; → what it printed"""
        found, said = self._call([DOCKER, *words], seconds, text=text)
        assert status is None or found == status, f"docker {' '.join(words)}: {found}\n{said[-6000:]}"
        return said

    def compose(self, files, *words, seconds=900, env=None, status=0, project="orderbus"):
        named = [word for file in files for word in ("--file", file)]
        found, said = self._call([COMPOSE, *named, "--project-name", project, *words], seconds, env)
        assert status is None or found == status, f"docker-compose {' '.join(words)}: {found}\n{said[-8000:]}"
        return said

    def import_folder(self, folder, name):
        """An image of a whole system's files."""
        with subprocess.Popen(["tar", "--create", "--one-file-system", "-C", folder, "."],
                              stdout=subprocess.PIPE) as tar:
            subprocess.run([DOCKER, "import", "-", name], stdin=tar.stdout, env=self._environment, check=True,
                           stdout=subprocess.DEVNULL, timeout=600)

    def inspect(self, name):
        return json.loads(self.run("inspect", name))[0]

    def stop(self):
        """With the networks that a failed test left, whose bridges would outlive the daemon."""
        if self._daemon.poll() is None:
            self._call([DOCKER, "network", "prune", "--force"])
            self._daemon.send_signal(signal.SIGTERM)
            self._daemon.wait(STOP_SECONDS)
