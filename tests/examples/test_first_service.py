"""libbus's README: its commands against an installed libbus, a real Postgres and a real RabbitMQ, and its code, which
stands in examples/shipping word for word."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from dev import paths, ports, urls

SHIPPING = os.path.join(paths.ROOT, "examples", "shipping")
with open(os.path.join(paths.ROOT, "libbus", "README.md"), encoding="utf-8") as file:
    README = file.read()
SECONDS = 30


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def block(word):
    """The one block of shell that has this word."""
    found = [text for text in blocks("sh") if word in text]
    assert len(found) == 1, f"{word} stands in {len(found)} blocks of the README"
    return found[0]


class Reader:
    """A person who types the README's commands, with an own home folder and the servers of this run in the place of the
    usual addresses."""

    def __init__(self, home):
        self.home = home
        database = urls.database(os.environ["TEST_DATABASE_URL"])
        broker = urls.broker(os.environ["TEST_AMQP_URL"])
        self.port = ports.pick_one()
        self.places = {
            "postgres://postgres@localhost:5432": f"postgres://postgres:{database.password}@localhost:5432",
            "localhost:5432": f"{database.host}:{database.port}",
            "guest:guest@localhost:5672": f"{broker.user}:{broker.password}@{broker.host}:{broker.port}",
            "shop guest": f"shop {broker.user}",
            "localhost:5672": f"{broker.host}:{broker.port}",
            "127.0.0.1:8095": f"127.0.0.1:{self.port}",
        }
        programs = home / "bin"
        programs.mkdir()
        (programs / "rabbitmqctl").symlink_to(os.environ["TEST_RABBITMQCTL"])
        kept = {name: value for name, value in os.environ.items() if name.startswith(("CCACHE", "LANG", "ASAN"))}
        self.environment = {**kept, "HOME": str(home), "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin",
                            "PORT": str(self.port)}

    def words(self, text):
        for usual, own in self.places.items():
            text = text.replace(usual, own)
        return ["bash", "-euo", "pipefail", "-c", text]

    def types(self, text, status=0, seconds=600):
        done = subprocess.run(self.words(text), cwd=paths.ROOT, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)
        assert done.returncode == status, f"{text}\n{done.returncode}\n{done.stdout[-4000:]}"
        return done.stdout

    def types_until(self, text, wanted):
        """Again and again until it prints that."""
        until = time.monotonic() + SECONDS
        while wanted not in (said := self.types(text)):
            assert time.monotonic() < until, f"{text}\nnever printed {wanted}, but\n{said}"
            time.sleep(0.2)
        return said

    def operator(self, words):
        line = next(line for line in block("bus-dead list").splitlines() if "bus-dead list" in line)
        return line.replace("bus-dead list shipping-svc", words)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    if "TEST_DATABASE_URL" not in os.environ:
        pytest.skip("TEST_DATABASE_URL is not set")
    made = Reader(tmp_path_factory.mktemp("reader"))
    shutil.rmtree(os.path.join(paths.ROOT, "build", "shipping"), ignore_errors=True)
    made.types(block("cmake -S . -B build/libbus"))
    made.types(block("cmake -S examples/shipping"))
    made.types(block("CREATE ROLE"))
    said = made.types(block("rabbitmqctl add_user"))
    assert re.search(r"^applied: \d+ created", said, re.M)
    return made


@contextlib.contextmanager
def started(reader):
    process = subprocess.Popen(reader.words("exec env " + block("build/shipping/shipping-svc\n")), cwd=paths.ROOT,
                               env=reader.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, log


@pytest.fixture(scope="module")
def service(reader):
    with started(reader) as process:
        health = block("/health").splitlines()[0]
        reader.types_until(health + " || true", '"status":"UP"')
        yield process


def test_no_answer_is_said(reader):
    """The first test: the service does not run yet."""
    assert "no answer came within 10 s: is its service running?" in reader.types(block("bus-ask shipment.get.v1"), 1)


def test_an_order_gets_a_shipment_and_the_query_finds_it(reader, service):
    said = reader.types(block("0001\",\"items\""))
    assert "1 confirmed, 0 returned" in said
    said = reader.types_until(block("bus-ask shipment.get.v1"), '"pieces":2')
    assert re.fullmatch(r'shipment\.found\.v1 \{"order_id":"0190a1b2-[^"]+1","pieces":2,"created_at":"20[^"]+"\}\n',
                        said)


def test_its_tests_run_without_servers(reader):
    assert "100% tests passed, 0 tests failed out of 1" in reader.types(block("ctest --test-dir"))


def test_its_statements_fit_the_database_and_others_are_named(reader, tmp_path):
    check = block("build/shipping/shipping-test")
    assert reader.types(check) == "all hold, and the statements fit the database\n"
    more = "static const struct bus_service commands = {.aggregate = &shipments, .decide = decide"
    other = "static const struct bus_statement more[] = {{%s}};\n" + more + ", .statements = more, .statement_count = 1"
    wrongs = {"column": (more, other % '"SELECT 7", ""', 'statement 3 of commands, "SELECT 7": column ?column? is of a '
                         "type that bus/sql.h does not read"),
              "table": ('"shipping.shipments"', '"shipping.parcels"',
                        'SQLSTATE 42P01: relation "shipping.parcels" does not exist'),
              "right": (more, other % '"DELETE FROM shipping.shipments WHERE order_id = ANY ($1)", "U"',
                        "SQLSTATE 42501: permission denied")}
    for name, (old, new, said) in wrongs.items():
        shutil.copytree(SHIPPING, tmp_path / name)
        path = tmp_path / name / "shipping.c"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        test = tmp_path / name / "shipping_test.c"
        text = re.sub(r"^  (an|a)_\w+\(\);\n", "", test.read_text(encoding="utf-8"), flags=re.M)
        test.write_text(text.replace("static void a", "__attribute__((unused)) static void a"), encoding="utf-8")
        reader.types(f"cmake -S {tmp_path}/{name} -B {tmp_path}/build-{name} -G Ninja "
                     f"-DCMAKE_PREFIX_PATH=$HOME/.local && cmake --build {tmp_path}/build-{name} -t shipping-test")
        assert said in reader.types(check.replace("build/shipping/", f"{tmp_path}/build-{name}/"), 1)


def test_a_second_message_about_the_order_makes_no_second_shipment(reader, service):
    again = block("0001\",\"items\"").replace('"quantity":2', '"quantity":5')
    assert "1 confirmed" in reader.types(again)
    time.sleep(1)
    assert '"pieces":2' in reader.types(block("bus-ask shipment.get.v1"))


def test_an_order_without_a_shipment_is_answered_too(reader, service):
    asked = block("bus-ask shipment.get.v1").replace("8000-000000000001", "8000-000000000009")
    assert reader.types(asked) == 'shipment.found.v1 {"order_id":"0190a1b2-0000-7000-8000-000000000009"}\n'


def test_a_dead_letter_says_why_comes_again_and_is_dropped(reader, service):
    reader.types(block("\"quantity\":101").splitlines()[0] + "\n" + block("\"quantity\":101").splitlines()[1])
    reader.types_until(reader.operator("bus-dead list"), "shipping-svc 1\n")
    said = reader.types(reader.operator("bus-dead list shipping-svc"))
    assert "order.confirmed.v1 order-svc 0190a1b2-0000-7000-8000-000000000002 0 BUS_E_INVALID 101 pieces: a parcel " \
        "holds at most 100" in said
    said = reader.types(reader.operator("bus-dead show shipping-svc"))
    assert "shipping-svc/1.0.0" in said and '"quantity":101' in said
    replay, drop = block("bus-dead replay").splitlines()
    assert "is sent again as" in reader.types(replay)
    reader.types_until(reader.operator("bus-dead list"), "shipping-svc 1\n")
    assert "1 dropped" in reader.types(drop)


def test_the_ask_program_names_what_is_wrong(reader, service):
    ask = block("bus-ask shipment.get.v1")
    said = reader.types(ask.replace('{"order_id":"0190a1b2-0000-7000-8000-000000000001"}', '{"order_id":7,"x":1}'), 2)
    assert "body: order_id must be" in said and "body: x " in said
    assert "no such query; see --types" in reader.types(ask.replace("shipment.get.v1", "shipment.created.v1"), 2)
    assert "shipment.get.v1 operator\n" in reader.types(reader.operator("bus-ask --types"))
    assert "refused" in reader.types(ask.replace("operator-secret", "wrong"), 2).lower()


def test_every_program_says_the_version_of_its_own_system(reader):
    programs = os.path.join("build", "shipping")
    assert reader.types(f"{programs}/shipping-svc --version") == "shipping-svc 1.0.0\n"
    for name in ("bus-topology", "bus-send", "bus-ask", "bus-dead"):
        assert reader.types(f"{programs}/{name} --version") == f"{name} 1.0.0\n"


def refused(reader, **changed):
    """Starts the service with other variables, and returns its log; it must end by itself."""
    text = f"PORT={ports.pick_one()} " + block("build/shipping/shipping-svc\n").replace(" build/", " timeout 30 build/")
    for old, new in changed.values():
        assert old in text
        text = text.replace(old, new)
    return reader.types(text, 1)


def test_a_service_that_logs_in_as_another_user_does_not_start(reader):
    log = refused(reader, user=("shipping-svc:ship", "order-svc:order"))
    assert "RABBITMQ_URL logs in as order-svc, but the topology gives the queues and permissions of this service to " \
        "the user shipping-svc: give the URL that user" in log


def test_a_statement_that_the_database_refuses_is_named(reader):
    """A database with libbus's tables alone."""
    create, tables = block("CREATE ROLE").split("psql ")[1:]
    reader.types("psql " + create.split(" -c ")[0] + " -c 'CREATE DATABASE bare'")
    reader.types("psql " + tables.replace("/shipping ", "/bare ").replace(" -f examples/shipping/shipping.sql", ""))
    log = refused(reader, database=("/shipping timeout", "/bare timeout"))
    assert "the database refuses statement 0 of the service" in log and "correct it, or deploy the migration" in log
    assert "SQLSTATE 42P01" in log and "database is away" not in log


