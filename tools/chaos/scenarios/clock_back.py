"""The clock of a database server is set back by ten minutes, and forward again."""
import functools
import time

from chaos.clock import clock_stack
from chaos.expect import takes
from chaos.scenario import Episode, Scenario
from dev import manifests

DEAF_SECONDS = 0.5


def _set(system, database, seconds):
    """Sets the clock while committed rows are unconfirmed, because the broker does not hear the service: they are due
    by the old time."""
    broker, provider = system.link(manifests.of_database(database).short + "-amqp"), system.link("payment-psp")
    broker.half_open("upstream")
    if database == "payments":
        provider.down()  # so that calls wait for their next attempt
    time.sleep(DEAF_SECONDS)
    system.set_clock(database, seconds)
    broker.down()
    broker.clear()
    provider.clear()


def _nothing(_system):
    """The clock stays as it was set."""


def _episode(name, database, seconds, short):
    begin = functools.partial(_set, database=database, seconds=seconds)
    return Episode(f"{database} {name}", begin, 3 if short else 6, [takes(p99=2)], _nothing)


# The last steps go back: what they put off would be due minutes after the run has to be at rest.
STEPS = [*((name, database, seconds) for database in manifests.DATABASES
           for name, seconds in (("back", -600), ("forward again", 0))),
         *(("back", database, -600) for database in manifests.DATABASES)]
SHORT_STEPS = [("forward", manifests.DATABASES[0], 600), ("back again", manifests.DATABASES[0], 0)]


def episodes(short):
    return [_episode(name, database, seconds, short)
            for name, database, seconds in (SHORT_STEPS if short else STEPS)]


SCENARIO = Scenario(
    "clock-back",
    "The clock of one service's database server is set back by ten minutes, and later forward again, each time after "
    "the broker has heard nothing from that service for half a second, and then loses it. At the end all of them "
    "are behind.",
    episodes, clock_stack)
