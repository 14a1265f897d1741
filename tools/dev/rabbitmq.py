"""A private RabbitMQ with an epmd of its own: every listener on one address, everything it writes inside the state."""
import contextlib
import http.client
import os
import shlex
import signal
import subprocess

from dev import account, ports
from dev.management import Management
from dev.paths import short_hash
from dev.proc import Process
from dev.report import DevError

USER = "rabbitmq"
ADMIN = "admin"
BIN = "/usr/lib/rabbitmq/bin"  # Debian's wrappers in /usr/sbin refuse ordinary users and work in the system's folders
START_SECONDS = 120
# The management agent's handler sets a variable of the application that is being stopped, and waits 5 s in vain for
# that (RabbitMQ 3.10.8, rabbit_mgmt_db_handler:ensure_statistics_disabled/0).
DROP_STATISTICS = "gen_event:delete_handler(rabbit_event, rabbit_mgmt_db_handler, [])."
DROP_SECONDS = 10
FORGET_CERTIFICATES = "ssl:clear_pem_cache()."


class RabbitMQ:
    address = "127.0.0.1"

    def __init__(self, state, chosen, vhost, suffix="", metrics=False, certificates=None):
        """suffix: of its folder and processes, where a state has several. metrics: with the plugin for Prometheus,
        which listens on the port "broker-metrics" of `chosen`. certificates: its listeners take connections with TLS
        alone, and that of AMQP those with a client certificate alone; None: without TLS."""
        self.state = state
        self.ports = chosen
        self.vhost = vhost
        self.metrics = metrics
        self.certificates = certificates
        self.home = os.path.join(state.path, "rabbitmq" + suffix)
        self.node = f"ob-{short_hash(state.path)}@localhost"
        self.process = Process(state, "rabbitmq" + suffix)
        self.epmd = Process(state, "epmd" + suffix)

    def url(self, user=ADMIN, vhost=None):
        # rabbitmq-c 0.11 compares names of a certificate, and no addresses.
        scheme, host = ("amqps", "localhost") if self.certificates else ("amqp", self.address)
        return (f"{scheme}://{user}:{self.state.secret('amqp-' + user)}@{host}:{self.ports['amqp']}/"
                f"{vhost or self.vhost}")

    def management_url(self):
        scheme = "https" if self.certificates else "http"
        return f"{scheme}://{ADMIN}:{self.state.secret('amqp-' + ADMIN)}@{self.address}:{self.ports['ui']}"

    def management(self):
        return Management.from_url(self.management_url(), self.certificates)

    def own_ports(self):
        """Those that must be free before a start; an epmd of ours may be left from a broker that died."""
        return ["amqp", "dist", "ui", *(["broker-metrics"] if self.metrics else []),
                *([] if self.epmd.pid() else ["epmd"])]

    def running(self):
        return self.process.pid() is not None and self.epmd.pid() is not None

    def _prefix(self):
        return account.prefix(USER)

    def start(self, wait=True):
        """Starts epmd and the broker unless both run with these very settings; → True if anything was started. wait:
        until the broker listens."""
        settings = self._settings()
        if self.running() and self.process.matches(settings):
            return False
        if not os.path.exists(f"{BIN}/rabbitmq-server"):
            raise DevError(f"RabbitMQ is not installed (no {BIN}/rabbitmq-server)")
        self.stop()
        ports.require_free(self.ports, self.own_ports())
        account.make_folder(self.home, USER)
        self._write_files(settings)
        self._start_epmd()
        self.process.start([*self._prefix(), f"{BIN}/rabbitmq-server"], self._environment(), self.home,
                           settings)
        if wait:
            self.process.wait_until(self._listens, START_SECONDS, "ready")
        return True

    def stop(self):
        """SIGTERM makes the broker close its connections and write everything out. epmd goes last."""
        self.prepare_stop()
        sent = self.process.stop((signal.SIGTERM, 30))
        self.epmd.stop((signal.SIGTERM, 5))
        return sent

    def prepare_stop(self):
        """So that SIGTERM ends the broker in a second; without it, or where it fails, in six."""
        if self.running() and self._listens():
            with contextlib.suppress(DevError, subprocess.TimeoutExpired):
                self.ctl("eval", DROP_STATISTICS, seconds=DROP_SECONDS)

    def kill(self):
        """SIGKILL to the node; its epmd stays, as it would on a host."""
        self.process.signal(signal.SIGKILL)
        if not self.process.wait_end(10):
            raise DevError(f"{self.process.name} does not end")

    def ctl(self, *words, seconds=60):
        """rabbitmqctl against this node. It would start an epmd of its own, so it is refused while ours is away."""
        if not self.running():
            raise DevError("the private RabbitMQ does not run")
        done = subprocess.run([*self._prefix(), f"{BIN}/rabbitmqctl", "-n", self.node, *words],
                              env=self._environment(), cwd=self.home, capture_output=True, text=True, check=False,
                              timeout=seconds)
        if done.returncode != 0:
            raise DevError(f"rabbitmqctl {words[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def write_ctl(self):
        """A program that is rabbitmqctl for this node, for tests and people; → its path."""
        path = os.path.join(self.state.path, "rabbitmqctl")
        settings = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in self._environment().items())
        words = shlex.join([*self._prefix(), f"{BIN}/rabbitmqctl", "-n", self.node])
        account.write_file(path, f"#!/bin/sh\n{settings}cd {shlex.quote(self.home)}\nexec {words} \"$@\"\n", mode=0o700)
        return path

    def _start_epmd(self):
        self.epmd.start([*self._prefix(), "/usr/bin/epmd", "-address", self.address, "-port",
                         str(self.ports["epmd"])], self._environment(), self.home)
        self.epmd.wait_until(lambda: ports.is_served(self.ports["epmd"], self.address), 10, "listening")

    def _listens(self):
        """The AMQP listener opens at the end of the start; the broker itself says that it is there."""
        try:
            status, _ = self.management().call("GET", "health", "checks", "port-listener", str(self.ports["amqp"]))
        except (OSError, http.client.HTTPException, ValueError):
            return False
        return status == 200

    def _file(self, name):
        return os.path.join(self.home, name)

    def _write_files(self, settings):
        account.write_file(self._file("rabbitmq.conf"), settings, USER)
        account.write_file(self._file("enabled_plugins"), f"[{','.join(self._plugins())}].\n", USER)
        account.write_file(self._file("rabbitmq-env.conf"), "", USER)
        account.write_file(self._file("advanced.config"), self._advanced(), USER)
        # Random and private, and there before the node and its tools would make one each.
        account.write_file(self._file(".erlang.cookie"), self.state.secret("erlang-cookie"), USER, 0o400)

    def _plugins(self):
        return ["rabbitmq_management", *(["rabbitmq_prometheus"] if self.metrics else [])]

    def _advanced(self):
        """Settings that rabbitmq.conf cannot express: Erlang terms. Quorum queues count their messages every second
        instead of every five, so that tests see an empty queue sooner."""
        return "[{rabbit, [{quorum_tick_interval, 1000}]}].\n"

    def _settings(self):
        # The administrator is made on the first start in the place of "guest", which never exists.
        settings = {
            "default_user": ADMIN, "default_pass": self.state.secret("amqp-" + ADMIN),
            "default_vhost": self.vhost, "default_user_tags.administrator": "true",
            "default_permissions.configure": ".*", "default_permissions.read": ".*",
            "default_permissions.write": ".*",
            "vm_memory_high_watermark.absolute": "1GiB", "disk_free_limit.absolute": "100MB",
            # Quorum queues keep in memory what is in the log until it is cut: 512 MB by default, half of what there is.
            "raft.wal_max_size_bytes": 67108864,
            "max_message_size": 1048576, "log.file": "false", "log.console": "true", "log.console.level": "info",
        } | self._listeners()
        if self.metrics:
            settings |= {"prometheus.tcp.ip": self.address, "prometheus.tcp.port": self.ports["broker-metrics"]}
        return "".join(f"{name} = {value}\n" for name, value in settings.items())

    def _listeners(self):
        amqp, management = f"{self.address}:{self.ports['amqp']}", {"ip": self.address, "port": self.ports["ui"]}
        if not self.certificates:
            return {"listeners.tcp.local": amqp} | {f"management.tcp.{name}": value
                                                    for name, value in management.items()}
        files = {"cacertfile": self.certificates.ca, "certfile": self.certificates.cert("rabbitmq"),
                 "keyfile": self.certificates.key("rabbitmq"), "versions.1": "tlsv1.3", "versions.2": "tlsv1.2"}
        peers = {"verify": "verify_peer", "fail_if_no_peer_cert": "true"}
        return {"listeners.tcp": "none", "listeners.ssl.local": amqp} | {
            f"ssl_options.{name}": value for name, value in (files | peers).items()} | {
            f"management.ssl.{name}": value for name, value in (management | files).items()}

    def reload(self):
        """Reads its certificates again with the next handshake, instead of in two minutes; → True if it runs."""
        return self.running() and self.ctl("eval", FORGET_CERTIFICATES) is not None

    def _environment(self):
        interface = "-kernel inet_dist_use_interface {" + self.address.replace(".", ",") + "}"
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": self.home,
            "RUNNING_UNDER_SYSTEMD": "true",  # no shell stays between us and the Erlang VM: signals reach it
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_CONF_ENV_FILE": self._file("rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": self._file("rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": self._file("advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": self._file("enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": self._file("mnesia"), "RABBITMQ_LOG_BASE": self._file("log"),
            "RABBITMQ_LOGS": "-", "RABBITMQ_PLUGINS_EXPAND_DIR": self._file("plugins-expand"),
            "RABBITMQ_GENERATED_CONFIG_DIR": self._file("config"), "RABBITMQ_PID_FILE": self._file("pid"),
            "RABBITMQ_DIST_PORT": str(self.ports["dist"]),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": interface, "RABBITMQ_CTL_ERL_ARGS": interface,
            "ERL_EPMD_PORT": str(self.ports["epmd"]), "ERL_EPMD_ADDRESS": self.address,
            "ERL_CRASH_DUMP": self._file("erl_crash.dump"), "ERL_CRASH_DUMP_SECONDS": "5",
        }
