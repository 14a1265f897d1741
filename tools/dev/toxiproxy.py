"""The proxy that chaos runs put into every link, built from sources whose hashes a go.sum holds."""
import glob
import os
import re
import shutil
import subprocess

from dev import packages, paths
from dev.report import DevError, step

PINNED = os.path.join(paths.ROOT, "chaos-testing", "toxiproxy")
TOOLS = os.path.join(paths.ROOT, "build", "tools")
SOURCE = "github.com/Shopify/toxiproxy/v2"
LEAST_GO = (1, 17)
BUILD_SECONDS = 900


def version():
    with open(os.path.join(PINNED, "go.mod"), encoding="utf-8") as file:
        return re.search(rf"{re.escape(SOURCE)} (v[0-9.]+)", file.read()).group(1)


def program():
    """Where the pinned version lies once it is installed."""
    return os.path.join(TOOLS, f"toxiproxy-{version()}")


def installed():
    return os.access(program(), os.X_OK)


def install():
    """Builds it once; → its path. Debian's Go is installed where the machine has none, or an older one."""
    if installed():
        return program()
    go = _go()
    if go is None:
        packages.ensure(packages.CHAOS)
        go = _go()
    if go is None:
        raise DevError(f"there is no Go of at least {'.'.join(map(str, LEAST_GO))}")
    step("toxiproxy", f"building {version()}")
    work = os.path.join(TOOLS, "go")
    try:
        _build(go, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return program()


def _build(go, work):
    """Go checks every source that it fetches against go.sum, and may not change that file."""
    made = os.path.join(work, "server")
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("GO")}
    environment |= {name: os.environ[name] for name in ("GOPROXY",) if name in os.environ}
    environment |= {"GOPATH": os.path.join(work, "path"), "GOCACHE": os.path.join(work, "cache"), "GOWORK": "off",
                    "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -modcacherw -trimpath", "CGO_ENABLED": "0"}
    os.makedirs(work, exist_ok=True)
    try:
        done = subprocess.run([go, "build", "-o", made, SOURCE + "/cmd/server"], cwd=PINNED, env=environment, text=True,
                              capture_output=True, check=False, timeout=BUILD_SECONDS)
    except subprocess.TimeoutExpired:
        raise DevError(f"toxiproxy was not built within {BUILD_SECONDS} s") from None
    if done.returncode != 0:
        raise DevError(f"toxiproxy cannot be built: {done.stderr.strip()}")
    os.replace(made, program())


def _go():
    """The first Go that is new enough: the machine's, then Debian's."""
    for place in (shutil.which("go"), *sorted(glob.glob("/usr/lib/go-*/bin/go"))):
        if place and _version(place) >= LEAST_GO:
            return place
    return None


def _version(go):
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False,
                          env=os.environ | {"GOTOOLCHAIN": "local"})
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)
