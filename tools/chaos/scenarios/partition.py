"""Each link cut in each of four ways."""
import functools

from chaos.expect import answers_all, takes
from chaos.links import TABLE
from chaos.scenario import Episode, Scenario

WAYS = ("cut", "reset", "slow_close", "half_open")
# In the short form each way once, where it hurts most: commits, deliveries, charges, and what clients wait for.
SHORT = (("order-pg", "half_open"), ("order-amqp", "cut"), ("payment-psp", "slow_close"), ("edge-amqp", "reset"))
# So long that the service itself finds out: a database that says nothing for 15 s, two heartbeats of 5 s.
LONG = (("order-pg", "half_open", 18), ("order-amqp", "half_open", 15), ("edge-amqp", "half_open", 15))


def _spoil(system, link, way):
    getattr(system.link(link), way)()


def _mend(system, link):
    system.link(link).clear()


def _episode(link, way, seconds):
    expect = answers_all(2.5) if link == "edge-amqp" else takes(p99=1)
    return Episode(f"{link} {way}", functools.partial(_spoil, link=link, way=way), seconds, [expect],
                   functools.partial(_mend, link=link))


def episodes(short):
    if short:
        return [_episode(link, way, 2) for link, way in SHORT]
    return ([_episode(link, way, 5) for link in TABLE for way in WAYS]
            + [_episode(link, way, seconds) for link, way, seconds in LONG])


SCENARIO = Scenario(
    "partition",
    "Each link between a program and Postgres, the broker or the payment provider is cut in each of four ways: no byte "
    "passes and the connection is closed after a second (cut), every connection is reset, connections end and both "
    "ends hear of it three seconds late (slow_close), one direction is silent and nobody is told (half_open). Only the "
    "edge's own link to the broker is noticed by clients.",
    episodes)
