"""Decisions are pure: a *_decide.c stands in its service's domain library, and takes aggregates as const."""
import glob
import os
import re
import subprocess

import pytest

import sources
from dev import build, manifests, paths

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
CALLED = re.compile(r"\b\w+\s*\(([^()]*)\)\s*[{;]")
MEMBERS = re.compile(r"\bstruct\s+\w+\s*\{([^{}]*)\}")
UNNAMED = re.compile(r"\b(?:union|struct)\s*\{([^{}]*)\}\s*;")


def of_service(service, name):
    return sorted(glob.glob(os.path.join(paths.ROOT, service.folder, "src", name)))


DECIDING = [one for one in manifests.WITH_DATABASE if of_service(one, "*_decide.c")]


def code(path):
    return sources.without_comments_and_texts(sources.read(os.path.relpath(path, paths.ROOT)))


def aggregates(service):
    """The structs that the service keeps as rows, by its column tables."""
    found = set()
    for path in of_service(service, "*_columns.c"):
        text = code(path)
        shorts = dict(re.findall(r"#define\s+(\w+)\s+(struct\s+\w+)", text))
        found |= {shorts.get(row, row) for row in re.findall(r"BUS_COLUMN_TABLE\(\s*\"\",\s*([\w ]+?)\s*,", text)}
    return {" ".join(name.split()) for name in found}


def changeable(text, rows):
    """Parameters and members that point to a row without const, and casts that take const away."""
    found, text = [], UNNAMED.sub(r"\1", text)
    for places, separator in ((CALLED, ","), (MEMBERS, ";")):
        for place in places.findall(text):
            found += [part.strip() for part in place.split(separator)]
    return [part for part in found + re.findall(r"\(\s*(?:const\s+)?struct\s+\w+\s*\*+\s*\)", text)
            for row in rows if re.match(rf"\(?\s*(?!.*\bconst\b.*\*){row}\s*\*", part)]


def test_what_a_table_says_is_decided_in_a_file_of_that_name():
    having = [one for one in manifests.WITH_DATABASE if of_service(one, "*_table.c")]
    assert {"order-svc", "inventory-svc", "payment-svc"} <= {one.name for one in having}
    assert not [one.name for one in having if one not in DECIDING]


@pytest.mark.parametrize("service", DECIDING, ids=lambda one: one.name)
def test_a_decision_takes_aggregates_as_const(service):
    rows, files = aggregates(service), of_service(service, "*_decide.c")
    assert rows
    assert not {os.path.basename(path): found for path in files if (found := changeable(code(path), rows))}


@pytest.mark.parametrize("service", DECIDING, ids=lambda one: one.name)
def test_decisions_stand_in_the_domain(service):
    archive = os.path.join(build.folder(PRESET), service.folder, f"lib{service.short}_domain.a")
    objects = subprocess.run(["ar", "t", archive], capture_output=True, text=True, check=True).stdout.split()
    assert {os.path.basename(path) + ".o" for path in of_service(service, "*_decide.c")} <= set(objects)


@pytest.mark.parametrize("text, found", [
    ("bool decide(const struct row *row, int now) {", []),
    ("bool decide(struct row *row, int now) {", ["struct row *row"]),
    ("static void change(int now,\n    struct row *row) {", ["struct row *row"]),
    ("struct deciding { const struct row *row; int now; };", []),
    ("struct deciding { int now; struct row *row; };", ["struct row *row"]),
    ("struct deciding { struct row *row; union { const void *body; const struct row *other; }; int now; };",
     ["struct row *row"]),
    ("struct row *made = make(count);", []),
    ("change((struct row *)row);", ["(struct row *)"]),
    ("bool decide(const struct row_item *items, struct row_decision *ret) {", []),
])
def test_the_reader_sees_what_may_be_changed(text, found):
    assert changeable(text, {"struct row"}) == found
