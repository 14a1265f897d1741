"""Programs in Go that runs need: each is built from sources whose hashes a go.sum in the repository holds."""
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess

from dev import gotoolchain, paths
from dev.report import DevError, step

TOOLS = os.path.join(paths.ROOT, "build", "tools")
FETCH_SECONDS = 900
BUILD_SECONDS = 1800  # half a minute of two processors, but a build may be given what others leave


class GoTool:
    """
    pinned    folder of the go.mod that names the version, beside its go.sum
    module    what is pinned there; its program is the package `package` of it
    package   None: the program is the folder's own, of parts that are pinned at the version of `module`
    least_go  what the module needs
    verb      what a user types to have it
    stamp     None, or the variable of a package that is told the version
    """

    def __init__(self, name, pinned, module, package, least_go, verb, stamp=None):
        self.name = name
        self.pinned = os.path.join(paths.ROOT, pinned)
        self.module = module
        self.is_own = package is None
        self.package = "." if self.is_own else module + package
        self.least_go = least_go
        self.verb = verb
        self.stamp = stamp

    def version(self):
        with open(os.path.join(self.pinned, "go.mod"), encoding="utf-8") as file:
            return re.search(rf"\b{re.escape(self.module)} (v[0-9.]+)", file.read()).group(1)

    def program(self):
        """Path of the pinned version, once it is installed."""
        return os.path.join(TOOLS, f"{self.name}-{self.version()}{self._mark()}")

    def _mark(self):
        """An own program is made again when its source or a pinned version changes."""
        if not self.is_own:
            return ""
        found = hashlib.sha256()
        for path in sorted(glob.glob(os.path.join(self.pinned, "*.go")) + glob.glob(os.path.join(self.pinned, "go.*"))):
            with open(path, "rb") as file:
                found.update(file.read())
        return "-" + found.hexdigest()[:8]

    def installed(self):
        return os.access(self.program(), os.X_OK)

    def missing(self):
        """Message for a tool that is not installed."""
        return f"{self.name} {self.version()} is not installed: {self.verb}"

    def install(self):
        """Builds it once; → its path. A second process waits while the first one builds."""
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
        go = gotoolchain.find(self.least_go, TOOLS)
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
        linked = "-ldflags=-s -w" + (f" -X {self.stamp}={self.version()}" if self.stamp else "")
        self._run([go, "build", linked, "-o", made, self.package], environment, BUILD_SECONDS, "built")
        os.replace(made, self.program())

    def _run(self, words, environment, seconds, what):
        try:
            done = subprocess.run(words, cwd=self.pinned, env=environment, text=True, capture_output=True, check=False,
                                  timeout=seconds)
        except subprocess.TimeoutExpired:
            raise DevError(f"{self.name} was not {what} within {seconds} s") from None
        if done.returncode != 0:
            raise DevError(f"{self.name} cannot be {what}: {done.stderr.strip()}")


# The proxy that chaos runs put into every link.
TOXIPROXY = GoTool("toxiproxy", "chaos-testing/toxiproxy", "github.com/Shopify/toxiproxy/v2", "/cmd/server", (1, 23),
                   "./dev chaos install")
