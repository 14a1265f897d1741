"""From the last release to this checkout and back while clients order: one process after the other, and all at once."""
import contextlib
import os
import time

import pytest

from chaos.answers import NO_ANSWER
from chaos.pair import Instance, Pair
from chaos.traffic import Traffic
from dev import manifests
from dev.certificates import GATEWAY
from testkit.client import wait_until
from testkit.gateway import Gateway

RATE = 40
LEAST_ORDERS = 500
QUIET_SECONDS = 4  # of orders before, between and behind
# nginx leaves an edge out for so long after it refused a connection.
LEFT_OUT_SECONDS = 11
# Programs that a new edge may send new commands to come before it.
WORKERS = tuple(one.name for one in manifests.ALL if one.broker_user and not one.serves_clients)


@contextlib.contextmanager
def orders(stack, gateway, judge, record_property):
    """Clients as long as the block. At its end everything comes to rest, and nothing is lost, doubled or refused."""
    load = Traffic(f"http://127.0.0.1:{gateway.plain}", rate=RATE, connections=64, seed=1, host=GATEWAY,
                   log=os.path.join(stack.state.folder("logs"), "clients.log"))
    with load:
        load.run_for(QUIET_SECONDS)
        yield load
        load.run_for(QUIET_SECONDS)
    verdict = judge.judge(load)
    refused = load.answers(load.began, time.monotonic()).statuses()
    record_property("orders", len(load.accepted))
    record_property("answers", refused)
    assert verdict.good(), "\n".join([*verdict.lines(), str(refused)])
    assert len(load.accepted) >= LEAST_ORDERS
    assert not {attempt.key for attempt in load.attempts} - set(load.ids), "a client was never answered"
    assert not set(refused) & set(NO_ANSWER), f"connections were cut: {refused}"


def is_of(stack, name):
    """Whether the stack's process of the service runs this version's program."""
    return os.path.samefile(f"/proc/{stack.pid(name)}/exe", stack.services[name].program)


def replace(stack, name):
    stack.services[name].start()
    stack.services[name].wait_ready()
    assert is_of(stack, name)


def workers_of(stack):
    return [name for name in WORKERS if name in stack.services]


def roll(stack, pair, back=False):
    """Each process is stopped and started as this version's. On the way back edges come first, and services that the
    release does not have go on."""
    steps = [lambda name=name: replace(stack, name) for name in workers_of(stack)]
    steps += [lambda edge=edge: replace_edge(stack, edge) for edge in pair.edges]
    for step in reversed(steps) if back else steps:
        step()
        time.sleep(0.5)


def replace_edge(stack, edge):
    assert edge.stop()[0] == 0
    edge.stack = stack
    edge.start()
    time.sleep(LEFT_OUT_SECONDS)


def edges_of(stack, *names):
    return Pair(stack, {"ALLOWED_HOSTS": GATEWAY}, names)


def ports_of(pair):
    return [edge.port for edge in pair.edges]


def test_the_release_runs_and_is_another_build(versions):
    old, new = versions
    for name in workers_of(old):
        assert is_of(old, name) and not is_of(new, name)


def test_one_process_after_the_other_and_back(versions, judge, tmp_path, record_property):
    old, new = versions
    with edges_of(old, "edge-1", "edge-2") as pair, \
            Gateway(str(tmp_path), old.certificates, ports_of(pair), ports_of(pair)) as gateway:
        with orders(new, gateway, judge, record_property) as load:
            new.prepare()
            load.run_for(QUIET_SECONDS)
            roll(new, pair)
            load.run_for(QUIET_SECONDS)
            roll(old, pair, back=True)
    for name in workers_of(old):
        assert is_of(old, name)


@pytest.fixture
def green(versions):
    """One process more of each service, of the checkout, beside those that run."""
    _, new = versions
    made = [Instance(new, name, f"{name}-green") for name in WORKERS]
    yield made
    for one in made:
        one.kill()


def test_all_at_once_and_back(versions, judge, green, tmp_path, record_property):
    """Green starts beside blue, the gateway switches, blue drains; and the other way round."""
    old, new = versions
    blue, greens = edges_of(old, "blue-1", "blue-2"), edges_of(new, "green-1", "green-2")
    new.prepare()
    with blue, Gateway(str(tmp_path), old.certificates, ports_of(blue), ports_of(greens)) as gateway:
        with orders(new, gateway, judge, record_property) as load:
            for one in green:
                one.start()
            with greens:
                gateway.switch(True)
                for edge in blue.edges:
                    assert edge.stop()[0] == 0
                for name in workers_of(old):
                    old.stop_service(name)
                load.run_for(QUIET_SECONDS)
                old.start_services()
                for edge in blue.edges:
                    edge.start()
                gateway.switch(False)
                for edge in greens.edges:
                    assert edge.stop()[0] == 0
                for one in green:
                    assert one.stop()[0] == 0
    wait_until(lambda: all(old.services[name].ready() for name in workers_of(old)), 10, "blue")
