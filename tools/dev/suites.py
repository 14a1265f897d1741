"""The test suites of ./dev test: which there are, how long each may take, and what is said about them."""
import concurrent.futures
import os
import re
import signal
import sys
import threading
import time

from dev import (backends, build, checks, contract, fuzz, grpc_tools, kube_tools, package, packages, paths,
                 pipelines, ports, proofs, sanitizer, services, session, systems, traces)
from dev.gotool import TOXIPROXY
from dev.report import DevError
from dev.runner import Result, count, end_all, run, skip, temporary_folder
from dev.servers import TestServers

PRESET = "asan"
SHARES = 2
SHOWN_LINES = 150
# Long tests in which one worker thread waits alone, and those that measure CPU time: no two threads meet in them.
ALONE = ("sleeps|no_cpu|costs_no_time|keeps_the_text|gives_a_hanging|kills_the_database|lost_connections|deadlines|"
         "crashes_its_consumer|connection_that_is_cut|that_fails_each_time|full_queue|week_ago|unroutable|"
         "missing_grant|blamed_on_messages|is_put_off|dead_letters_few")
PATIENCE = 2  # a suite is ended when it takes this many times its budget


def _build_suite(preset):
    def build_all(_seconds):
        build.build(preset, keep_going=True)
        return Result(passed=1)
    return build_all


# With services.SANITIZERS a leak fails every test, whatever the caller's environment says.
def _ctest(label, env=None, jobs=2, seconds=600, share=(1, 1), preset=PRESET, without="^$"):
    """The tests with a label; with share (i, n) every n-th of them alone, from the i-th on; without those so named."""
    report = os.path.join(build.folder(preset), f"ctest-{label}-{share[0]}.xml")
    if os.path.exists(report):
        os.unlink(report)
    status, output = run([*build.launcher(build.folder(preset)), "ctest", "--test-dir", build.folder(preset),
                          "--label-regex", f"^{label}$", "--exclude-regex", without, "--tests-information",
                          f"{share[0]},,{share[1]}", "--output-on-failure",
                          "--test-output-size-passed", "65536", "--output-junit", report,
                          "--parallel", str(jobs)], seconds, services.SANITIZERS | (env or {}))
    found = count(report, status, output)
    if not found.passed and not found.failed:
        return skip(f"no test has the label {label}")
    return found


def _build_tsan(_seconds=None):
    build.build_programs("tsan", besides=["threaded_tests"])
    return Result(passed=1)


def _unit(seconds):
    return _ctest("unit", seconds=seconds)


def _alloc(seconds):
    found = _ctest("alloc", seconds=seconds)
    with open(os.path.join(build.folder(PRESET), "ctest-alloc-1.xml"), encoding="utf-8") as file:
        runs = re.findall(r"^(\d+) injections", file.read(), re.M)
    found.note = f"{sum(map(int, runs))} injections in {len(runs)} scenarios"
    return found


def _memory(seconds):
    """Measurements that need a build without a sanitizer; the README's first command uses the same build."""
    build.build("release")  # without "build-release" before it
    return _ctest("memory", seconds=seconds, preset="release")


def _sim(seconds):
    """The builds that are fast enough, and those that tell the same stories by other means."""
    for preset in ("release", PRESET, "clang"):
        build.build(preset, ["simulation"])
    return _ctest("sim", seconds=seconds, preset="release", jobs=1) + _pytest("simulation")(seconds)


def _integration(seconds):
    """In shares that each have servers of their own. The tests wait more than they work, and each has a database and
    queues of its own; those that block a whole broker or measure time run alone within their share."""
    with temporary_folder("integration") as folder:
        def share(number):
            pair = TestServers(os.path.join(folder, f"servers-{number}"))
            try:
                return _ctest("integration", pair.up(), 3, seconds, (number, SHARES))
            finally:
                pair.down(discard=True)

        with concurrent.futures.ThreadPoolExecutor(SHARES) as pool:
            return sum(pool.map(share, range(1, SHARES + 1)), Result())


def _pytest(name, servers=False, place=None, marks=None):
    def run_pytest(seconds):
        tests = os.path.join("tests", place or name)
        if not os.path.exists(os.path.join(paths.ROOT, tests)):
            return skip(f"there is no {tests}")
        with temporary_folder(name) as folder:
            pair = TestServers(os.path.join(folder, "servers")) if servers else None
            env = pair.up() if pair else {}
            try:
                return _pytest_in(folder, tests, seconds, env, marks=marks)
            finally:
                if pair:
                    pair.down(discard=True)
    return run_pytest


def _pytest_in(folder, place, seconds, env=None, preset=PRESET, marks=None):
    report = os.path.join(folder, "report.xml")
    own = services.SANITIZERS | {"ORDERBUS_TEST_TMP": folder, "ORDERBUS_PRESET": preset}
    status, output = run(["/usr/bin/python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q",
                          "--durations=40", "--durations-min=3", f"--junitxml={report}",
                          *(["-m", marks] if marks else []), place], seconds, own | (env or {}))
    return count(report, status, output)


