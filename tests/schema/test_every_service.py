"""Every service with a database: its migrations deploy, revert and deploy again, and over empty tables its statements
prepare as its role and are planned by index."""
import pytest

from dev import manifests
from testkit import plans

OWN_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s"


@pytest.fixture(scope="module", params=manifests.WITH_DATABASE, ids=lambda one: one.name)
def service(request):
    return request.param


@pytest.fixture(scope="module")
def database(service):
    made = plans.Database(service.database, service.roles["runtime"])
    yield made
    made.drop()


def test_a_second_revert_and_deploy_gives_the_same(database):
    database.sqitch("revert", "-y")
    database.sqitch("deploy", "--verify")
    database.sqitch("verify")


def test_plans_over_empty_tables_without_statistics(database, service):
    with database.superuser() as connection, connection.cursor() as cursor:
        cursor.execute(OWN_TABLES, (service.database,))
        growing = {row[0] for row in cursor.fetchall()}
    assert growing
    plans.assert_indexed(database, service.name, growing | {"inbox", "outbox"})


def test_the_role_owns_nothing_and_makes_nothing(database, service):
    with database.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", (database.role,))
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT nspname FROM pg_namespace WHERE has_schema_privilege(%s, oid, 'CREATE')"
                       " AND nspname !~ '^pg_temp'", (database.role,))
        assert cursor.fetchall() == []
