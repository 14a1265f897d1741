"""Roles and databases on a real Postgres: who may connect where, with which limits, and the migrations."""
import base64
import hashlib
import hmac
import subprocess

import pytest

from dev import databases, manifests, urls
from dev.databases import Databases, scram_verifier
from dev.postgres import psql
from dev.report import DevError


def role_of(database):
    return manifests.of_database(database).roles["runtime"]


@pytest.fixture(scope="module")
def three(pair):
    server = pair._pair().postgres
    made = Databases(pair.state, {name: server.url(name) for name in manifests.DATABASES})
    made.create("postgres")
    made.create("postgres")  # as often as one likes
    return made


def rows(url, sql):
    return [line.split("|") for line in psql(url, sql).splitlines()]


@pytest.mark.parametrize("database", manifests.DATABASES)
def test_a_service_enters_its_own_database_only(three, database):
    role = role_of(database)
    assert psql(three.url(database, role), "SELECT current_user;").strip() == role
    for other in set(manifests.DATABASES) - {database}:
        foreign = urls.database(three.url(database, role)).text(path=other)
        with pytest.raises(DevError, match="permission denied for database"):
            psql(foreign, "SELECT 1;")


@pytest.mark.parametrize("database", manifests.DATABASES)
def test_a_service_does_not_enter_the_servers_own_databases(three, database):
    for other in ("postgres", "template1"):
        foreign = urls.database(three.url(database, role_of(database))).text(path=other)
        with pytest.raises(DevError, match="permission denied for database"):
            psql(foreign, "SELECT 1;")


@pytest.mark.parametrize("database", manifests.DATABASES)
def test_a_service_cannot_take_all_connections_or_the_disk(three, database):
    role = role_of(database)
    limits = rows(three.url(database), f"SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname IN ('{role}', "
                                       f"'{database}_migrator') ORDER BY rolconnlimit;")
    assert limits == [[database + "_migrator", "5"], [role, "30"]]
    url = three.url(database, role)
    with pytest.raises(DevError, match="permission denied to set parameter"):
        psql(url, "SET temp_file_limit = -1;")
    with pytest.raises(DevError, match="temporary file size exceeds temp_file_limit"):
        psql(url, "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT g, repeat('x', 1000) AS x FROM "
                  "generate_series(1, 100000) AS g ORDER BY 2, 1 OFFSET 0) AS sorted;")


def test_a_service_that_changed_its_own_settings_has_its_limits_after_the_next_set_up(three):
    url = three.url("orders", "order_svc")
    psql(url, "ALTER ROLE order_svc SET statement_timeout = 0; "
              "ALTER ROLE order_svc IN DATABASE orders SET lock_timeout = 0;")
    assert psql(url, "SHOW statement_timeout; SHOW lock_timeout;").split() == ["0", "0"]
    three.create("postgres")
    assert psql(url, "SHOW statement_timeout; SHOW lock_timeout;").split() == ["10s", "3s"]


@pytest.mark.parametrize("database", manifests.DATABASES)
def test_a_service_cannot_create_anything(three, database):
    url = three.url(database, role_of(database))
    for sql in ("CREATE SCHEMA mine;", "CREATE TEMP TABLE t (i int);", "CREATE ROLE r;", "CREATE DATABASE d;"):
        with pytest.raises(DevError, match="permission denied"):
            psql(url, sql)


@pytest.mark.parametrize("database", manifests.DATABASES)
def test_a_services_statements_are_bounded(three, database):
    url = three.url(database, role_of(database))
    for name, value in (("lock_timeout", "3s"), ("statement_timeout", "10s"),
                        ("idle_in_transaction_session_timeout", "5s")):
        assert psql(url, f"SHOW {name};").strip() == value


def test_no_role_of_ours_is_powerful_and_owners_do_not_log_in(three):
    found = rows(three.url("orders"), """
        SELECT rolname, rolcanlogin, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
          FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' ORDER BY 1;""")
    names = sorted(name for service in manifests.WITH_DATABASE for name in service.roles.values())
    assert found == [[name, "f" if name.endswith("_owner") else "t", "f"] for name in names]
    assert {"orders_operator", "inventory_operator", "payments_operator"} <= set(names)


def test_what_a_migration_makes_belongs_to_the_owner(three):
    url = three.url("orders", "orders_migrator")
    psql(url, "CREATE SCHEMA made;")
    owner = "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'made';"
    assert psql(url, owner).strip() == "orders_owner"
    psql(url, "DROP SCHEMA made;")


def test_a_verifier_agrees_with_the_standards_example():
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"  # RFC 7677, section 3
    verifier = scram_verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert verifier.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    stored_key, server_key = (base64.b64decode(part) for part in verifier.rpartition("$")[2].split(":"))
    message = (f"n=user,r={nonce[:20]},r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}").encode()
    signature = hmac.digest(server_key, message, "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(proof, hmac.digest(stored_key, message, "sha256")))
    assert hashlib.sha256(client_key).digest() == stored_key


def test_each_verifier_has_a_salt_of_its_own():
    assert scram_verifier("pencil") != scram_verifier("pencil")


def test_passwords_do_not_reach_the_server_in_the_clear(three, pair):
    psql(pair._pair().postgres.url(), "CREATE EXTENSION IF NOT EXISTS pg_stat_statements;")
    seen = psql(pair._pair().postgres.url(), "SELECT query FROM pg_stat_statements WHERE query ~ 'PASSWORD';")
    assert "SCRAM-SHA-256" in seen
    assert not [secret for secret in pair.state.read("secrets.json").values() if secret in seen]


@pytest.mark.parametrize("database", manifests.DATABASES)
def test_migrations_deploy_and_then_have_nothing_to_do(three, database):
    assert three._deploy(database) > 0
    assert three._deploy(database) == 0
    schemas = psql(three.url(database), "SELECT DISTINCT nspowner::regrole FROM pg_namespace WHERE nspname !~ '^pg_'"
                                        " AND nspname NOT IN ('information_schema', 'public');")
    assert schemas.split() == [database + "_owner"]


def test_sqitch_is_given_no_password_in_its_arguments(three, monkeypatch):
    seen = {}

    def look(words, **_options):
        seen["words"] = words
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(databases.subprocess, "run", look)
    three.sqitch("inventory", "status")
    text = " ".join(seen["words"])
    assert "inventory_migrator@127.0.0.1" in text
    assert three.state.secret("postgres-inventory_migrator") not in text
