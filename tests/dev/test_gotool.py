"""Tools in Go: pinned sources, a Go that is new enough, and one build."""
import concurrent.futures
import functools
import hashlib
import http.server
import os
import platform
import subprocess
import threading
import zipfile

import pytest

from dev import gotool, gotoolchain
from dev.gotool import TOXIPROXY
from dev.report import DevError


def test_all_sources_are_pinned():
    with open(os.path.join(TOXIPROXY.pinned, "go.sum"), encoding="utf-8") as file:
        assert f"{TOXIPROXY.module} {TOXIPROXY.version()} h1:" in file.read()


def test_the_pinned_go_is_new_enough():
    with open(os.path.join(TOXIPROXY.pinned, "go.mod"), encoding="utf-8") as file:
        assert f"\ngo {'.'.join(map(str, TOXIPROXY.least_go))}." in file.read()
    assert TOXIPROXY.least_go <= tuple(map(int, gotoolchain.VERSION[2:].split(".")[:2]))


def own_program(folder, **more):
    (folder / "go.mod").write_text("module m\n\nrequire example.org/part v1.2.3\n")
    return gotool.GoTool("own", str(folder), "example.org/part", None, (1, 23), "a verb", **more)


@pytest.mark.parametrize("changed", ("go.mod", "go.sum", "main.go"))
def test_an_own_program_is_made_again_when_its_source_or_a_pinned_version_changes(tmp_path, changed):
    tool = own_program(tmp_path)
    before = tool.program()
    assert os.path.basename(before).startswith("own-v1.2.3-") and tool.program() == before
    with open(tmp_path / changed, "a", encoding="utf-8") as file:
        file.write("// changed\n")
    assert tool.program() != before


@pytest.fixture
def no_tool(tmp_path, monkeypatch):
    monkeypatch.setattr(gotool, "TOOLS", str(tmp_path))
    return tmp_path


def go_that_says(tmp_path, version, then="exit 1"):
    go = tmp_path / "fake-go"
    go.write_text(f"#!/bin/sh\n[ \"$1\" != version ] || exec echo go version go{version} linux/amd64\n{then}\n")
    go.chmod(0o755)
    return str(go)


GO_ARCHIVE_FILES = {"bin/go": "#!/bin/sh\necho go version go1.99.0 linux/amd64\n", "pkg/tool/linux/asm": "",
                    "src/_go.mod": "module std\n"}


def toolchain_module():
    architecture = gotoolchain.SHA256[platform.machine()][0]
    return f"golang.org/toolchain@v0.0.1-{gotoolchain.VERSION}.linux-{architecture}"


@pytest.fixture
def module_proxy(no_tool, monkeypatch):
    """A machine whose only Go is too old, and a module proxy that serves a small toolchain. → the archive's hash"""
    name, version = toolchain_module().split("@")
    served = no_tool / "proxy" / name / "@v"
    served.mkdir(parents=True)
    with zipfile.ZipFile(served / f"{version}.zip", "w") as archive:
        for file, text in GO_ARCHIVE_FILES.items():
            archive.writestr(f"{toolchain_module()}/{file}", text)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(no_tool / "proxy"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    old = go_that_says(no_tool, "1.19")
    monkeypatch.setattr(gotoolchain.shutil, "which", lambda _: old)
    monkeypatch.setattr(gotoolchain.glob, "glob", lambda found, glob=gotoolchain.glob.glob:
                        [] if found.startswith("/usr/lib") else glob(found))
    monkeypatch.setenv("GOPROXY", f"off,http://127.0.0.1:{server.server_address[1]}/,direct")
    yield hashlib.sha256((served / f"{version}.zip").read_bytes()).hexdigest()
    server.shutdown()
    server.server_close()


def pin(monkeypatch, digest):
    architecture = gotoolchain.SHA256[platform.machine()][0]
    monkeypatch.setattr(gotoolchain, "SHA256", {platform.machine(): (architecture, digest)})


def test_an_old_go_is_passed_over_and_the_pinned_one_fetched(no_tool, module_proxy, monkeypatch):
    pin(monkeypatch, module_proxy)
    go = gotoolchain.find((1, 23), str(no_tool / "tools"))
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=True)
    assert said.stdout == "go version go1.99.0 linux/amd64\n"
    assert sorted(os.listdir(no_tool / "tools")) == [os.path.basename(os.path.dirname(os.path.dirname(go)))]
    assert (no_tool / "tools" / os.listdir(no_tool / "tools")[0] / "src" / "go.mod").exists()


