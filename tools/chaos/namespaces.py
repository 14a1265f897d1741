"""Hosts on one machine: a network namespace each, on one bridge, in a network of their own, whose links can break."""
import json
import random
import subprocess

from dev.paths import short_hash
from dev.report import DevError

SECONDS = 10
WAY_SECONDS = 3


def _ip(*words):
    done = subprocess.run(["/usr/sbin/ip", *words], capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise DevError(f"ip {' '.join(words)} failed: {done.stderr.strip()}")
    return done.stdout


def _exists(*words):
    return subprocess.run(["/usr/sbin/ip", *words], capture_output=True, timeout=SECONDS, check=False).returncode == 0


def _free_network():
    """10.77.N, which no route of this machine leads to; a default route leads everywhere and does not count."""
    taken = {route["dst"].rpartition(".")[0] for route in json.loads(_ip("-j", "-4", "route", "show", "table", "all"))}
    free = [f"10.77.{number}" for number in range(256) if f"10.77.{number}" not in taken]
    return random.choice(free)


class Network:
    """
    Root's alone. Names hold a hash of the state folder, so that two runs do not meet, and a second run of the same
    state finds what the first one left.
    """

    def __init__(self, state, count):
        self._state = state
        self._stem = "ob" + short_hash(state.path)[:6]
        self.bridge = self._stem + "br"
        self.count = count

    def _base(self):
        known = self._state.read("network.json")
        if not known:
            known = {"base": _free_network()}
            self._state.write("network.json", known)
        return known["base"]

    def address(self, number):
        """Hosts are counted from 1; this machine itself is .254."""
        return f"{self._base()}.{number}"

    def namespace(self, number):
        return f"{self._stem}-{number}"

    def _inside(self, number, *words):
        return _ip("-n", self.namespace(number), *words)

    def up(self):
        self.down()
        _ip("link", "add", self.bridge, "type", "bridge")
        _ip("address", "add", f"{self._base()}.254/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        for number in range(1, self.count + 1):
            self._add_host(number)
        for number in range(2, self.count + 1):
            self.expect_way(1, number)

    def expect_way(self, source, target):
        """A port that nobody listens at refuses at once; a firewall says nothing."""
        words = [*self.prefix(source), "/usr/bin/bash", "-c", f"</dev/tcp/{self.address(target)}/9"]
        try:
            subprocess.run(words, capture_output=True, timeout=WAY_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise DevError(
                f"{self.namespace(source)} cannot reach {self.namespace(target)} over the bridge {self.bridge}: a "
                "firewall of this machine drops what bridges forward. Docker sets it up so and leaves it behind: "
                "iptables -P FORWARD ACCEPT, or sysctl net.bridge.bridge-nf-call-iptables=0, opens the way") from None

    def _add_host(self, number):
        outside = f"{self._stem}v{number}"
        _ip("netns", "add", self.namespace(number))
        _ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", self.namespace(number))
        _ip("link", "set", outside, "master", self.bridge, "up")
        self._inside(number, "address", "add", f"{self.address(number)}/24", "dev", "eth0")
        self._inside(number, "link", "set", "lo", "up")
        self._inside(number, "link", "set", "eth0", "up")

    def down(self):
        """Removes all of it, or what there is of it. Processes inside must have ended, or they keep their namespace."""
        for number in range(1, self.count + 1):
            if _exists("link", "show", f"{self._stem}v{number}"):
                _ip("link", "delete", f"{self._stem}v{number}")  # first: with its namespace it goes, too, but later
            if _exists("-n", self.namespace(number), "link"):
                _ip("netns", "delete", self.namespace(number))
        if _exists("link", "show", self.bridge):
            _ip("link", "delete", self.bridge)

    def prefix(self, number):
        """The words in front of a command that make it run on that host."""
        return ["/usr/sbin/ip", "netns", "exec", self.namespace(number)]

    def _pairs(self, number):
        return [pair for other in range(1, self.count + 1) if other != number
                for pair in ((number, other), (other, number))]

    def part(self, number):
        """That host and the others no longer reach each other; this machine reaches all of them still."""
        for source, target in self._pairs(number):
            self._inside(source, "route", "add", "blackhole", f"{self.address(target)}/32")

    def join(self, number):
        for source, target in self._pairs(number):
            self._inside(source, "route", "delete", "blackhole", f"{self.address(target)}/32")

    def heal(self):
        """Every host reaches every other."""
        for number in range(1, self.count + 1):
            self._inside(number, "route", "flush", "type", "blackhole")
