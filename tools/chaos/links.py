"""The links between services and servers, each through a proxy of its own that can spoil it."""
import http.client
import json
import os
import signal

from dev import account, manifests, ports
from dev.gotool import TOXIPROXY
from dev.proc import Process
from dev.report import DevError, tail


def _links():
    """(name, (service, variable that holds the address, name of the port behind it)): "order-pg", "payment-psp", …"""
    for one in manifests.ALL:
        for target, variable in one.targets().items():
            server = manifests.SERVER_LINKS.get(target)
            short = server[0] if server else manifests.named(target).short
            yield f"{one.short}-{short}", (one.name, variable, "amqp" if target == "rabbitmq" else target)


TABLE = dict(_links())
BOTH = ("upstream", "downstream")
ENDING = ("timeout", "reset_peer", "limit_data", "slow_close")  # toxics that end connections, if only when removed


class Link:
    """One link. "upstream" is what the service sends, "downstream" what it gets."""

    def __init__(self, proxies, name):
        self._proxies = proxies
        self.name = name
        self.service = TABLE[name][0]

    def toxic(self, kind, stream="downstream", **attributes):
        """One of toxiproxy's toxics, in the words of its documentation."""
        self._proxies.must("POST", f"/proxies/{self.name}/toxics",
                           {"type": kind, "stream": stream, "toxicity": 1.0, "attributes": attributes})

    def down(self):
        """Every connection is closed, and a new one refused."""
        self._proxies.must("POST", f"/proxies/{self.name}", {"enabled": False})

    def cut(self, after_ms=1000):
        """No byte passes either way; connections are closed after a while."""
        for stream in BOTH:
            self.toxic("timeout", stream, timeout=after_ms)

    def half_open(self, stream="downstream"):
        """One direction is silent, nobody is told, and no connection is closed."""
        self.toxic("timeout", stream, timeout=0)

    def reset(self):
        """Every connection ends with the next byte that is sent over it; a new one by RST."""
        for stream in BOTH:
            self.toxic("reset_peer", stream, timeout=0)

    def slow_close(self, delay_ms=3000):
        """The server's answer ends the connection, and whoever is at its ends hears of it late."""
        self.toxic("limit_data", "downstream", bytes=0)
        for stream in BOTH:
            self.toxic("slow_close", stream, delay=delay_ms)

    def slow(self, latency_ms, jitter_ms=0):
        """Everything comes later, in both directions together by latency_ms."""
        for stream in BOTH:
            self.toxic("latency", stream, latency=latency_ms // 2, jitter=jitter_ms // 2)

    def narrow(self, kib_per_s):
        for stream in BOTH:
            self.toxic("bandwidth", stream, rate=kib_per_s)

    def sliced(self, size=16, delay_us=100):
        """A few bytes a packet."""
        for stream in BOTH:
            self.toxic("slicer", stream, average_size=size, size_variation=size // 2, delay=delay_us)

    def clear(self):
        """Only this link is as it was."""
        self._proxies.mend(self._proxies.must("GET", f"/proxies/{self.name}"))


class Proxies:
    """The proxy program of one stack: a port for each link, and one for its own interface."""

    def __init__(self, state, targets):
        self._state = state
        self._process = Process(state, "toxiproxy")
        self._targets = targets  # {link: port behind it}
        names = ["api", *targets]
        self.ports = self._free_ports(names)

    def _free_ports(self, names):
        known = self._state.read("proxy-ports.json")
        for name in names:
            if name not in known:
                known[name] = ports.pick_one(known.values())
        self._state.write("proxy-ports.json", known)
        return known

    def start(self):
        """→ True if it was started; every link is whole then."""
        if self._process.pid() is not None:
            return False
        if not TOXIPROXY.installed():
            raise DevError(TOXIPROXY.missing())
        table = [{"name": name, "listen": f"127.0.0.1:{self.ports[name]}", "upstream": f"127.0.0.1:{port}",
                  "enabled": True} for name, port in self._targets.items()]
        config = os.path.join(self._state.path, "proxies.json")
        account.write_file(config, json.dumps(table))
        self._process.start([TOXIPROXY.program(), "-host", "127.0.0.1", "-port", str(self.ports["api"]), "-config",
                             config], {"PATH": "/usr/bin:/bin", "LOG_LEVEL": "error"}, self._state.folder("work"))
        self._process.wait_until(self._answers, 20, "listening")
        return True

    def stop(self):
        return self._process.stop((signal.SIGTERM, 5))

    def heal(self):
        for state in self.must("GET", "/proxies").values():
            self.mend(state)

    def mend(self, state):
        """Toxics that end connections leave dead ones behind in toxiproxy 2.12, which panics when the next toxic is
        added to such a one; so the link is made again."""
        name = state["name"]
        if any(toxic["type"] in ENDING for toxic in state["toxics"]):
            self.must("DELETE", f"/proxies/{name}")
            self.must("POST", "/proxies", {key: state[key] for key in ("name", "listen", "upstream")})
            return
        for toxic in state["toxics"]:
            self.must("DELETE", f"/proxies/{name}/toxics/{toxic['name']}")
        if not state["enabled"]:
            self.must("POST", f"/proxies/{name}", {"enabled": True})

    def must(self, method, path, body=None):
        try:
            status, answer = self._call(method, path, body)
        except OSError as error:
            raise DevError(f"toxiproxy does not answer {method} {path}: {error}; the end of its log:\n"
                           f"{tail(self._process.log)}") from None
        if not 200 <= status < 300:
            raise DevError(f"toxiproxy refused {method} {path}: {status} {answer}")
        return answer

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["api"], timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else None
        finally:
            connection.close()

    def _answers(self):
        try:
            return self._call("GET", "/proxies")[0] == 200
        except OSError:
            return False
