"""The payment provider away: no connection, then no answer."""
from chaos.expect import takes
from chaos.scenario import Episode, Scenario


def _down(system):
    system.link("payment-psp").down()


def _silent(system):
    system.link("payment-psp").half_open()


def _mend(system):
    system.link("payment-psp").clear()


def episodes(short):
    seconds = 3 if short else 15
    return [Episode("no connection", _down, seconds, [takes(p99=1)], _mend),
            Episode("no answer", _silent, seconds, [takes(p99=1)], _mend)]


SCENARIO = Scenario(
    "psp-outage",
    "The payment provider refuses connections, then takes them and never answers. Orders are accepted and wait as "
    "RESERVED; nobody is charged twice. Set shorter than in production: slow retries come after 1 to 3 s "
    "(30 s, growing to 10 min).",
    episodes)
