"""The column tables that a service prints (`--print-columns`) against the database that its migrations make: names,
types and NULLs against information_schema, bounds against the CHECKs in pg_constraint and the functions that they call,
and the service's rights."""
import re
import subprocess
from collections import namedtuple

import pytest

from dev import manifests
from testkit import plans

KEY, FIXED, CHANGING, _VIEW, _LOG, NULL = (1 << bit for bit in range(6))
LEAST, MOST = -(1 << 63), (1 << 63) - 1
Column = namedtuple("Column", "table name type flags min max")


def columns_of(service):
    text = subprocess.run([plans.program(service), "--print-columns"], check=True, capture_output=True, text=True,
                          timeout=30).stdout
    rows = [line.split("\t") for line in text.splitlines()]
    assert rows, f"{service} --print-columns printed nothing"
    return [Column(table, name, kind, *map(int, numbers)) for table, name, kind, *numbers in rows]


@pytest.fixture(scope="module", params=manifests.WITH_DATABASE, ids=lambda one: one.name)
def made(request):
    service, role = request.param, request.param.roles["runtime"]
    database = plans.Database(service.database, role)
    with database.superuser() as connection, connection.cursor() as cursor:
        yield cursor, role, columns_of(service.name)
    database.drop()


def rows(cursor, text, *values):
    cursor.execute(text, values)
    return cursor.fetchall()


def test_each_column_is_in_the_database_as_it_is_declared(made):
    cursor, _role, columns = made
    for column in columns:
        found = rows(cursor, "SELECT data_type, is_nullable FROM information_schema.columns WHERE table_schema = %s"
                     " AND table_name = %s AND column_name = %s", *column.table.split("."), column.name)
        assert found, column
        kind, nullable = found[0]
        assert kind == column.type, column
        assert (nullable == "YES") == bool(column.flags & NULL), column


def test_every_other_column_has_a_value_of_its_own(made):
    """An insert that leaves it out works: it has a default, or is generated, or may be NULL."""
    cursor, _role, columns = made
    for table in {column.table for column in columns}:
        known = [column.name for column in columns if column.table == table]
        others = rows(cursor, "SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
                      " AND table_name = %s AND NOT column_name = ANY (%s) AND column_default IS NULL"
                      " AND is_nullable = 'NO' AND is_generated = 'NEVER'", *table.split("."), known)
        assert not others, table


def bounds(checks, name):
    """The bounds of one column in the CHECKs: (least, most), None for a missing one."""
    of_column = rf"\(?(?:octet_length|length)?\(?\b{name}\b\)? (>=|<=|=) '?(-?\d+)'?(?:::\w+)?(?:\)| AND)"
    found = re.findall(of_column, " ".join(checks))
    between = re.search(rf"\b{name}\b\)? BETWEEN (\d+) AND (\w+)", " ".join(checks))
    if between:
        found[:0] = [(">=", between[1])] + [("<=", between[2])] * between[2].isdigit()
    for shortest, longest in re.findall(rf"\(\b{name}\b ~ '\^\[[^\]]*\]{{(\d+)(?:,(\d+))?}}\$'", " ".join(checks)):
        found += [(">=", shortest), ("<=", longest or shortest)]
    least = [int(number) for sign, number in found if sign in (">=", "=")]
    most = [int(number) for sign, number in found if sign in ("<=", "=")]
    return (least[0] if least else None), (most[0] if most else None)


def test_bounds_are_those_of_the_checks(made):
    cursor, _role, columns = made
    for column in columns:
        if column.type not in ("text", "bigint") or (column.min, column.max) == (0, 0):
            continue
        checks = [row[0] for row in rows(cursor, "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                                         " WHERE contype = 'c' AND conrelid = %s::regclass", column.table)]
        checks.append(plans.rules(cursor, column.table))
        least = None if column.min == LEAST or column.type == "text" and column.min == 0 else column.min
        most = None if column.max == MOST else column.max
        assert bounds(checks, column.name) == (least, most), column


def test_the_service_may_write_what_it_writes(made):
    cursor, role, columns = made
    for column in columns:
        may = {right: rows(cursor, "SELECT has_column_privilege(%s, %s, %s, %s)", role, column.table, column.name,
                           right)[0][0] for right in ("INSERT", "UPDATE")}
        assert may["INSERT"], column
        assert may["UPDATE"] == bool(column.flags & CHANGING), column
