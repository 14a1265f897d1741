"""Certificates are replaced under load: new handshakes see the new ones, no process restarts, no request is lost."""
import re
import socket
import ssl
import threading
import time

import pytest
import requests

from dev import certificates, manifests
from testkit.client import item, wait_until

HTTP_PORTS = [port for one in manifests.ALL for port in one.ports()]
CLIENTS = 6


def shown(stack, port):
    """The certificate that a new handshake sees, DER."""
    with socket.create_connection(("127.0.0.1", stack.ports[port]), timeout=15) as plain:
        with stack.certificates.context("operator").wrap_socket(plain, server_hostname="localhost") as wire:
            return wire.getpeercert(binary_form=True)


def shown_by_postgres(stack):
    with socket.create_connection(("127.0.0.1", stack.ports["postgres"]), timeout=15) as plain:
        plain.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        assert plain.recv(1) == b"S"
        with stack.certificates.context().wrap_socket(plain, server_hostname="localhost") as wire:
            return wire.getpeercert(binary_form=True)


def on_disk(stack, name):
    with open(stack.certificates.cert(name), encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def part_of(port):
    return next((one.name for one in manifests.ALL if port in one.ports()), "rabbitmq")


class Clients:
    """Threads that place orders and read them: each keeps one connection, or opens one for each request."""

    def __init__(self, api):
        self._api = api
        self._ends = threading.Event()
        self.answers, self.failures = [], []
        self._threads = [threading.Thread(target=self._run, args=(number % 2 == 0,)) for number in range(CLIENTS)]

    def _run(self, keeps):
        api = self._api
        while not self._ends.is_set():
            headers = None if keeps else {"Connection": "close"}
            try:
                placed = api.place(item("A", 1), headers=headers)
                assert placed.status_code == 202, placed.text
                read = api.get("/api/orders/" + placed.json()["order_id"], headers=headers)
                assert read.status_code == 200, read.text
                self.answers.append(placed.status_code)
            except Exception as error:  # whatever it is, it is a lost request
                self.failures.append(repr(error))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        for thread in self._threads:
            thread.join()


def test_certificates_are_replaced_under_load_and_no_request_is_lost(stack, api):
    ports = [*HTTP_PORTS, "amqp"]
    pids = {name: stack.pid(name) for name in [*manifests.NAMES, "postgres", "rabbitmq"]}
    with Clients(api) as clients:
        for _ in range(3):
            time.sleep(2)
            stack.certificates.make(every=True)
            assert set(stack.reload_certificates()) == set(pids)
            for port in ports:
                wait_until(lambda: shown(stack, port) == on_disk(stack, part_of(port)), 20, f"{port}'s certificate")
            wait_until(lambda: shown_by_postgres(stack) == on_disk(stack, "postgres"), 20, "Postgres's new certificate")
    assert not clients.failures, clients.failures[:5]
    assert len(clients.answers) > 50
    assert {name: stack.pid(name) for name in pids} == pids


def test_a_broken_pair_changes_nothing(stack, api):
    """The edge goes on with what it has, and says why."""
    before = shown(stack, "edge")
    with open(stack.certificates.key("edge"), encoding="ascii") as file:
        good = file.read()
    try:
        with open(stack.certificates.key("edge"), "w", encoding="ascii") as file:
            file.write("no key\n")
        stack.reload_certificates()
        wait_until(lambda: "certificate not read" in _log(stack), 10, "the line in the edge's log")
        assert shown(stack, "edge") == before
        assert api.complete(item("A", 1))["status"] == "CONFIRMED"
    finally:
        with open(stack.certificates.key("edge"), "w", encoding="ascii") as file:
            file.write(good)


def ends(stack, service):
    """The metrics of the certificates' ends: of the listeners, and of the client."""
    text = requests.get(f"https://localhost:{stack.ports[service.admin]}/metrics", verify=stack.certificates.ca,
                        timeout=15).text
    return [int(found) for found in re.findall(r"^tls_(?:client_)?certificate_not_after_seconds (\d+)$", text, re.M)]


@pytest.mark.parametrize("service", manifests.ON_BUS, ids=lambda one: one.name)
def test_the_ends_of_both_certificates_are_shown_and_follow_a_renewal(stack, service):
    for days in (10, certificates.DAYS):
        stack.certificates.make(days, every=True)
        stack.reload_certificates()
        end = certificates.expiry(stack.certificates.cert(service.name)).timestamp()
        wait_until(lambda end=end: ends(stack, service) == [end, end], 20, f"the end of {days} days")


def _log(stack):
    with open(stack.log("edge"), encoding="utf-8") as file:
        return file.read()
