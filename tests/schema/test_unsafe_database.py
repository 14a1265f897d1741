"""A server with fsync off: a service refuses it at the start and says how to go on all the same."""
import os
import socket
import subprocess
import time

import psycopg2
import pytest

from testkit import plans


@pytest.fixture
def database():
    made = plans.Database("orders", "order_svc")
    yield made
    made.drop()


@pytest.fixture
def no_fsync(database):
    """The whole server's; nobody commits anything here meanwhile that is to be kept."""
    with database.superuser().cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET fsync = off")
        _reload(database, cursor, "off")
        yield
        cursor.execute("ALTER SYSTEM RESET fsync")
        _reload(database, cursor, "on")


def _reload(database, cursor, value):
    cursor.execute("SELECT pg_reload_conf()")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with psycopg2.connect(database.url()).cursor() as fresh:
            fresh.execute("SHOW fsync")
            if fresh.fetchone()[0] == value:
                return
        time.sleep(.1)
    raise AssertionError(f"fsync is not {value}")


def start(database, **variables):
    environment = {"PATH": os.environ["PATH"], "PORT": free_port(), "DATABASE_URL": database.url(),
                   "RABBITMQ_URL": "amqp://order-svc:nothing@127.0.0.1:1/none",
                   "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")} | variables
    return subprocess.Popen([plans.program("order-svc")], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def test_fsync_off_stops_the_start(database, no_fsync):
    with start(database) as service:
        output, _ = service.communicate(timeout=60)
    assert service.returncode != 0
    assert "fsync = off" in output and "ALLOW_UNSAFE_DATABASE=true" in output, output
    assert "migration" not in output, output


def test_a_variable_allows_fsync_off(database, no_fsync):
    with start(database, ALLOW_UNSAFE_DATABASE="true") as service:
        for line in service.stdout:
            if "database connected" in line:
                break
        else:
            raise AssertionError("it ended")
        service.terminate()
        service.communicate(timeout=60)
    assert service.returncode == 0
