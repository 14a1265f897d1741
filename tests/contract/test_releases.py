"""The decoder of the last release reads today's messages; tests/docs and test_release_samples.c hold the other way."""
import json
import os
import re
import shutil
import subprocess

import pytest

from bodies import bodies
from dev import build, paths, releases

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
HERE = os.path.join(paths.ROOT, "tests", "contract")
TARGET = """
add_executable(old-reader old_reader.c)
target_link_libraries(old-reader PRIVATE orderbus_topology)
set_target_properties(old-reader PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
"""


@pytest.fixture(scope="module")
def old_reader(tmp_path_factory):
    """The release's tables, built from its commit."""
    folder = tmp_path_factory.mktemp("release")
    releases.extract(releases.last(), folder)
    shutil.copy(os.path.join(HERE, "old_reader.c"), folder)
    with open(folder / "CMakeLists.txt", "a", encoding="utf-8") as file:
        file.write(TARGET)
    for words in (["-S", folder, "-B", folder / "build", "-G", "Ninja", "-DORDERBUS_TESTS=OFF"],
                  ["--build", folder / "build", "--target", "old-reader"]):
        done = subprocess.run(["cmake", *words], capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "old-reader"


def schemas():
    program = os.path.join(build.programs(PRESET), "bus-topology")
    return json.loads(subprocess.check_output([program, "schemas"], timeout=60))["$defs"]


def read(old_reader, messages):
    """messages: (type, body), … → {(type, field or what is wrong)}: those that it refuses."""
    lines = "".join(f"{name} {json.dumps(body)}\n" for name, body in messages)
    done = subprocess.run([old_reader], input=lines, capture_output=True, text=True, check=True, timeout=300)
    found = set()
    for line in done.stdout.splitlines():
        name, why = line.split("\t")
        found |= {(name, re.sub(r"\[\d+\]", "[]", one.split(" ")[0]) if one != "unknown type" else one)
                  for one in why.split("; ") if not re.match(r"and \d+ more", one)}  # of the same list
    return found


def accepted():
    """{(type, field)} of docs/releases/accepted.json."""
    with open(os.path.join(releases.FOLDER, "accepted.json"), encoding="utf-8") as file:
        names = [line.split(": ")[0] for line in json.load(file) if not line.startswith("openapi: ")]
    return {tuple(re.fullmatch(r"(.+?\.v\d+)\.(.+)", name).groups()) for name in names if re.search(r"\.v\d+\.", name)}


def test_the_last_release_reads_what_is_sent_today(old_reader):
    """But for new types, and for the fields whose change is accepted by name."""
    today = schemas()
    with open(releases.place("messages.json"), encoding="utf-8") as file:
        old = set(json.load(file)["$defs"])
    assert len(old) > 39
    refused = read(old_reader, [(name, body) for name in sorted(old & set(today)) for body in bodies(today[name])])
    assert refused - accepted() == set()


def test_what_it_does_not_read_is_named(old_reader):
    body = next(bodies(schemas()["order.place.v1"]))
    wrong = body | {"items": [{"product_id": "A", "quantity": "1", "unit_price": 1}]}
    assert read(old_reader, [("order.place.v1", body)]) == set()
    assert read(old_reader, [("order.place.v1", wrong)]) == {("order.place.v1", "items[].quantity")}
    assert read(old_reader, [("order.tomorrow.v1", {})]) == {("order.tomorrow.v1", "unknown type")}
