"""A service that is slow: every batch of it takes three seconds more."""
import functools

from chaos.expect import takes
from chaos.scenario import Episode, Scenario
from dev import manifests

SLOW = {"GREMLIN_ENABLED": "true", "GREMLIN_LATENCY_MS": "3000"}


def _slow(system, name):
    system.restart_with(name, SLOW)


def _usual(system, name):
    system.restart_with(name, {})


def _episode(name, seconds, expect):
    return Episode(name, functools.partial(_slow, name=name), seconds, expect, functools.partial(_usual, name=name))


def episodes(short):
    seconds = 2 if short else 10
    return [_episode(one.name, seconds, [takes(p99=1)]) for one in manifests.WITH_DATABASE]


SCENARIO = Scenario(
    "gremlin",
    "One service after the other is made slow (GREMLIN_ENABLED, GREMLIN_LATENCY_MS=3000: three seconds a batch), which "
    "takes a restart, and then as fast as before. Orders are accepted as ever: on the broker's confirm after "
    "ACCEPT_TIMEOUT_MS, if order-svc is the slow one.",
    episodes)
