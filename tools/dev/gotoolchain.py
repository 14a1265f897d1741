"""The Go compiler: the machine's, Debian's, or a pinned one that the Go module proxy serves as a module."""
import glob
import hashlib
import os
import platform
import re
import shutil
import subprocess
import urllib.error
import urllib.request
import zipfile

from dev.report import DevError, step

VERSION = "go1.26.8"
# Digest of the module's archive, as the module proxy serves it.
SHA256 = {
    "x86_64": ("amd64", "30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7"),
    "aarch64": ("arm64", "02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99"),
}
PUBLIC_PROXY = "https://proxy.golang.org"
ANSWER_SECONDS = 60  # between two parts of the archive


def installed(least):
    """The first Go that is at least `least`, a tuple: the machine's, then Debian's; None if there is none."""
    for place in (shutil.which("go"), *sorted(glob.glob("/usr/lib/go-*/bin/go"))):
        if place and version_of(place) >= least:
            return place
    return None


def version_of(go):
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False,
                          env=os.environ | {"GOTOOLCHAIN": "local"})
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(part) for part in found.groups(0)) if found else (0,)


def find(least, folder):
    """→ a Go of at least `least`. If the machine has none, the pinned one is fetched into the folder."""
    return installed(least) or _pinned(folder)


def _pinned(folder):
    machine = platform.machine()
    if machine not in SHA256:
        raise DevError(f"there is no pinned Go for {machine}, only for {', '.join(SHA256)}: install Go yourself")
    architecture, digest = SHA256[machine]
    root = os.path.join(folder, f"{VERSION}-{architecture}")
    program = os.path.join(root, "bin", "go")
    if not os.access(program, os.X_OK):
        module = f"golang.org/toolchain@v0.0.1-{VERSION}.linux-{architecture}"
        _fetch(module, digest, root)
    return program


def _fetch(module, digest, root):
    name, version = module.split("@")
    url = f"{_proxy()}/{name}/@v/{version}.zip"
    step("go", f"fetching {VERSION}")
    archive, unpacked = root + ".zip", root + ".new"
    os.makedirs(os.path.dirname(root), exist_ok=True)
    try:
        _download(url, digest, archive)
        with zipfile.ZipFile(archive) as file:
            file.extractall(unpacked)
        _make_usable(os.path.join(unpacked, module))
        os.replace(os.path.join(unpacked, module), root)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
        if os.path.exists(archive):
            os.unlink(archive)


def _proxy():
    """The first one of GOPROXY that is a URL."""
    given = re.split("[,|]", os.environ.get("GOPROXY", ""))
    return next((one for one in given if "://" in one), PUBLIC_PROXY).rstrip("/")


def _download(url, digest, path):
    found = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer, open(path, "wb") as file:
            while block := answer.read(1 << 20):
                found.update(block)
                file.write(block)
    except (OSError, urllib.error.URLError) as error:
        raise DevError(f"{url} cannot be fetched: {error}") from None
    if found.hexdigest() != digest:
        raise DevError(f"{url} has the SHA-256 {found.hexdigest()}, expected {digest}")


def _make_usable(root):
    """Completes a toolchain module as the go command does: a module's archive holds no go.mod and no permissions."""
    shutil.copy(os.path.join(root, "src", "_go.mod"), os.path.join(root, "src", "go.mod"))
    programs = [*glob.glob(os.path.join(root, "bin", "*")), *glob.glob(os.path.join(root, "pkg", "tool", "*", "*"))]
    for program in programs:
        os.chmod(program, 0o755)
