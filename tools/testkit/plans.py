"""Shared by the plan tests of all services: a fresh database from a sqitch project, a service's own statements
(`<service> --print-sql`), and their generic plans as the runtime role.

TEST_DATABASE_URL names a server as a superuser, ORDERBUS_PRESET the folder under build/ that holds the programs
(default: the newest one of all).
"""
import json
import os
import secrets
import subprocess
import time
import urllib.parse
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from dev import manifests
from dev import statements as printed

ROOT = Path(__file__).resolve().parents[2]
TYPES = {"u": "uuid", "i": "int8", "t": "text", "z": "timestamptz", "b": "bytea", "l": "boolean",
         "w": "int8", "v": "text"}
# Processes for one statement would be worth their start already with the rows that there are.
AS_OVER_MILLIONS = "".join(f"SET LOCAL {name} = 0;" for name in (
    "parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size", "min_parallel_index_scan_size"))
GRANTED_ROLES = [one.roles[kind] for one in manifests.WITH_DATABASE for kind in ("runtime", manifests.OPERATOR)
                 if kind in one.roles]


def program(name):
    """The built service, or a skip."""
    preset = os.environ.get("ORDERBUS_PRESET", "*")
    found = sorted(ROOT.glob(f"build/{preset}/bin/{name}"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip(f"{name} is not built")
    return found[-1]


def statements(name):
    """The statements that the service itself prints."""
    found = printed.of(program(name))
    assert found, "--print-sql printed no statement"
    return found


def types(statement):
    """The types of its parameters."""
    return [TYPES[letter.lower()] + ("[]" if letter.isupper() else "") for letter in statement.params]


class Database:
    """A database made by a sqitch project, owned by a role that is no superuser."""

    def __init__(self, project, role):
        self.server = os.environ.get("TEST_DATABASE_URL")
        if not self.server:
            pytest.skip("TEST_DATABASE_URL is not set")
        self.project, self.role = project, role
        suffix = f"{os.getpid()}_{secrets.token_hex(3)}"
        self.name, self.owner = f"test_{project}_{suffix}", f"test_owner_{suffix}"
        self.password = secrets.token_hex(16)
        self._create()
        self.sqitch("deploy", "--verify")

    def _create(self):
        with self._admin() as cursor:
            for role in GRANTED_ROLES:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
                if not cursor.fetchone():
                    cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(sql.Identifier(self.owner)),
                           (self.password,))
            cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(self.name), sql.Identifier(self.owner)))

    def _admin(self):
        connection = psycopg2.connect(self.server)
        connection.autocommit = True
        return connection.cursor()

    def url(self, user=None, password=None, scheme="postgresql"):
        parts = urllib.parse.urlsplit(self.server)
        host = parts.netloc.rpartition("@")[2]
        login = f"{user}:{password}@" if user else parts.netloc.rpartition("@")[0] + "@"
        return urllib.parse.urlunsplit((scheme, login.lstrip("@") + host, "/" + self.name, parts.query, ""))

    def sqitch(self, *arguments):
        environment = dict(os.environ, SQITCH_FULLNAME="orderbus", SQITCH_EMAIL="orderbus@localhost")
        subprocess.run(["sqitch", *arguments, "--target", self.url(self.owner, self.password, "db:pg")], check=True,
                       cwd=ROOT / "migrations" / self.project, env=environment, timeout=120,
                       stdout=subprocess.DEVNULL)

    def superuser(self):
        """A connection for filling tables and looking at them."""
        connection = psycopg2.connect(self.url())
        connection.autocommit = True
        return connection

    def runtime(self):
        """A connection with the rights of the runtime role and the settings of a service, in one transaction."""
        connection = psycopg2.connect(self.url())
        with connection.cursor() as cursor:
            cursor.execute(printed.session(program(manifests.of_database(self.project).name)))
            cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
        connection.commit()
        return connection

    def drop(self):
        with self._admin() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))
            cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(self.owner)))


def rules(cursor, table):
    """The text of the functions that the CHECKs of a table call."""
    cursor.execute("SELECT string_agg(p.prosrc, ' ') FROM pg_constraint c"
                   " JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid"
                   " JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid"
                   " WHERE c.contype = 'c' AND c.conrelid = %s::regclass", (table,))
    return cursor.fetchone()[0] or ""


def prepare(cursor, statement):
    """PREPARE with the declared types: an unknown column, a missing right or a wrong type fails here or at EXECUTE."""
    declared = f" ({', '.join(types(statement))})" if statement.params else ""
    cursor.execute(f"PREPARE {statement.name}{declared} AS {statement.sql}")


def execute_text(statement, values=None):
    """The EXECUTE of a prepared statement: with values (Python ones, for psycopg2), or all NULL."""
    if not statement.params:
        return f"EXECUTE {statement.name}", ()
    given = [None] * len(statement.params) if values is None else list(values)
    slots = ", ".join(f"%s::{type_}" for type_ in types(statement))
    return f"EXECUTE {statement.name} ({slots})", given


def plan(connection, statement):
    """The generic plan as EXPLAIN's JSON tree, printed as text for the log; the transaction is rolled back."""
    with connection.cursor() as cursor:
        prepare(cursor, statement)
        text, values = execute_text(statement)
        cursor.execute(AS_OVER_MILLIONS)
        cursor.execute(f"EXPLAIN (COSTS OFF) {text}", values)
        print(f"\n-- {statement.name}")
        print("\n".join(row[0] for row in cursor.fetchall()))
        cursor.execute(f"EXPLAIN (FORMAT JSON) {text}", values)
        tree = cursor.fetchone()[0]
    connection.rollback()
    return (json.loads(tree) if isinstance(tree, str) else tree)[0]["Plan"]


def nodes(tree):
    """Every node of a plan."""
    yield tree
    for child in tree.get("Plans", []):
        yield from nodes(child)


def full_scans(tree, growing, limited=False):
    """Names of growing tables that the plan reads from end to end: by a sequential scan, or by an index without a
    condition where no Limit above stops it early."""
    found = []
    kind, limited = tree["Node Type"], limited or tree["Node Type"] == "Limit"
    if tree.get("Relation Name") in growing:
        by_index = kind in ("Index Scan", "Index Only Scan")
        if kind == "Seq Scan" or (by_index and "Index Cond" not in tree and not limited):
            found.append(tree["Relation Name"])
    for child in tree.get("Plans", []):
        found += full_scans(child, growing, limited)
    return found


def assert_indexed(database, service, growing):
    """Every statement of the service prepares as its role, reads none of the growing tables from end to end, and has no
    process started for it."""
    connection = database.runtime()
    try:
        trees = {statement.name: plan(connection, statement) for statement in statements(service)}
    finally:
        connection.close()
    found = {name: full_scans(tree, growing) for name, tree in trees.items()}
    scanned = {name: tables for name, tables in found.items() if tables}
    assert not scanned, f"sequential scans: {scanned}"
    parallel = [name for name, tree in trees.items() if any("Gather" in node["Node Type"] for node in nodes(tree))]
    assert not parallel, f"parallel: {parallel}"


def analyze(database):
    with database.superuser() as connection, connection.cursor() as cursor:
        begun = time.monotonic()
        cursor.execute("ANALYZE")
        print(f"-- ANALYZE took {time.monotonic() - begun:.1f} s")
