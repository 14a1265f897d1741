"""libbus installed into an empty folder, and programs built on it there by CMake and by pkg-config."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import pytest
from conftest import call

from dev import build, paths

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
HERE = os.path.dirname(os.path.abspath(__file__))
HEADERS = sorted(os.listdir(os.path.join(paths.ROOT, "libbus", "include", "bus")))
OF_BUS = {"librabbitmq", "libpq", "libcivetweb"}
EXAMPLE_ID = "2ed6657d-e927-568b-95e1-2665a8aea6a2"  # RFC 9562, appendix A.4

# Libraries on the link line show in the program, even if the compiler would leave out unused ones by itself.
SHOW_ALL = "-Wl,--no-as-needed"

# How each program is made by hand: pkg-config's names.
PACKAGES = {"service": "libbus", "pure": "libbus-core", "caller": "libbus-curl", "signer": "libbus-token",
            "keeper": "libbus-secret", "tested": "libbus-testing"}


@pytest.fixture(scope="session")
def prefix(built, tmp_path_factory):
    """Moved after it was installed: nothing in it may say where it lay."""
    place = tmp_path_factory.mktemp("prefix")
    call("cmake", "--install", built, "--prefix", str(place / "first"), "--component", "libbus")
    return (place / "first").rename(place / "moved")


@pytest.fixture
def project(prefix, tmp_path):
    """Copies one of the programs here into an empty folder; configures it against the installed libbus."""
    def copy(name, **env):
        shutil.copytree(os.path.join(HERE, name), tmp_path / name)
        return call("cmake", "-S", str(tmp_path / name), "-B", str(tmp_path / "build"), "-G", "Ninja",
                    f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror",
                    f"-DCMAKE_EXE_LINKER_FLAGS={SHOW_ALL}", env=env, status=None)
    return copy


@pytest.fixture
def program(project, prefix, tmp_path):
    """Builds one of the programs here, by CMake or by one line of pkg-config; its path."""
    def make(name, how):
        if how == "cmake":
            assert project(name).returncode == 0
            call("cmake", "--build", str(tmp_path / "build"))
            return str(tmp_path / "build" / "consumer")
        call("sh", "-c", f"cc -Wall -Wextra -Werror main.c -o {tmp_path}/consumer {SHOW_ALL} "
             f"$(pkg-config --cflags --libs {PACKAGES[name]})", cwd=os.path.join(HERE, name),
             env={"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")})
        return str(tmp_path / "consumer")
    return make


def needed(binary):
    """The shared libraries that it was linked to, without versions."""
    lines = call("readelf", "-d", binary).stdout.splitlines()
    return {line.split("[")[1].split(".so")[0] for line in lines if "(NEEDED)" in line}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(binary, port):
    process = subprocess.Popen([binary], stdout=subprocess.DEVNULL, env={
        "PORT": str(port), "RABBITMQ_URL": "amqp://u:p@127.0.0.1:1/v", "DATABASE_URL": "postgres://u:p@127.0.0.1:1/d"})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def get(url, process):
    """Asks until the server listens."""
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status
        except OSError:
            assert process.poll() is None and time.monotonic() < until, url
            time.sleep(0.05)


@pytest.mark.parametrize("how", ["cmake", "pkg-config"])
def test_a_service_runs(program, how):
    binary, port = program("service", how), free_port()
    with running(binary, port) as process:
        assert get(f"http://127.0.0.1:{port}/health/live", process) == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert needed(binary) >= OF_BUS and "libcurl" not in needed(binary)


@pytest.mark.parametrize("how", ["cmake", "pkg-config"])
def test_a_program_of_the_pure_part_links_no_io_library(program, how):
    binary = program("pure", how)
    assert call(binary).stdout.strip() == EXAMPLE_ID
    assert needed(binary) <= {"libcjson", "libnettle", "libm", "libc"}


@pytest.mark.parametrize("how", ["cmake", "pkg-config"])
def test_a_program_that_calls_out_links_curl_alone(program, how):
    binary = program("caller", how)
    assert call(binary, f"http://127.0.0.1:{free_port()}/").stdout.strip() == "not sent"
    assert "libcurl" in needed(binary) and not needed(binary) & OF_BUS


@pytest.mark.parametrize("how", ["cmake", "pkg-config"])
def test_a_program_of_tokens_links_libcrypto_alone(program, how):
    binary = program("signer", how)
    assert call(binary).stdout.strip() == "the token is valid"
    assert "libcrypto" in needed(binary) and not needed(binary) & (OF_BUS | {"libcurl", "libssl"})


@pytest.mark.parametrize("how", ["cmake", "pkg-config"])
def test_a_program_of_secrets_links_libsodium_alone(program, how):
    binary = program("keeper", how)
    assert call(binary).stdout.strip() == "the password is kept"
    assert "libsodium" in needed(binary) and not needed(binary) & (OF_BUS | {"libcurl", "libcrypto"})


@pytest.mark.parametrize("how", ["cmake", "pkg-config"])
def test_a_test_of_a_program_runs_it_in_memory(program, how):
    binary = program("tested", how)
    assert call(binary).stdout.strip() == "the message was answered"


def test_the_pure_part_asks_for_no_package_of_the_others(project, tmp_path):
    folder = tmp_path / "pkgconfig"
    folder.mkdir()
    source = call("pkg-config", "--variable=pcfiledir", "nettle").stdout.strip()
    shutil.copy(os.path.join(source, "nettle.pc"), folder)
    done = project("pure", PKG_CONFIG_LIBDIR=str(folder))
    assert done.returncode == 0, done.stdout
    shutil.rmtree(tmp_path / "build")
    done = project("service", PKG_CONFIG_LIBDIR=str(folder))
    assert done.returncode != 0 and "libbus needs libpq" in done.stdout


@pytest.mark.parametrize("ask, found", [
    ("0.2", True), ("0.1", False), ("0.3", False), ("1.0", False),
    ("COMPONENTS core bus curl token secret grpc testing", True), ("COMPONENTS nonsense", False),
])
def test_is_found_by_version_and_component(prefix, tmp_path, ask, found):
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.24)\nproject(ask LANGUAGES C)\n"
                                             f"find_package(bus {ask} REQUIRED)\n")
    done = call("cmake", "-S", str(tmp_path), "-B", str(tmp_path / "build"), "-G", "Ninja",
                f"-DCMAKE_PREFIX_PATH={prefix}",
                status=None)
    assert (done.returncode == 0) == found, done.stdout


@pytest.mark.parametrize("words", [
    "gcc -std=c11 -Wall -Wextra", "clang -std=c11 -Wall -Wextra", "clang -x c++ -std=c++17 -Wall -Wextra",
])
def test_each_header_compiles_alone(prefix, tmp_path, words):
    failed = {}
    for name in HEADERS:
        (tmp_path / "alone.c").write_text(f"#include <bus/{name}>\n#include <bus/{name}>\n")
        done = call(*words.split(), "-Werror", "-fsyntax-only", f"-I{prefix}/include", str(tmp_path / "alone.c"),
                    status=None)
        if done.returncode != 0:
            failed[name] = done.stdout
    assert not failed


FUNCTION = re.compile(r"^(?!static|typedef|#| |/|\*)[\w *]*?\b(bus_\w+)\((?!\*)", re.M)
# Archives that stand for parts of others; and points at which only test builds fail.
NOT_LINKED = {"memory_sql.h", "testing.h", "refusals.h", "failpoint.h"}


def test_a_program_in_cplusplus_compiles_and_links_every_function(project, prefix, tmp_path):
    headers = [name for name in HEADERS if name not in NOT_LINKED]
    names = {found for name in headers
             for found in FUNCTION.findall((prefix / "include" / "bus" / name).read_text(encoding="utf-8"))}
    done = project("cplusplus")
    assert done.returncode == 0, done.stdout
    place = tmp_path / "cplusplus"
    (place / "headers.inc").write_text("".join(f"#include <bus/{name}>\n" for name in headers))
    (place / "functions.inc").write_text("".join(f"FUNCTION({name})\n" for name in sorted(names)))
    call("cmake", "--build", str(tmp_path / "build"))
    assert len(names) > 300 and call(str(tmp_path / "build" / "consumer")).stdout == f"{len(names)} functions link\n"


def test_all_headers_and_the_sql_are_there(prefix, program, tmp_path):
    assert sorted(os.listdir(prefix / "include" / "bus")) == HEADERS
    for name in os.listdir(os.path.join(paths.ROOT, "libbus", "sql")):
        with open(os.path.join(paths.ROOT, "libbus", "sql", name), encoding="utf-8") as file:
            assert (prefix / "share" / "libbus" / name).read_text(encoding="utf-8") == file.read()
    program("service", "cmake")
    by_cmake = (tmp_path / "build" / "sql-file").read_text(encoding="utf-8")
    by_pkg_config = call("pkg-config", "--variable=sqlfile", "libbus",
                         env={"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}).stdout.strip()
    for path in (by_cmake, by_pkg_config):
        assert os.path.samefile(path, prefix / "share" / "libbus" / "bus.sql")


def test_the_licence_is_there(prefix):
    with open(os.path.join(paths.ROOT, "LICENSE"), encoding="utf-8") as file:
        assert (prefix / "share" / "doc" / "libbus" / "LICENSE").read_text(encoding="utf-8") == file.read()


def test_bus_new_makes_a_service_that_builds(prefix, tmp_path):
    bus_new = str(prefix / "bin" / "bus-new")
    assert "parcel-svc is made" in call(bus_new, "parcel", cwd=tmp_path).stdout
    made = tmp_path / "parcel-svc"
    texts = [path.name + path.read_text(encoding="utf-8") for path in made.iterdir()]
    assert len(texts) == 9 and not [text for text in texts if "ship" in text.lower()]
    call("cmake", "-S", str(made), "-B", str(tmp_path / "build"), "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
         "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
    call("cmake", "--build", str(tmp_path / "build"))
    assert "0 tests failed out of 1" in call("ctest", "--test-dir", str(tmp_path / "build")).stdout
    assert call(str(tmp_path / "build" / "parcel-svc"), "--version").stdout == "parcel-svc 1.0.0\n"
    said = call(str(tmp_path / "build" / "bus-topology"), "print").stdout
    assert "queue parcel-svc.dead " in said
    assert "choose another name" in call(bus_new, "parcel", cwd=tmp_path, status=2).stdout


@pytest.mark.parametrize("name", ["", "a", "Parcel", "par-cel", "../x", "9x", "int", "p" * 21])
def test_bus_new_refuses_a_name(prefix, tmp_path, name):
    said = call(str(prefix / "bin" / "bus-new"), name, cwd=tmp_path, status=2).stdout
    assert ("is a word of C" if name == "int" else "usage: bus-new") in said
    assert not list(tmp_path.iterdir())


def test_says_nowhere_where_it_was_made(prefix):
    texts = [path for path in prefix.rglob("*") if path.is_file() and path.suffix not in (".a", ".so")]
    told = [str(path) for path in texts if any(
        place in path.read_text(encoding="utf-8") for place in (paths.ROOT, str(prefix.parent)))]
    assert texts and not told


def test_versions_agree(prefix):
    for package in PACKAGES.values():
        assert call("pkg-config", "--modversion", package, env={
            "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}).stdout.strip() == paths.version()


def test_a_sanitized_build_is_not_installed(tmp_path):
    if PRESET not in ("asan", "tsan"):
        pytest.skip(f"the preset {PRESET} is not sanitized")
    done = call("cmake", "--install", build.folder(PRESET), "--prefix", str(tmp_path), "--component", "libbus",
                status=None)
    assert done.returncode != 0 and "sanitized" in done.stdout
    assert not os.listdir(tmp_path)
