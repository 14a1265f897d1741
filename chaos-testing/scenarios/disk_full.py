"""The disk that Postgres writes to is full."""
from harness.disk import disk_stack
from harness.expect import not_ready, takes
from harness.scenario import Episode, Scenario

SERVICES = ("order-svc", "inventory-svc", "payment-svc")


def _fill(system):
    system.disk.fill()


def episodes(short):
    seconds = 4 if short else 12
    return [Episode("disk full", _fill, seconds, [takes(p99=2, after=2), not_ready(*SERVICES)])] * (1 if short else 2)


SCENARIO = Scenario(
    "disk-full",
    "Postgres's disk is filled to the last byte, and every byte that it frees is taken, while orders come in: it "
    "refuses what would grow a table, and ends when it cannot write its log. Then the disk has room again, and it is "
    "started.",
    episodes, disk_stack)
