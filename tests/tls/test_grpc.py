"""gRPC with TLS: the certificate of REST, ALPN h2, and no plaintext."""
import os
import signal
import socket
import ssl

import grpc
import pytest

from chaos.pair import Instance
from dev import ports
from testkit.client import item, wait_until
from testkit.grpc_client import Client, Messages


@pytest.fixture(scope="module")
def edge(stack, api):
    port = ports.pick_one()
    made = Instance(stack, "edge", "edge-grpc-tls", {"GRPC_PORT": str(port), "RATE_LIMIT": "0"})
    made.grpc_port = port
    made.start()
    wait_until(lambda: ports.is_served(port), 5, "the edge's port of gRPC")
    yield made
    assert made.stop()[0] == 0


def credentials(stack):
    with open(stack.certificates.ca, "rb") as file:
        return grpc.ssl_channel_credentials(file.read())


def test_an_order_is_placed_over_tls(stack, edge, api):
    with Client(edge.grpc_port, Messages(), credentials=credentials(stack)) as client:
        orders = [client.place(item("A"), wait_seconds=20)["order"] for _ in range(5)]
    for order in orders:
        api.note_accepted(order["order_id"], 202)
        assert order["status"] == "ORDER_STATUS_CONFIRMED"


def test_plaintext_is_refused(edge):
    with Client(edge.grpc_port, Messages()) as client, pytest.raises(grpc.RpcError) as caught:
        client.place(item("A"))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def handshake(stack, edge, *protocols):
    """→ (protocol, version of TLS, certificate)"""
    context = ssl.create_default_context(cafile=stack.certificates.ca)
    context.set_alpn_protocols(protocols)
    with socket.create_connection(("localhost", edge.grpc_port), 10) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as secure:
        return secure.selected_alpn_protocol(), secure.version(), secure.getpeercert(binary_form=True)


def test_the_protocol_is_h2(stack, edge):
    assert handshake(stack, edge, "http/1.1", "h2")[:2] == ("h2", "TLSv1.3")
    with pytest.raises(ssl.SSLError):
        handshake(stack, edge, "http/1.1")


def test_silent_clients_hold_nobody_up(stack, edge):
    silent = [socket.create_connection(("localhost", edge.grpc_port), 10) for _ in range(20)]
    assert handshake(stack, edge, "h2")[0] == "h2"
    for one in silent:
        one.close()


def test_a_new_certificate_is_shown_at_sighup_and_open_connections_go_on(stack, edge, api):
    before = handshake(stack, edge, "h2")[2]
    with Client(edge.grpc_port, Messages(), credentials=credentials(stack)) as client:
        api.note_accepted(client.place(item("A"))["order"]["order_id"], 202)
        stack.certificates.make(every=True)
        stack.reload_certificates()
        os.kill(edge.pid(), signal.SIGHUP)
        with open(stack.certificates.cert("edge"), encoding="ascii") as file:
            renewed = ssl.PEM_cert_to_DER_cert(file.read())
        assert renewed != before
        wait_until(lambda: handshake(stack, edge, "h2")[2] == renewed, 20, "the new certificate")
        api.note_accepted(client.place(item("A"))["order"]["order_id"], 202)
