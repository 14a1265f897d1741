"""Postgres ended in the middle of commits: at once but in order, and by kill -9 of its first process."""
import signal

from chaos.expect import not_ready, takes
from chaos.scenario import Episode, Scenario
from dev import manifests

SERVICES = [one.name for one in manifests.WITH_DATABASE]


def _immediate(system):
    """An immediate shutdown: every backend is ended where it is, and nothing is written out."""
    system.signal("postgres", signal.SIGQUIT)
    system.part("postgres").process.wait_end(10)


def _kill(system):
    system.kill("postgres")


def _start(system):
    system.start_service("postgres")


def episodes(short):
    seconds = 2 if short else 10
    expect = [takes(p99=1), not_ready(*SERVICES)]
    return [Episode("immediate shutdown", _immediate, seconds, expect, _start),
            Episode("kill -9", _kill, seconds, expect, _start)]


SCENARIO = Scenario(
    "database-failure",
    "The Postgres of all databases is ended under load, by an immediate shutdown and by kill -9 of its first "
    "process, and started again after a while. Orders are accepted on the broker's confirm alone.",
    episodes)
