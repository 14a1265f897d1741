"""The disk that Postgres writes to is full."""
from harness.disk import disk_stack
from harness.expect import alive, not_ready, takes
from harness.scenario import Episode, Scenario

SERVICES = ("order-svc", "inventory-svc", "payment-svc")


def _fill(system):
    system.disk.fill()


def episodes(short):
    # Postgres ends when its log has used up what it had in store: not within a few seconds of little load.
    seconds, state = (4, alive) if short else (12, not_ready)
    return [Episode("disk full", _fill, seconds, [takes(p99=2, after=2), state(*SERVICES)])] * (1 if short else 2)


SCENARIO = Scenario(
    "disk-full",
    "Postgres's disk is filled to the last byte, and every byte that it frees is taken, while orders come in: it "
    "refuses what would grow a table, and ends when it cannot write its log. Then the disk has room again, and it is "
    "started.",
    episodes, disk_stack)
