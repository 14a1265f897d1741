"""The base systems of the suites `packages` and `debian-13`, made once by debootstrap and kept in the state folder."""
import json
import os
import shutil
import subprocess

from dev import account, packages, paths
from dev.report import DevError, step
from dev.state import State

MAKE_SECONDS = 2400  # minutes of a download and of a few hundred packages
NO_START = "#!/bin/sh\nexit 101\n"  # installing a package starts none of its servers
# A container with its own init, network and files, which needs neither machined nor a unit around it.
NSPAWN = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe")


class System:
    """names: packages of a release besides the minimal ones. It is made again if they change."""

    def __init__(self, name, release, *names):
        self.name = name
        self._release = release
        self._names = names
        self._state = State(paths.default_state())
        self.folder = os.path.join(self._state.path, "systems", name)
        self._mark = self.folder + ".json"

    def _content(self):
        return json.dumps([self._release, self._names])

    def installed(self):
        return os.path.isdir(self.folder) and account.read_file(self._mark) == self._content()

    def install(self):
        """→ its folder. Only root can make files of other users."""
        packages.ensure(packages.SYSTEMS)
        if self.installed():
            return self.folder
        if not account.is_root():
            raise DevError(f"only root can make the base system {self.name}")
        step(self.name, f"bootstrapping Debian {self._release}")
        self._state.create()
        new = self.folder + ".new"
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(os.path.dirname(new), exist_ok=True)
        self._fill(new)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.rename(new, self.folder)
        account.write_file(self._mark, self._content())
        return self.folder

    def _fill(self, folder):
        self._run(["debootstrap", "--variant=minbase", self._release, folder])
        # RabbitMQ resolves the machine's name, also where there is no network.
        account.write_file(os.path.join(folder, "etc/hostname"), self.name + "\n", mode=0o644)
        account.write_file(os.path.join(folder, "etc/hosts"), f"127.0.0.1 localhost {self.name}\n", mode=0o644)
        # dpkg need not wait for the disk: a system that is not whole is made again.
        account.write_file(os.path.join(folder, "etc/dpkg/dpkg.cfg.d/unsafe-io"), "force-unsafe-io\n", mode=0o644)
        policy = os.path.join(folder, "usr/sbin/policy-rc.d")
        account.write_file(policy, NO_START, mode=0o755)
        inside = [*NSPAWN, "--resolv-conf=copy-host", "--setenv=DEBIAN_FRONTEND=noninteractive", "-D", folder]
        self._run([*inside, "apt-get", "install", "-q", "-y", "--no-install-recommends", *self._names])
        self._run([*inside, "apt-get", "clean"])
        os.unlink(policy)

    def _run(self, words):
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, timeout=MAKE_SECONDS)
        if done.returncode != 0:
            end = "\n".join(done.stdout.splitlines()[-20:])
            raise DevError(f"the base system {self.name} cannot be made: {words[0]} failed\n{end}")


# An init, the servers, and what the packages depend on, so that they need no network.
MACHINE = System("machine", "bookworm", "systemd", "systemd-sysv", "dbus", "ca-certificates", "curl", "nginx-light",
                 "postgresql", "rabbitmq-server", "sqitch", "libdbd-pg-perl", "libcivetweb1", "libcjson1", "libcurl4",
                 "libnettle8", "libnghttp2-14", "libpq5", "libprotobuf-c1", "librabbitmq4", "libsodium23", "libssl3")
# The next release, on which the tests run.
DEBIAN_13 = System("debian-13", "trixie", *packages.UP, *packages.EVERYWHERE, *packages.BENCH,
                   *packages.OF_RELEASE["13"])
