"""Programs in Go that runs need: each is built from sources whose hashes a go.sum in the repository holds."""
import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess

from dev import packages, paths
from dev.report import DevError, step

TOOLS = os.path.join(paths.ROOT, "build", "tools")
FETCH_SECONDS = 900
BUILD_SECONDS = 3600  # k6 takes two minutes of two processors, but a build may be given what others leave


class GoTool:
    """
    pinned    folder of the go.mod that names the version, beside its go.sum
    module    what is pinned there; its program is the package `package` of it
    least_go  what the module needs
    verb      what a user types to have it
    """

    def __init__(self, name, pinned, module, package, least_go, verb):
        self.name = name
        self.pinned = os.path.join(paths.ROOT, pinned)
        self.module = module
        self.package = module + package
        self.least_go = least_go
        self.verb = verb

    def version(self):
        with open(os.path.join(self.pinned, "go.mod"), encoding="utf-8") as file:
            return re.search(rf"\b{re.escape(self.module)} (v[0-9.]+)", file.read()).group(1)

    def program(self):
        """Where the pinned version lies once it is installed."""
        return os.path.join(TOOLS, f"{self.name}-{self.version()}")

    def installed(self):
        return os.access(self.program(), os.X_OK)

    def missing(self):
        """What to say where it is not installed."""
        return f"{self.name} {self.version()} is not installed: {self.verb}"

    def install(self):
        """Builds it once; → its path. Debian's Go is installed where the machine has none, or an older one. Whoever
        comes while another process builds it waits for that one."""
        if not self.installed():
            with self._lock():
                if not self.installed():
                    self._install()
        return self.program()

    @contextlib.contextmanager
    def _lock(self):
        os.makedirs(TOOLS, exist_ok=True)
        with open(os.path.join(TOOLS, f"{self.name}.lock"), "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _install(self):
        go = _go(self.least_go)
        if go is None:
            packages.ensure(packages.CHAOS)
            go = _go(self.least_go)
        if go is None:
            raise DevError(f"there is no Go of at least {'.'.join(map(str, self.least_go))}")
        step(self.name, f"building {self.version()}")
        work = os.path.join(TOOLS, f"go-{self.name}")
        try:
            self._build(go, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _build(self, go, work):
        """Go checks every source that it fetches against go.sum, and may not change that file."""
        made = os.path.join(work, "made")
        environment = {name: os.environ[name] for name in os.environ if not name.startswith("GO")}
        environment |= {name: os.environ[name] for name in ("GOPROXY",) if name in os.environ}
        environment |= {"GOPATH": os.path.join(work, "path"), "GOCACHE": os.path.join(work, "cache"), "GOWORK": "off",
                        "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -modcacherw -trimpath", "CGO_ENABLED": "0"}
        os.makedirs(work, exist_ok=True)
        self._run([go, "list", "-deps", self.package], environment, FETCH_SECONDS, "fetched")
        self._run([go, "build", "-ldflags=-s -w", "-o", made, self.package], environment, BUILD_SECONDS, "built")
        os.replace(made, self.program())

    def _run(self, words, environment, seconds, what):
        try:
            done = subprocess.run(words, cwd=self.pinned, env=environment, text=True, capture_output=True, check=False,
                                  timeout=seconds)
        except subprocess.TimeoutExpired:
            raise DevError(f"{self.name} was not {what} within {seconds} s") from None
        if done.returncode != 0:
            raise DevError(f"{self.name} cannot be {what}: {done.stderr.strip()}")


# The proxy that chaos runs put into every link, and the generator of the load scripts.
TOXIPROXY = GoTool("toxiproxy", "chaos-testing/toxiproxy", "github.com/Shopify/toxiproxy/v2", "/cmd/server", (1, 17),
                   "./dev chaos install")
K6 = GoTool("k6", "load-testing/k6", "go.k6.io/k6", "", (1, 19), "./dev k6 install")


def _go(least):
    """The first Go that is new enough: the machine's, then Debian's."""
    for place in (shutil.which("go"), *sorted(glob.glob("/usr/lib/go-*/bin/go"))):
        if place and _version(place) >= least:
            return place
    return None


def _version(go):
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False,
                          env=os.environ | {"GOTOOLCHAIN": "local"})
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)
