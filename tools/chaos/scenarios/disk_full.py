"""The disk that Postgres writes to is full: first for its tables, then for its log."""
import time

from dev import manifests
from dev.report import DevError

from chaos.disk import disk_stack
from chaos.expect import alive, not_ready, takes
from chaos.scenario import Episode, Scenario

SERVICES = [one.name for one in manifests.WITH_DATABASE]
LOG_SECONDS = 30
WRITE_LOG = "SELECT pg_logical_emit_message(true, 'chaos', repeat('x', 8000000))"


def _fill(system):
    system.disk.fill()


def _use_up_the_log(system):
    """The log has some files in store, which the load alone would use up only after a while."""
    _fill(system)
    deadline = time.monotonic() + LOG_SECONDS
    while system.servers.postgres.running():
        if time.monotonic() > deadline:
            raise DevError(f"Postgres still finds room for its log after {LOG_SECONDS} s")
        try:
            system.sql("orders", WRITE_LOG)
        except DevError:
            time.sleep(0.1)


def episodes(short):
    found = [Episode("no room for tables", _fill, 4 if short else 12, [takes(p99=2, after=2), alive(*SERVICES)])]
    return found if short else found + [
        Episode("no room for the log", _use_up_the_log, 12, [takes(p99=2, after=2), not_ready(*SERVICES)])]


SCENARIO = Scenario(
    "disk-full",
    "Postgres's disk is filled to the last byte, and every byte that it frees is taken, while orders come in: it "
    "refuses what would grow a table, and ends when it cannot write its log. Then the disk has room again, and it is "
    "started.",
    episodes, disk_stack)