def _alerts(seconds):
    packages.ensure(packages.ALERTS)
    return _pytest("alerts")(seconds)


def _observe(seconds):
    packages.ensure(packages.OBSERVE)
    TOXIPROXY.install()
    backends.install_all()
    return _pytest("observe")(seconds)


def _browser(seconds):
    packages.ensure(packages.BROWSER)
    contract.BROWSER_PROGRAMS.install()
    return _pytest("browser")(seconds)


def _tls(seconds):
    """Tests of TLS itself, and those of orders, payments and events of the provider on a stack with TLS everywhere."""
    found = _pytest("tls")(seconds)
    for module in ("orders", "payments", "webhooks"):
        with temporary_folder(f"tls-{module}") as folder:
            found += _pytest_in(folder, f"tests/system/test_{module}.py", seconds, {"ORDERBUS_TEST_TLS": "1"})
    return found


def _images(seconds):
    packages.ensure(packages.IMAGES)
    package.make()
    systems.MACHINE.install()
    return _pytest("images")(seconds)


def _grpc(seconds):
    grpc_tools.install_all()
    return _pytest("grpc")(seconds)


def _kubernetes(seconds):
    packages.ensure(packages.KUBERNETES)
    kube_tools.install_all()
    return _pytest("kubernetes")(seconds)


def _pipelines(seconds):
    packages.ensure(packages.PIPELINES)
    pipelines.ACTIONLINT.install()
    pipelines.LINTERS.install()
    return _pytest("pipelines")(seconds)


def _packages(seconds):
    package.make()
    systems.MACHINE.install()
    return _pytest("packages")(seconds)


def _reference(seconds):
    packages.ensure(packages.REFERENCE)
    return _pytest("reference")(seconds)


def _service(seconds):
    TOXIPROXY.install()
    return _pytest("service", servers=True)(seconds)


def _shards(seconds):
    TOXIPROXY.install()
    return _pytest("shards")(seconds)


def _debian_13(seconds):
    systems.DEBIAN_13.install()
    return _pytest("debian-13", place="debian_13")(seconds)


def _traces(seconds):
    traces.MESSAGES.install()
    return _pytest("traces")(seconds)


def _tsan(seconds):
    """The tests that have threads, on servers of their own, and beside them a whole stack under load. A report counts
    whatever its program's end was and whoever started it."""
    _build_tsan()  # without "build-tsan" before it
    with temporary_folder("tsan") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        env = sanitizer.thread_options(folder)
        load = pool.submit(_pytest_in, folder, os.path.join("tests", "tsan"), seconds, env, "tsan")
        pair = TestServers(os.path.join(folder, "servers"))
        try:
            tests = _ctest("threads", pair.up() | env, 4, seconds, preset="tsan", without=ALONE)
        finally:
            pair.down(discard=True)
        return tests + load.result() + sanitizer.reports(folder)


# name: (budget in seconds on two cores, what runs it). Cheap and telling ones first.
TABLE = {
    "format": (20, checks.format_suite),
    "lint": (60, checks.lint_suite),
    "build-gcc-asan": (260, _build_suite(PRESET)),
    "unit": (100, _unit),
    "alloc": (30, _alloc),
    "sim": (170, _sim),
    "build-clang": (190, _build_suite("clang")),
    "build-tsan": (300, _build_tsan),
    "build-release": (240, _build_suite("release")),
    "fuzz": (300, fuzz.suite),
    "tidy": (400, checks.tidy_suite),
    "schema": (210, _pytest("schema", servers=True)),
    "integration": (270, _integration),
    "tsan": (240, _tsan),
    "memory": (30, _memory),
    "docs": (10, _pytest("docs")),
    "purity": (30, _pytest("purity")),
    "install": (80, _pytest("install")),
    "examples": (60, _pytest("examples", servers=True)),
    "dev": (440, _pytest("dev")),
    "crash": (150, _pytest("crash")),
    "live": (120, _pytest("live", place="contract/test_live.py", marks="not long")),
    "readme": (120, _pytest("readme")),
    "system": (600, _pytest("system", marks="not long and not discovery")),
    "load": (100, _pytest("load")),
    "chaos": (330, _pytest("chaos")),
}
SHORT_NAMES = tuple(TABLE)
TABLE |= {
    "alerts": (180, _alerts),
    "analyzer": (900, checks.analyzer_suite),
    "attack": (900, _pytest("attack")),
    "backup": (900, _pytest("backup")),
    "browser": (600, _browser),
    "change": (300, _pytest("change")),
    "contract": (1200, _pytest("contract", marks="not short")),
    "debian-13": (3000, _debian_13),
    "discovery": (600, _pytest("discovery", place="system", marks="discovery")),
    "failover": (600, _pytest("failover")),
    "gateway": (900, _pytest("gateway")),
    "grpc": (600, _grpc),
    "images": (1200, _images),
    "kubernetes": (2400, _kubernetes),
    "observe": (3300, _observe),
    "operator": (300, _pytest("operator")),
    "packages": (900, _packages),
    "pipelines": (300, _pipelines),
    "reference": (90, _reference),
    "service": (600, _service),
    "shards": (600, _shards),
    "system-long": (600, _pytest("system-long", place="system", marks="long")),
    "tls": (600, _tls),
    "traces": (300, _traces),
    "upgrade": (900, _pytest("upgrade")),
} | proofs.TABLE
NAMES = tuple(TABLE)
LONG_NAMES = NAMES[len(SHORT_NAMES):]
# They want processors and neither servers nor answers in time: they run one after the other, at the lowest priority,
# beside the suites that follow, which mostly wait.
AT_LEISURE = ("build-tsan", "build-release", "fuzz", "tidy", "analyzer")
# Long ones that mostly wait: they, too, run one after the other beside the suites that follow.
BESIDE = ("dev", "crash", "live", "readme")
# Suites that measure recovery times wait for all of those.
MEASURES = ("attack", "chaos", "gateway", "observe", *proofs.TABLE)
NEEDS_ASAN = ("unit", "alloc", "integration", "docs", "purity", "install", "schema", "dev", "system", "crash",
              "alerts", "attack", "browser", "change", "contract", "discovery", "failover", "gateway", "grpc",
              "observe", "operator", "service", "shards", "system-long", "tls", "traces", "upgrade", "chaos", "load",
              "live", "readme")


