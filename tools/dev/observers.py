"""Observers of a stack: the servers of metrics, alerts, logs and traces with the product's own files, and exporters, on
loopback."""
import glob
import http.client
import json
import os
import signal
import sys

from dev import account, alert_relay, backends, manifests, paths, ports
from dev.parallel import at_once
from dev.postgres import psql
from dev.proc import Process

SOURCE = os.path.join(paths.ROOT, "infrastructure")
READY_SECONDS = 180  # Zipkin needs ten of an idle machine
STOP_SECONDS = 10
ROLE = "orderbus_observer"
# It reads the statistics of all databases, and no row of any table.
GRANT = """
SELECT 'CREATE ROLE orderbus_observer LOGIN CONNECTION LIMIT 5'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orderbus_observer') \\gexec
ALTER ROLE orderbus_observer PASSWORD :'password';
GRANT pg_monitor TO orderbus_observer;
GRANT CONNECT ON DATABASE postgres TO orderbus_observer;
"""
RELAY_ADDRESS = "127.0.0.1:9099"  # of the receivers in alertmanager.yml
COLLECTOR_FILES = {"logs.yml": "logs/otelcol.yml", "traces.yml": "otelcol/config.yaml"}


class Observer:
    """One program. path: of its interface, answers anything but 503 once it is ready; words(): its command;
    variables(): a dictionary, which may hold secrets."""

    def __init__(self, stack, name, path, words, variables=dict):
        self.name = name
        self.process = Process(stack.state, name)
        self._port = stack.ports[name]
        self._folder = stack.state.folder(os.path.join("observe", name))
        self._path = path
        self._words = words
        self.variables = variables

    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def own_ports(self):
        return [self.name]

    def running(self):
        return self.process.pid() is not None

    def start(self, wait=True):
        """Starts it unless it runs with these very settings; → True if it was started."""
        words, environment = self._words(self._folder), {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | self.variables()
        settings = json.dumps([words, environment]) + _texts(self._folder)
        if self.running():
            if self.process.matches(settings):
                return False
            self.stop()
        ports.require_free({self.name: self._port}, self.own_ports())
        self.process.start(words, environment, self._folder, settings)
        if wait:
            self.wait_ready()
        return True

    def stop(self, number=signal.SIGTERM):
        return self.process.stop((number, STOP_SECONDS))

    def wait_ready(self, seconds=READY_SECONDS):
        self.process.wait_until(self.ready, seconds, "ready")

    def ready(self):
        if not self.running():
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", self._path)
            answer = connection.getresponse()
            answer.read()
            return answer.status != 503  # the relay and the collector only know POST
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _texts(folder):
    """The configuration below a folder; targets are left out, because Prometheus reads them again by itself."""
    found = sorted(path for pattern in ("*.yml", "rules/*.yml") for path in glob.glob(os.path.join(folder, pattern)))
    return "".join(account.read_file(path) for path in found)


class Observers:
    """Those of one stack, in the folder "observe" of its state."""

    def __init__(self, stack):
        self._stack = stack
        self._all = {one.name: one for one in self._made()} if ports.OBSERVER_PORTS <= stack.ports.keys() else {}

    def _made(self):
        stack = self._stack
        yield Observer(stack, "node-exporter", "/metrics", lambda _: [
            "/usr/bin/prometheus-node-exporter", f"--web.listen-address={self._address('node-exporter')}",
            "--no-collector.systemd"])
        yield Observer(stack, "pg-exporter", "/metrics", lambda _: [
            "/usr/bin/prometheus-postgres-exporter", f"--web.listen-address={self._address('pg-exporter')}"],
            self._postgres_login)
        yield Observer(stack, "alert-relay", "/", lambda folder: [
            sys.executable, "-B", "-I", alert_relay.__file__, str(stack.ports["alert-relay"]), self._token_file()])
        yield Observer(stack, "alertmanager", "/-/ready", lambda folder: [
            "/usr/bin/prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
            f"--web.listen-address={self._address('alertmanager')}", "--cluster.listen-address=",
            f"--storage.path={folder}/data"])
        yield Observer(stack, "victorialogs", "/health", lambda folder: [
            backends.VICTORIALOGS.program(), f"-httpListenAddr={self._address('victorialogs')}",
            f"-storageDataPath={folder}/data", "-retentionPeriod=7d", "-memory.allowedBytes=64MiB"])
        yield Observer(stack, "zipkin", "/health", lambda folder: [
            backends.JAVA, "-Xmx256m", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true",
            f"-Djava.io.tmpdir={folder}", "-jar", backends.ZIPKIN.program(), "--armeria.ports[0].ip=127.0.0.1",
            f"--armeria.ports[0].port={stack.ports['zipkin']}", "--armeria.ports[0].protocols[0]=http"],
            lambda: {"MEM_MAX_SPANS": "100000"})
        yield Observer(stack, "otelcol", "/v1/traces", lambda folder: [
            backends.OTELCOL.program(), f"--config=file:{folder}/logs.yml", f"--config=file:{folder}/traces.yml"],
            self._collector_variables)
        yield Observer(stack, "prometheus", "/-/ready", lambda folder: [
            "/usr/bin/prometheus", f"--config.file={folder}/prometheus.yml",
            f"--web.listen-address={self._address('prometheus')}", f"--storage.tsdb.path={folder}/data",
            "--storage.tsdb.retention.time=30d", "--enable-feature=exemplar-storage"])

    def named(self, name):
        """None: there is no such observer."""
        return self._all.get(name)

    def expected(self):
        """Those that ./dev up --observe starts here: exporters only of servers that are ours."""
        if not self._stack.observed:
            return []
        own = self._stack.own_servers()
        return [one for one in self._all.values() if one.name != "pg-exporter" or "postgres" in own]

    def ports_to_take(self):
        return [name for one in self.expected() if not one.running() for name in one.own_ports()]

    def start(self):
        """→ the names of those that were started, all being ready."""
        self._prepare()
        chosen = self.expected()
        started = at_once([one.start for one in chosen])
        return [one.name for one, new in zip(chosen, started) if new]

    def stop(self):
        """Prometheus first, so that it sees nothing end."""
        for one in reversed(self._all.values()):
            one.stop()

    def _prepare(self):
        """Writes the product's files and what belongs to this stack alone: targets, the relay's address and token."""
        if "postgres" in self._stack.own_servers():
            psql(self._stack.servers.postgres.url(), GRANT, {"password": self._stack.state.secret("postgres-" + ROLE)})
        folder = self._folder("prometheus")
        for path in ("prometheus.yml", *glob.glob("rules/*.yml", root_dir=os.path.join(SOURCE, "prometheus"))):
            _write(os.path.join(folder, path), account.read_file(os.path.join(SOURCE, "prometheus", path)))
        self.write_targets()
        text = account.read_file(os.path.join(SOURCE, "alertmanager", "alertmanager.yml"))
        _write(os.path.join(self._folder("alertmanager"), "alertmanager.yml"),
               text.replace(RELAY_ADDRESS, self._address("alert-relay")))
        _write(self._token_file(), self._stack.state.secret("alert-relay"))
        for name, source in COLLECTOR_FILES.items():
            _write(os.path.join(self._folder("otelcol"), name), account.read_file(os.path.join(SOURCE, source)))

    def targets(self):
        """{file of targets: what stands in it}; JSON is YAML."""
        own = self._stack.own_servers()

        def group(name, **labels):
            return {"targets": [self._address(name)], "labels": labels}
        return {"services": [group(one.admin, service=one.name) for one in manifests.ON_BUS],
                "rabbitmq": [group("broker-metrics")] if "rabbitmq" in own else [],
                "postgres": [group("pg-exporter")] if "postgres" in own else [],
                "node": [group("node-exporter")], "alertmanager": [group("alertmanager")]}

    def write_targets(self, **others):
        """Prometheus reads the files again when they change. others: in place of the stack's own, by file."""
        for name, groups in (self.targets() | others).items():
            _write(os.path.join(self._folder("prometheus"), "targets", name + ".yml"), json.dumps(groups) + "\n")

    def _folder(self, name):
        return self._stack.state.folder(os.path.join("observe", name))

    def _token_file(self):
        return os.path.join(self._folder("alertmanager"), "secrets", "webhook-token")

    def _address(self, name):
        return f"127.0.0.1:{self._stack.ports[name]}"

    def _postgres_login(self):
        url = self._stack.servers.postgres.url("postgres", ROLE)
        return {"DATA_SOURCE_NAME": url + "?sslmode=disable"}

    def _collector_variables(self):
        stack = self._stack
        return {"ORDERBUS_LOGS": stack.state.folder("logs"), "ORDERBUS_OTLP": self._address("otelcol"),
                "ORDERBUS_COLLECTOR_STATE": os.path.join(self._folder("otelcol"), "positions"),
                "ORDERBUS_VICTORIALOGS": stack.url("victorialogs"), "ORDERBUS_ZIPKIN": stack.url("zipkin")}


def _write(path, text):
    """Leaves a file alone that is as it should be."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if account.read_file(path) != text:
        account.write_file(path, text)
