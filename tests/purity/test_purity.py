"""Checks of binaries and sources: pure parts do no I/O, each library has one user, SQL stands in its place, programs
are hardened."""
import functools
import json
import os
import re
import subprocess

import pytest

import sources
from dev import broker, build, manifests, paths, reconcile
from dev.runner import tracked
from symbols import why_not_pure

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
DECIDING = [one.short for one in manifests.WITH_DATABASE]
PURE = {
    "bus_core": "libbus/src/core/libbus_core.a",
    "bus_pipeline": "libbus/src/pipeline/libbus_pipeline.a",
    "orderbus_topology": "infrastructure/topology/liborderbus_topology.a",
    "currencies": "payment-svc/libcurrencies.a",
    **{f"{one.short}_{part}": f"{one.folder}/lib{one.short}_{part}.a"
       for one in manifests.WITH_DATABASE for part in ("domain", "messages")},
}
# bus/sql.h: statements and rows as data; whoever drives the pipeline has them.
SQL_FUNCTION = re.compile(r"bus_(sql|args|rows)_\w+")
# Libraries that touch the world; none may come along with a pure part.
OF_IO = ("librabbitmq", "libpq", "libcurl", "libcivetweb", "libssl", "libcrypto", "libsodium", "libnghttp2")
# header: where it may be included, tests aside.
USERS = {
    r"libpq-fe\.h|libpq/.*": "libbus/src/pg/",
    r"(rabbitmq-c/)?amqp(_\w+)?\.h|rabbitmq-c/.*": "libbus/src/amqp/",
    r"curl/.*": "libbus/src/http/",
    r"civetweb\.h": "libbus/src/http/civetweb/",
    r"nghttp2/.*": "libbus/src/grpc/",
    r"openssl/.*": ("libbus/src/token/", "libbus/src/tls/"),
    r"sodium\.h|sodium/.*": "libbus/src/secret/",
}
# The same as the compiler saw it, through whatever other header.
SEEN = {
    r"/libpq-fe\.h$": ("libbus/src/pg/",),
    r"^/usr/.*/(amqp(_\w+)?\.h|rabbitmq-c/.*)$": ("libbus/src/amqp/",),
    r"/curl/\w+\.h$": ("libbus/src/http/",),
    r"/civetweb\.h$": ("libbus/src/http/civetweb/",),
    r"/nghttp2/\w+\.h$": ("libbus/src/grpc/",),
    r"/openssl/\w+\.h$": ("libbus/src/token/", "libbus/src/tls/"),
    r"/sodium(/\w+)?\.h$": ("libbus/src/secret/",),
}
# Operators' programs that read the databases of services by roles of their own.
READING = {"orderctl"}
BANNED = ("strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "gets", "alloca")
BANNED_OUTSIDE_TESTS = ("system", "popen")
SQL_PLACES = re.compile(r"(.*-svc|orderctl)/src/\w+_(statements|store)\.c|examples/\w+/\w+\.c|"
                        r"libbus/src/pipeline/own\.c|"
                        r"libbus/src/pg/reader\.c|libbus/src/program/trail\.c|"
                        r"libbus/src/worker/worker_database\.c|libbus/src/core/recipe\.c|libbus/src/pg/session\.c")
HAVING_FAILPOINTS = [one.name for one in manifests.ON_BUS]
HARDENED = ("-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection", "-Wformat=2", "-Werror")


def output(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stderr}"
    return done.stdout


def archive(name):
    return os.path.join(build.folder(PRESET), PURE[name])


def programs(preset=PRESET):
    folder = build.programs(preset)
    return {name: os.path.join(folder, name) for name in sorted(os.listdir(folder))} if os.path.isdir(folder) else {}


def is_test(name):
    return bool({"tests", "testing"} & set(name.split("/")))


def source_of(target):
    """The place of an object file's source, as CMake names it."""
    return re.sub(r"CMakeFiles/[^/]+\.dir/", "", target)


def c_files(tests=True):
    return [name for name in tracked(".c", ".h") if tests or not is_test(name)]


# ---- pure parts ----

def symbols(name, which):
    """(object file, symbol) of an archive."""
    lines = output("nm", "--print-file-name", "--format=posix", "--extern-only", which, archive(name)).splitlines()
    return {(re.search(r"\[(.*?)\]:", line).group(1), line.split(": ", 1)[1].split()[0]) for line in lines}


@functools.lru_cache
def defined():
    return {symbol for name in PURE for _, symbol in symbols(name, "--defined-only")}


@pytest.mark.parametrize("name", PURE)
def test_a_pure_part_asks_libc_for_nothing_but_memory_and_text(name):
    assert symbols(name, "--defined-only")
    foreign = [(file, symbol) for file, symbol in symbols(name, "--undefined-only")
               if symbol not in defined() and not (name == "bus_pipeline" and SQL_FUNCTION.fullmatch(symbol))]
    reasons = {f"{file}: {symbol}": why_not_pure(symbol, name == "bus_core") for file, symbol in foreign}
    assert not {where: reason for where, reason in reasons.items() if reason}


@pytest.mark.parametrize("service", DECIDING)
def test_a_domain_links_without_any_io_library(service, tmp_path):
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    archives = [archive(f"{service}_domain"), *(archive(f"{name}_messages") for name in DECIDING),
                archive("currencies"), archive("bus_core")]
    output("gcc", *sanitizers(), str(tmp_path / "main.c"), "-o", str(tmp_path / "main"),
           "-Wl,--whole-archive", *archives, "-Wl,--no-whole-archive", "-lcjson", "-lnettle")
    output(str(tmp_path / "main"))
    loaded = output("ldd", str(tmp_path / "main"))
    assert "libcjson." in loaded
    assert not [library for library in OF_IO if library + "." in loaded]


def test_the_simulation_does_no_io():
    """It links archives that hold I/O, and must take no such object from them."""
    program = os.path.join(build.programs(PRESET), "simulation")
    if not os.path.exists(program):
        pytest.skip("not built")
    loaded = output("ldd", program)
    assert "libcjson." in loaded
    assert not [library for library in OF_IO if library + "." in loaded]


def sanitizers():
    with open(os.path.join(build.folder(PRESET), "CMakeCache.txt"), encoding="utf-8") as file:
        cache = file.read()
    return [flag for option, flag in (("ORDERBUS_ASAN", "-fsanitize=address,undefined"),
                                      ("ORDERBUS_TSAN", "-fsanitize=thread")) if f"{option}:BOOL=ON" in cache]


# ---- one user a library ----

@pytest.mark.parametrize("header", USERS)
def test_a_library_has_one_user(header):
    having = {name for name in c_files(tests=False)
              for found in sources.includes(sources.read(name)) if re.fullmatch(header, found)}
    assert having
    assert not [name for name in having if not name.startswith(USERS[header])]


def test_a_library_has_one_user_also_through_other_headers():
    """The files that the compiler read for each object, as ninja remembers them."""
    read, current = {}, None
    for line in output("ninja", "-C", build.folder(PRESET), "-t", "deps").splitlines():
        if line.startswith("    "):
            read[current].append(line.strip())
        elif "#deps" in line:
            current = line.split(":")[0]
            read[current] = []
    assert len(read) > 100
    wrong = [(target, header) for target, headers in read.items() if not is_test(target) for header in headers
             for pattern, places in SEEN.items()
             if re.search(pattern, header) and not source_of(target).startswith(places)]
    assert not wrong


def needed(program):
    return re.findall(r"\(NEEDED\).*\[(\w+)\.so", output("readelf", "--dynamic", program))


def test_a_program_links_libcrypto_if_it_has_tokens():
    calling = {one.name for one in manifests.ALL if one.checks_tokens}
    assert {name for name, path in programs().items() if "libcrypto" in needed(path)} >= calling


def test_a_program_links_libssl_if_it_listens():
    linking = {name for name, path in programs().items() if "libssl" in needed(path)}
    assert linking == {one.name for one in manifests.ALL}


def test_a_program_calls_out_if_its_manifest_says_so():
    linking = {one.name for one in manifests.ALL if one.calls_out} | (
        {reconcile.RECORDS} & set(programs()))  # a service alone is built without it
    assert {name for name, path in programs().items() if "libcurl" in needed(path)} == linking


def test_a_program_has_a_database_if_its_manifest_names_one():
    owning = {one.name for one in manifests.WITH_DATABASE} | (READING & set(programs()))
    assert {name for name, path in programs().items() if "libpq" in needed(path)} == owning


# ---- sources ----

@pytest.mark.parametrize("call", BANNED + BANNED_OUTSIDE_TESTS)
def test_a_banned_call_is_nowhere(call):
    pattern = re.compile(rf"(?<![\w.>]){call}\s*\(")
    found = [f"{name}:{number}" for name in c_files(tests=call in BANNED)
             for number, line in enumerate(sources.without_comments_and_texts(sources.read(name)).splitlines(), 1)
             if pattern.search(line)]
    assert not found


def test_sql_stands_where_sql_belongs():
    having = {}
    for name in c_files(tests=False):
        having[name] = [text for text in sources.texts(sources.read(name)) if sources.is_sql(text)]
    assert not {name: texts for name, texts in having.items() if texts and not SQL_PLACES.fullmatch(name)}
    assert sum(map(len, having.values())) > 30


# ---- hardening ----

def compiles(preset):
    with open(os.path.join(build.folder(preset), "compile_commands.json"), encoding="utf-8") as file:
        return {entry["file"]: entry["command"].split() for entry in json.load(file)}


def test_b1_every_file_is_compiled_with_the_hardening_flags():
    weak = {}
    for file, words in compiles(PRESET).items():
        weak[file] = [flag for flag in HARDENED if flag not in words]
        if not {"-fPIE", "-fPIC"} & set(words):
            weak[file].append("-fPIE")
    assert weak
    assert not {file: missing for file, missing in weak.items() if missing}


@pytest.mark.parametrize("preset", sorted({PRESET, "release"}))
def test_b1_programs_are_position_independent_and_bound_at_the_start(preset):
    if not programs(preset):
        pytest.skip(f"build/{preset} has no programs")
    for path in programs(preset).values():
        dynamic = output("readelf", "--wide", "--file-header", "--dynamic", "--segments", path)
        assert re.search(r"Type:\s+DYN", dynamic) and re.search(r"Flags:.*\bNOW\b.*\bPIE\b", dynamic), path
        assert "BIND_NOW" in dynamic and "GNU_RELRO" in dynamic, path
        assert re.search(r"GNU_STACK\s.*\sRW\s", dynamic), path


def test_b1_a_release_is_fortified_and_guards_its_stack():
    if not programs("release"):
        pytest.skip("build/release has no programs")
    for file, words in compiles("release").items():
        assert "-D_FORTIFY_SOURCE=2" in words and "-O2" in words and "-DNDEBUG" not in words, file
    for path in programs("release").values():
        asked = output("nm", "--dynamic", "--undefined-only", path)
        assert "__stack_chk_fail" in asked and "_chk@" in asked.replace("__stack_chk_fail", ""), path


# ---- the broker's users ----

def test_the_manifests_name_the_users_of_the_topology():
    """Each service's part has the user of its manifest; the operator has no manifest."""
    permissions = json.loads(output(programs()["bus-topology"], "definitions"))["permissions"]
    assert sorted(one["user"] for one in permissions) == sorted(broker.USERS)


# ---- failpoints ----

def failpoints():
    """{program: the names of its points}, of a build that has them."""
    found = {}
    for name in HAVING_FAILPOINTS:
        lines = output(programs()[name], "--print-failpoints").splitlines()
        found[name] = [line.split()[0] for line in lines]
    return found


def test_failpoints_are_named_after_their_part_and_step():
    for name, points in failpoints().items():
        assert len(points) > 10 and len(set(points)) == len(points), name
        assert not [point for point in points if not re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z0-9]+(-[a-z0-9]+)*", point)]


def test_a_release_has_no_failpoint():
    """Neither a symbol, nor a point's name, nor the variables that switch them, nor the flag that lists them."""
    if not programs("release"):
        pytest.skip("build/release has no programs")
    names = {point for points in failpoints().values() for point in points}
    assert "worker.after-commit" in names
    traces = {}
    for name, path in programs("release").items():
        texts = output("strings", "--all", path) + output("nm", "--debug-syms", path)
        texts = texts.replace(paths.ROOT, "").lower()
        traces[name] = [text for text in ("failpoint", "bus_fault", *sorted(names)) if text in texts]
    assert not {name: found for name, found in traces.items() if found}
    for name in HAVING_FAILPOINTS:
        done = subprocess.run([programs("release")[name], "--print-failpoints"], capture_output=True, check=False)
        assert done.returncode == 2, name