def forget_the_users_stack(environment):
    """Tests make stacks of their own: the variables that describe the user's must not reach them."""
    own = ("ORDERBUS_STATE", "AUTH", "RABBITMQ_URL", "RABBITMQ_MANAGEMENT_URL", *session.GIVEN_DATABASES.values(),
           *(variable for _, variable, _ in ports.TABLE.values()))
    for name in own:
        environment.pop(name, None)


def test(options):
    unknown = set(options.suites) - set(NAMES)
    if unknown:
        raise DevError(f"there is no suite {' or '.join(sorted(unknown))}: choose from {' '.join(NAMES)}", status=2)
    packages.ensure(packages.UP + packages.TEST)
    forget_the_users_stack(os.environ)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what runs is ended and wiped on the way out
    wanted = options.suites or (NAMES if options.all else SHORT_NAMES)
    chosen = [name for name in NAMES if name in wanted]
    if "build-gcc-asan" not in chosen and set(chosen) & set(NEEDS_ASAN):
        chosen.insert(0, "build-gcc-asan")
    total = _run_suites(chosen)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


class _Lane:
    """Suites one after the other, in a thread beside the main one."""

    def __init__(self, prepare=None):
        self._pool = concurrent.futures.ThreadPoolExecutor(1, initializer=prepare)
        self._suites = []

    def submit(self, name):
        self._suites.append(self._pool.submit(_suite, name))

    def results(self):
        """Waits for all suites that were submitted, and returns their results."""
        return [one.result() for one in self._suites]

    def end(self):
        self._pool.shutdown(cancel_futures=True)


def _run_suites(chosen):
    """One after the other, but for those that want processors alone, or hardly any, and have others to run beside."""
    leisure = AT_LEISURE if set(chosen) - set(AT_LEISURE) else ()
    results, at_leisure, beside = [], _Lane(_be_nice), _Lane()
    try:
        for name in chosen:
            if name in MEASURES:
                beside.results()
                at_leisure.results()
            if name in leisure:
                at_leisure.submit(name)
            elif name in BESIDE:
                beside.submit(name)
            else:
                results.append(_suite(name))
        return sum(results + beside.results() + at_leisure.results(), Result())
    except BaseException:
        end_all()
        raise
    finally:
        at_leisure.end()
        beside.end()


def _be_nice():
    """Lowers the priority of this thread alone, and of the processes that it starts."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _suite(name):
    budget, function = TABLE[name]
    begin = time.monotonic()
    try:
        result = function(budget * PATIENCE)
    except DevError as error:
        result = Result(failed=1, text=str(error))
    took = time.monotonic() - begin
    if took > budget:
        result += Result(note="over its budget")  # said, not failed: a machine may be busy with something else
    _show(name, result, took, budget)
    return result


def _show(name, result, took, budget):
    if result.failed and result.text:
        _show_failure(name, result.text.rstrip())
    word = "FAILED" if result.failed else "ok" if result.passed else "skipped"
    counts = ", ".join(f"{number} {what}" for number, what in (
        (result.passed, "passed"), (result.failed, "failed"), (result.skipped, "skipped")) if number)
    note = f"  ({result.note})" if result.note else ""
    print(f"{name:<15} {word:<8} {counts:<32} {took:6.1f} s / {budget} s{note}", flush=True)


def _show_failure(name, text):
    """The end of what was said; all of it is kept in a file."""
    place = os.path.join(paths.ROOT, "build", "test-logs", name + ".log")
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    shown = "\n".join(text.splitlines()[-SHOWN_LINES:])
    print(f"--- {name} (all of it: {place}) ---\n{shown}\n--- end of {name} ---", file=sys.stderr, flush=True)
