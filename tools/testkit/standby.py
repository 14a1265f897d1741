"""A streaming standby of a stack's Postgres, and services that know both."""
import subprocess

from dev import account, manifests, urls
from dev.postgres import USER, program_folder, psql
from dev.stack import Stack
from testkit.archive import Cluster
from testkit.client import wait_until

ROLE = "orderbus_standby"
SECONDS = 120
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync';"


class Standby(Cluster):
    """Commits of the primary wait until it has them on disk."""

    def __init__(self, stack, name="standby"):
        super().__init__(stack.state, name)
        self.stack = stack
        primary = stack.servers.postgres
        psql(primary.url(), f"CREATE ROLE {ROLE} LOGIN REPLICATION PASSWORD '{self.state.secret('postgres-' + ROLE)}';")
        self.make_home()
        words = [*account.prefix(USER), f"{program_folder()}/pg_basebackup", "--no-password", "--pgdata", self.data,
                 "--write-recovery-conf", "--create-slot", "--slot", name, "--checkpoint", "fast", "--wal-method",
                 "stream"]
        environment = urls.libpq_environment(primary.url("postgres", ROLE)) | {"PATH": "/usr/bin:/bin"}
        done = subprocess.run(words, env=environment, cwd=self.home, capture_output=True, text=True, check=False,
                              timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        self.start()
        psql(primary.url(), "ALTER SYSTEM SET synchronous_standby_names = '*';")
        psql(primary.url(), "SELECT pg_reload_conf();")
        wait_until(lambda: psql(primary.url(), STREAMING).strip() == "1", 60, "a synchronous standby")

    def promote(self):
        assert psql(self.url(), "SELECT pg_promote();", seconds=SECONDS).strip() == "t"

    def know_both(self):
        """Restarts the services with URLs of both servers, this one last."""
        primary = self.stack.servers.postgres
        for one in manifests.WITH_DATABASE:
            url = primary.url(one.database, one.roles["runtime"])
            both = url.replace(f":{primary.port}/", f":{primary.port},127.0.0.1:{self.port}/")
            self.stack.overrides[one.name] = self.stack.overrides.get(one.name, {}) | {"DATABASE_URL": both}
        self.stack.start_services()

    def as_given(self):
        """The stack as one whose administrators' URLs are this server's."""
        return Stack(self.state.path, chosen=self.stack.ports, preset=self.stack.preset,
                     given={name: self.url(name) for name in manifests.DATABASES})
