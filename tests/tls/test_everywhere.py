"""./dev up --tls: orders go their way, and every port refuses plaintext, old TLS, strangers and foreign CAs."""
import os
import socket
import ssl
import struct

import psycopg2
import pytest

from chaos import invariants
from dev import demo, manifests
from dev.certificates import Certificates, expiry, now, parts
from dev.state import State
from testkit.client import item

HTTP_PORTS = [port for one in manifests.ALL for port in one.ports()] + ["ui"]
HTTP = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
AMQP = b"AMQP\x00\x00\x09\x01"


def talk(port, data, context=None):
    """→ what comes back until the connection ends"""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as plain:
        wire = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
        try:
            wire.sendall(data)
            return b"".join(iter(lambda: wire.recv(65536), b""))
        except ConnectionError:
            return b""


def refused(port, context, data=b""):
    """Does the handshake or the first use of the connection fail? With TLS 1.3 a client's handshake ends first."""
    try:
        return talk(port, data, context) == b""
    except ssl.SSLError:
        return True


def test_an_order_is_confirmed_and_the_invariants_hold(stack, api):
    order = api.complete(item("A", 2))
    assert order["status"] == "CONFIRMED" and order["total"] == 1998
    refunded = api.complete(item("A", 1))
    assert refunded["status"] == "CONFIRMED"
    found = invariants.check_at_rest(invariants.Sources.of_stack(stack, api.accepted), seconds=120)
    assert not found.violations(), "\n".join(found.violations())


def test_E16_answers_carry_hsts(api):
    assert api.get("/api/products/A").headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("name", HTTP_PORTS)
def test_plain_http_gets_no_answer(stack, name):
    assert talk(stack.ports[name], HTTP, stack.certificates.context()).startswith(b"HTTP/1.1 ")
    assert b"200 OK" not in talk(stack.ports[name], HTTP)


@pytest.mark.parametrize("name", [*HTTP_PORTS, "amqp"])
def test_tls_below_1_2_is_refused(stack, name):
    old = stack.certificates.context("operator")
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        talk(stack.ports[name], HTTP, old)


def test_D4_postgres_refuses_a_plain_connection(stack):
    url = stack.database_url("orders")
    with psycopg2.connect(url) as secure, secure.cursor() as cursor:
        cursor.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert cursor.fetchone() == ("TLSv1.3",)
    plain = url.partition("?")[0] + "?sslmode=disable"
    with pytest.raises(psycopg2.OperationalError, match="no encryption|pg_hba.conf rejects"):
        psycopg2.connect(plain)


def test_D4_every_session_of_a_service_is_encrypted(stack):
    rows = stack.sql("orders", "SELECT a.usename, s.ssl, count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s "
                               "USING (pid) WHERE a.backend_type = 'client backend' GROUP BY 1, 2")
    assert {row[0] for row in rows} >= {one.roles["runtime"] for one in manifests.WITH_DATABASE}
    assert {row[1] for row in rows} == {"t"}


def test_D5_a_foreign_ca_and_a_foreign_name_are_refused(stack, tmp_path):
    other = Certificates(State(str(tmp_path / "other")).create())
    other.make()
    url = stack.database_url("orders")
    with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
        psycopg2.connect(url.replace(stack.certificates.ca, other.ca))
    with pytest.raises(psycopg2.OperationalError, match="does not match host name"):
        psycopg2.connect(url.replace("@127.0.0.1:", "@127.0.0.2:"), hostaddr="127.0.0.1")


def test_Q3_the_broker_wants_tls_and_a_certificate_of_the_ca(stack, tmp_path):
    other = Certificates(State(str(tmp_path / "other")).create())
    other.make()
    port, ours = stack.ports["amqp"], stack.certificates
    # Another version: the broker names its own.
    assert not refused(port, ours.context("operator"), b"AMQP\x00\x00\x09\x00")
    assert talk(port, AMQP) == b""
    assert refused(port, ours.context(), AMQP)
    stranger = ours.context()
    stranger.load_cert_chain(other.cert("operator"), other.key("operator"))
    assert refused(port, stranger, AMQP)


def test_Q3_every_connection_of_the_broker_is_encrypted(stack):
    found = stack.broker.management.must("GET", "connections")
    assert {one["user"] for one in found} >= {one.broker_user for one in manifests.ON_BUS}
    assert {one["ssl_protocol"] for one in found} <= {"tlsv1.2", "tlsv1.3"}
    assert all(one["ssl"] and one["peer_cert_subject"] for one in found)


def test_keys_are_their_owners_alone(stack):
    for name in ("ca", *parts()):
        assert os.stat(stack.certificates.key(name)).st_mode & 0o777 == 0o600
        assert 80 < (expiry(stack.certificates.cert(name)) - now()).days


def test_the_tools_of_dev_reach_the_stack(stack):
    assert demo.call(stack, "GET", "/api/products/A")[0] == 200
    assert stack.broker.difference(os.path.dirname(stack.services["edge"].program))[1] == 0
    assert stack.sql("orders", "SELECT 1") == [["1"]]


def test_postgres_answers_a_request_for_tls_alone(stack):
    """The byte S for an SSLRequest; a start-up packet without it ends with an error."""
    with socket.create_connection(("127.0.0.1", stack.ports["postgres"]), timeout=10) as wire:
        wire.sendall(struct.pack(">II", 8, 80877103))
        assert wire.recv(1) == b"S"
