"""A private Postgres: one cluster inside the state, on loopback, with passwords, checksums and no Unix socket."""
import os
import signal
import subprocess
import time
import urllib.parse

from dev import account, ports
from dev.proc import Process, end, leftovers
from dev.report import DevError
from dev.urls import libpq_environment

USER = "postgres"
SUPERUSER = "postgres"
START_SECONDS = 60
ORPHAN_SECONDS = 5


def program_folder():
    """The folder of the newest server's programs, which Debian keeps off the PATH."""
    base = "/usr/lib/postgresql"
    found = [name for name in (os.listdir(base) if os.path.isdir(base) else [])
             if name.isdigit() and os.path.exists(f"{base}/{name}/bin/initdb")]
    if not found:
        raise DevError("Postgres is not installed (no /usr/lib/postgresql/*/bin/initdb)")
    return f"{base}/{max(found, key=int)}/bin"


def psql(url, sql, variables=None, seconds=60):
    """Runs SQL in one psql and returns what it printed."""
    words = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    # Values travel with the statements on stdin: arguments can be read by every user of the machine.
    settings = "".join(f"\\set {name} '{value}'\n" for name, value in (variables or {}).items())
    done = subprocess.run(words, input=settings + sql, capture_output=True, text=True, timeout=seconds, check=False,
                          env=os.environ | libpq_environment(url))
    if done.returncode != 0:
        raise DevError(f"psql failed: {done.stderr.strip()}")
    return done.stdout


class Postgres:
    def __init__(self, state, port, certificates=None):
        """certificates: it takes connections with TLS alone; None: without."""
        self.state = state
        self.port = port
        self.certificates = certificates
        self.home = os.path.join(state.path, "postgres")
        self.data = os.path.join(self.home, "data")
        self.process = Process(state, "postgres")

    def url(self, database="postgres", user=SUPERUSER, password=None):
        password = password or self.state.secret(f"postgres-{user}")
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}{self._options()}"

    def _options(self):
        if not self.certificates:
            return ""
        return (f"?sslmode=verify-full&sslrootcert={urllib.parse.quote(self.certificates.ca)}&channel_binding=require"
                "&gssencmode=disable")

    def own_ports(self):
        return ["postgres"]

    def running(self):
        return self.process.pid() is not None

    def start(self, wait=True):
        """Starts the server unless it runs with these very settings; → True if it was started. wait: until it accepts
        connections."""
        settings = self._settings()
        if self.running():
            if self.process.matches(settings):
                return False
            self.stop()
        binaries = program_folder()
        self._end_orphans()
        ports.require_free({"postgres": self.port}, self.own_ports())
        account.make_folder(self.home, USER)
        self._initialise(binaries)
        account.write_file(os.path.join(self.data, "orderbus.conf"), settings, USER)
        account.write_file(os.path.join(self.data, "pg_hba.conf"), self._hosts(), USER)
        self.process.start([*account.prefix(USER), *self._wrapper(), f"{binaries}/postgres", "-D", self.data],
                           _environment(), self.home, settings)
        if wait:
            self.process.wait_until(self._accepts, START_SECONDS, "ready")
        return True

    def stop(self):
        """A fast shutdown, which ends sessions and writes everything out; then an immediate one; then SIGKILL."""
        return self.process.stop((signal.SIGINT, 30), (signal.SIGQUIT, 10))

    def _end_orphans(self):
        """Backends outlive a killed postmaster by a moment; while one holds the shared memory, Postgres refuses to
        start."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        while orphans := leftovers(self.data):
            if time.monotonic() > deadline:
                for pid in orphans:
                    end(pid)
            time.sleep(0.05)

    def _accepts(self):
        try:
            return psql(self.url(), "SELECT 1;", seconds=10).strip() == "1"
        except (DevError, subprocess.TimeoutExpired):
            return False

    def _initialise(self, binaries):
        version_file = os.path.join(self.data, "PG_VERSION")
        if os.path.exists(version_file):
            self._check_version(binaries, version_file)
            return
        password = os.path.join(self.home, "password")
        account.write_file(password, self.state.secret(f"postgres-{SUPERUSER}") + "\n", USER)
        # A cluster that a crash left half made has no PG_VERSION, and initdb refuses a folder that is not empty.
        subprocess.run(["rm", "-rf", self.data], check=True)
        done = subprocess.run(
            [*account.prefix(USER), f"{binaries}/initdb", "-D", self.data, "-U", SUPERUSER, f"--pwfile={password}",
             "--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"],
            capture_output=True, text=True, check=False, timeout=120, env=_environment(), cwd=self.home)
        os.unlink(password)
        if done.returncode != 0:
            raise DevError(f"initdb failed: {done.stderr.strip()}")
        account.write_file(os.path.join(self.data, "postgresql.conf"), "include 'orderbus.conf'\n", USER)

    def _hosts(self):
        """Connections for replication have lines of their own: "all" does not match them."""
        kind = "hostssl" if self.certificates else "host"
        refused = "hostnossl all all all reject\nhostnossl replication all all reject\n" if self.certificates else ""
        return refused + "".join(f"{kind} {database} all 127.0.0.1/32 scram-sha-256\n"
                                 for database in ("all", "replication"))

    def reload(self):
        """Reads its certificate again; → True if it runs."""
        return self.process.signal(signal.SIGHUP)

    def _check_version(self, binaries, version_file):
        with open(version_file, encoding="utf-8") as file:
            have = file.read().strip()
        want = binaries.split("/")[-2]
        if have != want:
            raise DevError(f"{self.data} holds data of Postgres {have}, but Postgres {want} is installed: "
                           "./dev reset wipes that data and starts anew (or choose another ORDERBUS_STATE)")

    def _wrapper(self):
        """The words in front of the server's program, which they must become."""
        return []

    def _settings(self):
        settings = {
            "listen_addresses": "'127.0.0.1'", "port": self.port, "unix_socket_directories": "''",
            "max_connections": 100, "shared_buffers": "'128MB'", "max_wal_size": "'1GB'",
            "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "wal_level": "replica",
            "password_encryption": "'scram-sha-256'", "timezone": "'UTC'", "log_timezone": "'UTC'",
            "lc_messages": "'C.UTF-8'", "log_line_prefix": "'%m [%p] %q%u@%d '", "log_lock_waits": "on",
            "cluster_name": "'orderbus'",
        }
        if os.path.exists(f"{program_folder()}/../lib/pg_stat_statements.so"):
            settings["shared_preload_libraries"] = "'pg_stat_statements'"
        if self.certificates:
            settings |= {"ssl": "on", "ssl_min_protocol_version": "'TLSv1.2'",
                         "ssl_cert_file": f"'{self.certificates.cert('postgres')}'",
                         "ssl_key_file": f"'{self.certificates.key('postgres')}'"}
        return "".join(f"{name} = {value}\n" for name, value in settings.items())


def _environment():
    """A backend frees some 100 KiB after each statement; glibc gives that back to the kernel, and takes it again page
    by page with the next one, unless it is told to keep a little."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent",
            "MALLOC_TOP_PAD_": str(1 << 20), "MALLOC_TRIM_THRESHOLD_": str(4 << 20)}
