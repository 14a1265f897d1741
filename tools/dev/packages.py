"""Debian packages: which ones a verb needs, and their installation without starting or touching any server."""
import contextlib
import os
import re
import subprocess
import sys

from dev import account
from dev.report import DevError, step


def release():
    """Debian's number, "12" or "13". A system derived from it has the packages of the newest."""
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r'^VERSION_ID="?(\d+)', file.read(), re.M)
    return "12" if found and found[1] == "12" else "13"


# To build and run a stack.
UP = (
    "ca-certificates", "ccache", "cmake", "curl", "gcc", "libc6-dev", "libcivetweb-dev", "libcjson-dev",
    "libcmocka-dev", "libcurl4-openssl-dev", "libnghttp2-dev", "libpq-dev", "libprotobuf-c-dev", "libprotobuf-dev",
    "librabbitmq-dev", "libsodium-dev", "libssl-dev", "nettle-dev", "ninja-build", "openssl", "pkg-config",
    "postgresql", "procps", "protobuf-c-compiler", "rabbitmq-server", "sqitch", "libdbd-pg-perl", "util-linux",
)
# Packages that only the test suites need, whatever the release.
EVERYWHERE = (
    "caddy", "clang", "clang-format", "clang-tidy", "dnsmasq-base", "flake8", "git", "haproxy", "iproute2",
    "libfaketime", "man-db", "mount", "nginx-light", "nodejs", "pgbouncer", "python3-aiosmtpd", "python3-cryptography",
    "python3-grpcio", "python3-jsonschema", "python3-jwt", "python3-protobuf", "python3-psycopg2", "python3-pytest",
    "python3-requests", "shellcheck", "yamllint",
)
# And those of a release of Debian: 13 has no program that finds copies.
OF_RELEASE = {"12": ("libclang-rt-14-dev", "similarity-tester"), "13": ("libclang-rt-19-dev",)}
TEST = (*EVERYWHERE, *OF_RELEASE[release()])
# Packages that ./dev invariants needs.
CHECK = ("python3-psycopg2",)
# The generator of ./dev bench: it is cheap, so that what is measured is the system.
BENCH = ("wrk",)
# The programs that read the counters of ./dev coverage.
COVERAGE = ("clang", "llvm")
# For the environments of ./dev contract install: of Python, and of Node where no npm is.
CONTRACT = ("python3-pip",)
NPM = ("npm",)
# promtool and amtool, for the suite `alerts`, whose servers are not started, and a reader of OpenMetrics.
ALERTS = ("prometheus", "prometheus-alertmanager", "python3-prometheus-client")
# Programs that ./dev up --observe starts, besides those.
OBSERVE = (*ALERTS, "prometheus-node-exporter", "prometheus-postgres-exporter")
# The Java that Zipkin runs on, and the program that fetches it.
JAVA = ("default-jre-headless", "maven")
# The browser of the suite `browser`.
BROWSER = ("chromium",)
# Groovy as Jenkins has it, for the suite `pipelines`.
PIPELINES = ("default-jre-headless", "groovy")
# A daemon for the suite `images`, and the program that starts compose files.
IMAGES = ("docker-compose", "docker.io", "iptables")
# The store of an API server, for the suite `kubernetes`.
KUBERNETES = ("etcd-server",)
# To pack Debian packages.
PACKAGE = ("dpkg-dev", "file")
# The generator of ./dev reference.
REFERENCE = ("doxygen",)
# To make and boot base systems.
SYSTEMS = ("debootstrap", "systemd-container")
INSTALLER = (sys.executable, "-B", "-I", os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
             "install-packages")
POLICY = "/usr/sbin/policy-rc.d"
NO_CLUSTER = "/etc/postgresql-common/createcluster.d/orderbus.conf"
OURS = "#!/bin/sh\n# Made by orderbus's ./dev while it installs packages, and removed right after.\nexit 101\n"


def missing(names):
    done = subprocess.run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names],
                          capture_output=True, text=True, check=False)
    installed = {line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["installed"]}
    return [name for name in names if name not in installed]


def ensure(names):
    """Installs what is missing. Only this step needs root; an ordinary user's sudo runs it and nothing else."""
    absent = missing(names)
    if not absent:
        return
    step("packages", "installing " + " ".join(absent))
    words = [*INSTALLER, *absent]
    if not account.is_root():
        if not os.path.exists("/usr/bin/sudo"):
            raise DevError("these Debian packages are missing, and there is no sudo to install them: "
                           + " ".join(absent))
        words.insert(0, "/usr/bin/sudo")
    if subprocess.run(words, check=False).returncode != 0 or missing(names):
        raise DevError("the packages could not be installed: " + " ".join(missing(names)))


def install(names):
    """The part that runs as root; it takes no package that this file does not name."""
    known = {*UP, *TEST, *BENCH, *COVERAGE, *CONTRACT, *NPM, *OBSERVE, *JAVA, *BROWSER, *PIPELINES, *IMAGES,
             *KUBERNETES, *PACKAGE, *REFERENCE, *SYSTEMS}
    unknown = set(names) - known
    if unknown or not account.is_root():
        raise DevError(f"refused to install {' '.join(sorted(unknown))}" if unknown else "only root can install")
    with _no_service_starts(), _no_main_cluster(names):
        if not _apt("install", *names, simulate=True) or not _apt("install", *names):
            # The lists are missing or old, or a mirror has moved on since they were read.
            if not _apt("update") or not _apt("install", *names):
                raise DevError("apt-get failed (its messages are above)")


def _apt(verb, *names, simulate=False):
    words = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", verb]
    if verb == "install":
        words += ["--no-install-recommends"]
    if simulate:
        words += ["--simulate"]
    output = subprocess.DEVNULL if simulate else sys.stderr
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run([*words, *names], stdin=subprocess.DEVNULL, stdout=output, check=False, env=environment,
                          stderr=subprocess.DEVNULL if simulate else None).returncode == 0


@contextlib.contextmanager
def _no_service_starts():
    """Installing packages starts none of their servers. A policy of the machine is put back afterwards."""
    saved = POLICY + ".orderbus-saved"
    if os.path.lexists(POLICY) and not _is_ours(POLICY):
        os.rename(POLICY, saved)
    account.write_file(POLICY, OURS, mode=0o755)
    try:
        yield
    finally:
        if os.path.lexists(saved):
            os.replace(saved, POLICY)
        else:
            os.unlink(POLICY)


def _is_ours(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read() == OURS
    except OSError:
        return False


@contextlib.contextmanager
def _no_main_cluster(names):
    """A Postgres server that is new to the machine makes no cluster: ours lies in the state folder."""
    if "postgresql" not in names:
        yield
        return
    folder_is_new = not os.path.isdir(os.path.dirname(NO_CLUSTER))
    os.makedirs(os.path.dirname(NO_CLUSTER), exist_ok=True)
    account.write_file(NO_CLUSTER, "create_main_cluster = false\n", mode=0o644)
    try:
        yield
    finally:
        os.unlink(NO_CLUSTER)
        if folder_is_new and os.path.isdir(os.path.dirname(NO_CLUSTER)) and not os.listdir(os.path.dirname(NO_CLUSTER)):
            os.rmdir(os.path.dirname(NO_CLUSTER))