def test_an_invalid_topology_is_named(reader, tmp_path):
    """The type of the query is in no queue: one word of the example less."""
    shutil.copytree(SHIPPING, tmp_path / "shipping")
    path = tmp_path / "shipping" / "shipping_topology.c"
    text = path.read_text(encoding="utf-8")
    assert text.count('    BUS_QUERY_QUEUE("shipping-svc.query", answers),\n') == 1
    path.write_text(text.replace('    BUS_QUERY_QUEUE("shipping-svc.query", answers),\n', "").replace(
        "answers[]", "answers[] __attribute__((unused))"), encoding="utf-8")
    reader.types(f"cmake -S {tmp_path}/shipping -B {tmp_path}/build -G Ninja -DCMAKE_PREFIX_PATH=$HOME/.local && "
                 f"cmake --build {tmp_path}/build")
    log = refused(reader, program=("build/shipping/shipping-svc", f"{tmp_path}/build/shipping-svc"))
    assert "type shipment.get.v1: no queue takes this query" in log
    assert "no queue takes this query" in reader.types(f"{tmp_path}/build/bus-topology print", 2)


def test_the_code_of_the_readme_is_the_examples():
    source = ""
    for name in sorted(glob.glob(os.path.join(SHIPPING, "*.[ch]"))):
        with open(name, encoding="utf-8") as text:
            source += text.read()
    missing = [text for text in blocks("c") if text not in source]
    assert len(blocks("c")) > 5 and not missing


