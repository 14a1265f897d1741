"""Links that are slow, narrow, or hand on a few bytes at a time."""
from chaos.expect import takes
from chaos.links import TABLE
from chaos.scenario import Episode, Scenario


def _late(system):
    for name in TABLE:
        system.link(name).slow(latency_ms=200, jitter_ms=100)


def _narrow(system):
    """Less than what order-svc sends and gets at this rate."""
    system.link("order-amqp").narrow(kib_per_s=32)


def _sliced(system):
    for name in TABLE:
        system.link(name).sliced(size=64, delay_us=50)


def _mend(system):
    system.proxies.heal()


def episodes(short):
    seconds = 2 if short else 10
    return [Episode("200±100 ms on every link", _late, seconds, [takes(p99=1)], _mend),
            Episode("32 KiB/s between order-svc and the broker", _narrow, seconds, [takes(p99=1)], _mend),
            Episode("64 bytes at a time on every link", _sliced, seconds, [takes(p99=1)], _mend)]


SCENARIO = Scenario(
    "slow-link",
    "Every link is slow by 200±100 ms a round trip; the link between order-svc and the broker carries 32 KiB/s alone; "
    "everything passes in pieces of 64 bytes. Orders are accepted as ever, on the confirm if not on the answer.",
    episodes)
