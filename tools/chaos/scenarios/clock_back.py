"""The clock of a database server is set back by ten minutes, and forward again."""
import functools
import time

from chaos.clock import clock_stack
from chaos.expect import takes
from chaos.scenario import Episode, Scenario

DEAF_SECONDS = 0.5
LINKS = {"orders": "order-amqp", "inventory": "inventory-amqp", "payments": "payment-amqp"}


def _set(system, database, seconds):
    """Sets the clock while committed rows are unconfirmed, because the broker does not hear the service: they are due
    by the old time."""
    broker, provider = system.link(LINKS[database]), system.link("payment-psp")
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
STEPS = [("back", "orders", -600), ("forward again", "orders", 0),
         ("back", "inventory", -600), ("forward again", "inventory", 0), ("back", "payments", -600),
         ("forward again", "payments", 0), ("back", "orders", -600), ("back", "inventory", -600),
         ("back", "payments", -600)]
SHORT_STEPS = [("forward", "orders", 600), ("back again", "orders", 0)]


def episodes(short):
    return [_episode(name, database, seconds, short)
            for name, database, seconds in (SHORT_STEPS if short else STEPS)]


SCENARIO = Scenario(
    "clock-back",
    "The clock of one service's database server is set back by ten minutes, and later forward again, each time after "
    "the broker has heard nothing from that service for half a second, and then loses it. At the end all three are "
    "behind.",
    episodes, clock_stack)
