"""Backups of a stack's Postgres by orderbus-backup, and clusters that are restored from them, each of one moment."""
import os
import shutil
import subprocess

from dev import account, paths, ports
from dev.postgres import USER, Postgres, psql
from dev.proc import Process

PROGRAM = os.path.join(paths.ROOT, "infrastructure", "backup", "orderbus-backup")
ROLE = "orderbus_backup"
SECONDS = 120


class Cluster(Postgres):
    """A further cluster of a state, with the passwords of the first."""

    def __init__(self, state, name):
        super().__init__(state, ports.pick_free([name])[name])
        self.home = os.path.join(state.path, name)
        self.data = os.path.join(self.home, "data")
        self.process = Process(state, name)

    def make_home(self):
        account.make_folder(self.home, USER)

    def wipe(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def is_primary(self):
        return psql(self.url(), "SELECT NOT pg_is_in_recovery();").strip() == "t"


class Archive:
    """Backups as the operating system's user of Postgres makes them."""

    def __init__(self, stack):
        self.stack = stack
        self.home = os.path.join(stack.state.path, "archive")
        account.make_folder(self.home, USER)
        self.program = os.path.join(self.home, "orderbus-backup")
        shutil.copy(PROGRAM, self.program)
        os.chmod(self.program, 0o755)
        self.keeper = Process(stack.state, "backup-wal")
        psql(stack.database_url("orders"), f"CREATE ROLE {ROLE} LOGIN REPLICATION PASSWORD '{self._password()}';")

    def _password(self):
        return self.stack.state.secret("postgres-" + ROLE)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
                "BACKUP_DATABASE_URL": self.stack.servers.postgres.url("postgres", ROLE),
                "RABBITMQ_MANAGEMENT_URL": self.stack.servers.rabbitmq.management_url()}

    def run(self, *words, check=True):
        """→ subprocess.CompletedProcess"""
        done = subprocess.run([*account.prefix(USER), self.program, *words], env=self.environment(), cwd=self.home,
                              capture_output=True, text=True, check=False, timeout=SECONDS)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def keep_wal(self):
        self.keeper.start([*account.prefix(USER), self.program, "wal", self.home], self.environment(), self.home)

    def stop(self):
        self.keeper.stop()

    def restore(self, name, moment=None):
        """→ a Cluster that has begun as everything was at that moment; None: at the last commit."""
        cluster = Cluster(self.stack.state, name)
        cluster.make_home()
        self.run("restore", self.home, cluster.data, *(["--to", moment] if moment else []))
        cluster.start()
        return cluster
