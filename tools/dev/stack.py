"""A whole stack in one state folder: two servers, the services and their databases. ./dev up and the tests use it."""
import os
import signal

from dev import build, databases, manifests, ports, services
from dev.broker import Broker
from dev.certificates import Certificates
from dev.observers import Observers
from dev.parallel import at_once
from dev.postgres import psql
from dev.proc import Process
from dev.report import DevError, warn
from dev.servers import Servers, end_leftovers
from dev.state import State

SERVERS = ("postgres", "rabbitmq")
VHOST = "orderbus"
SUPERVISOR_SECONDS = 5


class Stack:
    """
    state_dir   where it lives; what lies there from last time is used again
    chosen      {name: port} (names of ports.TABLE); None: free ports, the same ones as long as the state lives
    preset      which build's programs run
    overrides   {service: {variable: value}}, over what the stack sets itself
    given       {database: url, …} for each of manifests.DATABASES and/or {"amqp": url, "management": url}:
                administrators' URLs of servers that exist; the stack starts none of that kind then
    auth        AUTH of the edge: "off" for tests and measurements whose subject it is not, or "own"
    observed    the broker serves its metrics, and start() starts Prometheus and the rest of dev.observers too
    tls         every listener and every connection has TLS, by certificates of the state's own CA
    shards      of each work queue; reshard() changes the number
    """

    def __init__(self, state_dir, chosen=None, preset="asan", overrides=None, given=None, auth="off", observed=False,
                 tls=False, shards=1):
        self.state = State(state_dir).create()
        self.preset = preset
        self.auth = auth
        self.overrides = overrides or {}
        self.given = given or {}
        self.observed = observed
        self.tls = tls
        self.certificates = Certificates(self.state) if tls else None
        self.ports = chosen or self.state.free_ports()
        self.supervisor = Process(self.state, "supervisor")
        self.servers = self.make_servers()
        self.databases = databases.Databases(self.state, self._admin_urls())
        self.broker = Broker(self.state, self.given.get("amqp") or self.servers.rabbitmq.url(), self._management_url(),
                             self.broker_certificates())
        self.reshard(shards)
        self.services = {name: services.Service(self, name) for name in manifests.NAMES}
        self.observers = Observers(self)

    def reshard(self, number):
        """Sets the number for programs that are started from now on."""
        self.broker.shards = number

    def make_servers(self):
        return Servers(self.state, self.ports, VHOST, metrics=self.observed, certificates=self.certificates)

    def broker_certificates(self):
        """None for a broker that is given: whoever gave it knows its certificates."""
        return None if "amqp" in self.given else self.certificates

    def _admin_urls(self):
        return {name: self.given.get(name) or self.servers.postgres.url(name) for name in manifests.DATABASES}

    def _management_url(self):
        if "amqp" in self.given:
            return self.given["management"]
        return self.servers.rabbitmq.management_url()

    # Starting and stopping everything

    def own_servers(self):
        """The servers that are ours to start and to stop."""
        has = {"postgres": self._is_database_given(), "rabbitmq": "amqp" in self.given}
        return [name for name in SERVERS if not has[name]]

    def _is_database_given(self):
        return any(name in self.given for name in manifests.DATABASES)

    def start(self):
        """Everything, from whatever is there to all services ready."""
        with self.state.lock():
            self.check_ports()
            self.start_servers()
            self.prepare()
            self.start_services()
            if self.observed:
                self.observers.start()
        return self

    def check_ports(self):
        """All the ports at once, before anything is started."""
        for name in self.own_servers():
            if not self._server(name).running():
                ports.require_free(self.ports, self._server(name).own_ports())
        for service in self.services.values():
            if not service.running():
                ports.require_free(self.ports, service.own_ports())
        if self.observed:
            ports.require_free(self.ports, self.observers.ports_to_take())

    def start_servers(self):
        if self.certificates:
            self.certificates.make()
        for name in SERVERS:
            if name not in self.own_servers():
                self._server(name).stop()  # ours may still run from the time before one was given
        names = self.own_servers()
        started = at_once([self._server(name).start for name in names])
        return [name for name, new in zip(names, started) if new]

    def prepare(self):
        """Roles, databases, migrations, users, permissions, topology; → how many changes each database got."""
        deployed = self.migrate()
        self.broker.set_up(build.programs(self.preset))
        return deployed

    def migrate(self):
        """Roles, databases and migrations alone, on a Postgres that runs; → how many changes each database got."""
        self.databases.create(None if self._is_database_given() else "postgres")
        return self.databases.migrate()

    def start_services(self):
        """→ the names of those that were started, all being ready."""
        started = [name for name, service in self.services.items() if service.start()]
        self.wait_ready()
        return started

    def wait_ready(self, seconds=services.READY_SECONDS):
        for service in self.services.values():
            service.wait_ready(seconds)

    def stop(self):
        """First the supervisor ends, then services drain together, then the broker, epmd and Postgres end; nothing of
        this state runs afterwards."""
        self._end_supervisor()
        with self.state.lock():
            self.observers.stop()
            self.stop_services()
            self.servers.stop()
            end_leftovers(self.state)

    def end(self):
        """As stop, for a stack that nobody will start again: the services drain, and the broker, which would take
        seconds, is killed."""
        try:
            self._end_supervisor()
            with self.state.lock():
                self.stop_services()
                self.servers.rabbitmq.kill()
        finally:
            self.stop()

    def _end_supervisor(self):
        """Without the state's lock, which it may hold."""
        self.supervisor.stop((signal.SIGTERM, SUPERVISOR_SECONDS))

    def stop_services(self):
        for service in self.services.values():
            service.process.signal(signal.SIGTERM)
        for name in reversed(manifests.NAMES):
            if self.services[name].stop() == signal.SIGKILL:
                warn(f"{name} did not drain within {services.DRAIN_SECONDS} s and was killed")

    def reload_certificates(self):
        """Has what runs read its certificate again; → the names of what was told."""
        told = [name for name in self.own_servers() if self._server(name).reload()]
        return told + [name for name, service in self.services.items() if service.process.signal(signal.SIGHUP)]

    # One part of it: a service of manifests.NAMES, or one of SERVERS

    def _server(self, name):
        return getattr(self.servers, name)

    def part(self, name):
        if name in self.services:
            return self.services[name]
        if name in self.own_servers():
            return self._server(name)
        if observer := self.observers.named(name):
            return observer
        raise DevError(f"there is no {name} here: choose one of {', '.join([*manifests.NAMES, *self.own_servers()])}")

    def begin_part(self, name):
        """Starts a service or server, and does not wait until it is ready."""
        part = self.part(name)
        if name in self.services:
            part.start()
        else:
            part.start(wait=False)

    def start_service(self, name, wait=True):
        part = self.part(name)
        part.start()
        if wait and name in self.services:
            part.wait_ready()

    def stop_service(self, name, number=signal.SIGTERM):
        """For a service any signal; a server is stopped in its own way. → the last signal that was needed."""
        return self.part(name).stop(number) if name in self.services else self.part(name).stop()

    def kill(self, name):
        """SIGKILL, at once; → True if it ran."""
        process = self.part(name).process
        was_there = process.signal(signal.SIGKILL)
        process.wait_end(10)
        return was_there

    def signal(self, name, number):
        """Any signal, without waiting (SIGSTOP, SIGCONT, …); → True if it runs."""
        return self.part(name).process.signal(number)

    def pid(self, name):
        return self.part(name).process.pid()

    def log(self, name):
        return self.part(name).process.log

    # Addresses and files

    def url(self, name):
        """http://… of a service, of its port for health and metrics (Manifest.admin), or of the management "ui"; with
        TLS https://…"""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.ports[name]}"

    def database_url(self, database, role=None):
        """postgresql://… for a role ("order_svc", "orders_migrator", …); without one the administrator's."""
        return self.databases.url(database, role)

    def amqp_url(self, user=None):
        """amqp://… for one of broker.USERS; without one the administrator's."""
        return self.broker.url(user)

    def sql(self, database, text):
        """Runs SQL as the administrator; → the printed rows as lists of texts."""
        rows = psql(self.database_url(database), text).splitlines()
        return [row.split("|") for row in rows]

    def ledger(self):
        """The PSP sandbox's ledger: lines of JSON, absent until something was charged."""
        return services.ledger_file(self.state)

    def wipe(self):
        if os.path.isdir(self.state.path):
            self.state.wipe()
