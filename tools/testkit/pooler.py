"""PgBouncer between services and a stack's Postgres."""
import os
import re
import signal
import subprocess

from dev import account, manifests, ports
from dev.postgres import USER, psql
from dev.proc import Process
from dev.report import DevError
from testkit.client import wait_until

PROGRAM = "/usr/sbin/pgbouncer"
CARRIES = (1, 21)  # the first version whose sessions of a server know each client's prepared statements


def carries_statements():
    """Whether transaction mode can serve programs that prepare statements once a connection."""
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.search(r"PgBouncer (\d+)\.(\d+)", said).groups()) >= CARRIES


class Pooler:
    """A pool of each service's role; its server can change while clients stay."""

    def __init__(self, stack, mode):
        self.stack = stack
        self.mode = mode
        self.port = ports.pick_free(["pooler"])["pooler"]
        self.home = os.path.join(stack.state.path, "pooler")
        self.process = Process(stack.state, "pooler")

    def start(self, server):
        """server: the Postgres that it passes clients on to."""
        account.make_folder(self.home, USER)
        users = "".join(f'"{role}" "{self.stack.state.secret("postgres-" + role)}"\n'
                        for role in (one.roles["runtime"] for one in manifests.WITH_DATABASE))
        account.write_file(os.path.join(self.home, "users.txt"), users, user=USER)
        self._write(server)
        words = [*account.prefix(USER), PROGRAM, "-q", self._settings()]
        self.process.start(words, {"PATH": "/usr/bin:/bin"}, self.home)
        one = manifests.WITH_DATABASE[0]
        wait_until(lambda: self._answers(self.url(one)), 20, "an answer through the pooler")
        return self

    def _settings(self):
        return os.path.join(self.home, "pgbouncer.ini")

    def _write(self, server):
        more = "max_prepared_statements = 200\n" if self.mode == "transaction" and carries_statements() else ""
        account.write_file(self._settings(), f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\n"
                           f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
                           f"auth_type = scram-sha-256\nauth_file = {self.home}/users.txt\npool_mode = {self.mode}\n"
                           f"server_login_retry = 1\n{more}", user=USER)

    def point_to(self, server):
        """As an operator does after a promotion."""
        self._write(server)
        self.process.signal(signal.SIGHUP)

    def url(self, one):
        url = self.stack.servers.postgres.url(one.database, one.roles["runtime"])
        return url.replace(f":{self.stack.servers.postgres.port}/", f":{self.port}/")

    def _answers(self, url):
        try:
            return psql(url, "SELECT 1;").strip() == "1"
        except DevError:
            return False

    def serve(self):
        """Restarts the services with URLs of the pooler."""
        for one in manifests.WITH_DATABASE:
            self.stack.overrides.setdefault(one.name, {})["DATABASE_URL"] = self.url(one)
        self.stack.start_services()

    def stop(self):
        self.process.stop((signal.SIGTERM, 5))