def test_a_go_that_is_not_the_pinned_one_is_refused(no_tool, module_proxy, monkeypatch):
    pin(monkeypatch, "0" * 64)
    with pytest.raises(DevError, match=f"has the SHA-256 {module_proxy}, expected 000"):
        gotoolchain.find((1, 23), str(no_tool / "tools"))
    assert not os.listdir(no_tool / "tools")


def test_a_module_proxy_without_it_is_named(no_tool, module_proxy, monkeypatch):
    monkeypatch.setattr(gotoolchain, "VERSION", "go9.9.9")
    with pytest.raises(DevError, match="go9.9.9.*cannot be fetched: .*404"):
        gotoolchain.find((1, 23), str(no_tool / "tools"))


def test_a_build_that_fails_says_why_and_leaves_nothing(no_tool, monkeypatch):
    go = go_that_says(no_tool, "1.26.3", "echo checksum mismatch >&2; exit 1")
    monkeypatch.setattr(gotoolchain.shutil, "which", lambda _: go)
    with pytest.raises(DevError, match="toxiproxy cannot be fetched: checksum mismatch"):
        TOXIPROXY.install()
    assert not TOXIPROXY.installed() and sorted(os.listdir(no_tool)) == ["fake-go", "toxiproxy.lock"]


def test_a_build_without_end_is_ended(no_tool, monkeypatch):
    go = go_that_says(no_tool, "1.26.3", "[ $1 = list ] || exec sleep 60")
    monkeypatch.setattr(gotoolchain.shutil, "which", lambda _: go)
    monkeypatch.setattr(gotool, "BUILD_SECONDS", 0.5)
    with pytest.raises(DevError, match=r"toxiproxy was not built within 0\.5 s"):
        TOXIPROXY.install()


def test_a_program_is_told_its_version(no_tool, tmp_path, monkeypatch):
    made = 'echo "$2" >"$0.flags"; while [ "$1" != -o ]; do shift; done; : >"$2" && chmod +x "$2"'
    go = go_that_says(no_tool, "1.26.3", f"[ $1 = list ] && exit\n{made}")
    monkeypatch.setattr(gotoolchain.shutil, "which", lambda _: go)
    own_program(tmp_path, stamp="example.org/part/version.text").install()
    with open(f"{go}.flags", encoding="utf-8") as file:
        assert file.read() == "-ldflags=-s -w -X example.org/part/version.text=v1.2.3\n"


def test_who_comes_during_a_build_waits_for_it(no_tool, monkeypatch):
    made = ('while [ "$1" != -o ]; do shift; done; '
            'sleep 0.5 && echo once >>"$0.builds" && : >"$2" && chmod +x "$2"')
    go = go_that_says(no_tool, "1.26.3", f"[ $1 = list ] && exit\n{made}")
    monkeypatch.setattr(gotoolchain.shutil, "which", lambda _: go)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda _: TOXIPROXY.install(), range(3))) == {TOXIPROXY.program()}
    with open(f"{go}.builds", encoding="utf-8") as file:
        assert file.read() == "once\n"


def test_what_is_installed_is_not_built_again(no_tool, monkeypatch):
    monkeypatch.setattr(gotoolchain, "find", None)
    with open(TOXIPROXY.program(), "w", encoding="utf-8"):
        os.chmod(TOXIPROXY.program(), 0o755)
    assert TOXIPROXY.install() == TOXIPROXY.program()