def test_the_handler_is_short():
    with open(os.path.join(SHIPPING, "shipping.c"), encoding="utf-8") as source:
        handler = re.search(r"^static void decide\(.*?^}$", source.read(), re.M | re.S).group()
    assert handler.count("\n") + 1 <= 25


def test_the_service_is_short():
    names = [name for name in glob.glob(os.path.join(SHIPPING, "*.[ch]")) if not name.endswith("_test.c")]
    lines = 0
    for name in names:
        with open(name, encoding="utf-8") as source:
            lines += source.read().count("\n")
    assert len(names) == 6 and lines <= 160


def test_another_struct_does_not_compile(reader, tmp_path):
    """BUS_EMIT, BUS_REPLY and BUS_BODY demand the struct that BUS_MESSAGE names."""
    text = '#include "shipping.h"\nvoid f(struct bus_effects *e, const struct bus_uuid *id);\n' \
           "void f(struct bus_effects *e, const struct bus_uuid *id) {{\n  {0} s = {{.order_id = *id}};\n" \
           "  {1}\n}}\n"
    wrong, right = "struct shipment_get", "struct shipment"
    calls = ("BUS_EMIT(e, shipment_created, id, &s);", "BUS_REPLY(e, shipment_found, &s);")
    for struct in (right, wrong):
        for call in calls:
            (tmp_path / "call.c").write_text(text.format(struct, call))
            said = reader.types(f"cc -std=c11 -fsyntax-only -Wall -Werror -I{SHIPPING} -I$HOME/.local/include "
                                f"{tmp_path}/call.c", status=0 if struct == right else 1)
            assert struct == right or "_Generic" in said, said


def test_the_answer_is_json(reader, service):
    said = reader.types(block("bus-ask shipment.get.v1"))
    assert json.loads(said.partition(" ")[2])["order_id"].startswith("0190a1b2")
