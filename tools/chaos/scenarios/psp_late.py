"""A payment provider that captures, and answers after payment-svc has given up."""
from chaos.expect import takes
from chaos.scenario import Episode, Scenario


def _late(system):
    system.link("payment-psp").toxic("latency", latency=3000)


def _mend(system):
    system.link("payment-psp").clear()


def episodes(short):
    return [Episode("3 s late", _late, 4 if short else 15, [takes(p99=1)], _mend)]


SCENARIO = Scenario(
    "psp-late",
    "Every answer of the payment provider comes after 3 s, while payment-svc waits 1.5 s (7 in production): the money "
    "is taken and nobody hears of it. The same key is sent again until the outcome is known; no order is "
    "captured twice.",
    episodes)
