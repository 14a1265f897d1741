"""kill -9 of one program after the other."""
import functools

from chaos.expect import answers_all, no_hang, takes
from chaos.scenario import Episode, Scenario
from dev import manifests


def _crash(system, name):
    system.kill(name)


def _start(system, name):
    system.start_service(name, wait=False)


def _episode(name, seconds, expect):
    return Episode(name, functools.partial(_crash, name=name), seconds, expect, functools.partial(_start, name=name))


def episodes(short):
    seconds = 2 if short else 5
    return [_episode(one.name, seconds, _expected(one)) for one in manifests.ALL]


def _expected(service):
    if service.serves_clients:
        return [no_hang(2.5)]
    return [takes(p99=1), answers_all(2.5)] if service.name == "order-svc" else [takes(p99=1)]


SCENARIO = Scenario(
    "service-crash",
    "Each program is killed with SIGKILL, stays away for a while, and is started again. Orders are accepted on the "
    "broker's confirm while order-svc is away; only a missing edge is noticed by clients.",
    episodes)
