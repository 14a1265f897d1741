"""Things that wait for something else than each other: they run at once, and none is left behind."""
import threading
import time

import pytest

from dev.parallel import at_once
from dev.report import DevError


def test_all_run_at_once_and_their_results_come_in_order():
    all_there = threading.Barrier(3)

    def call(number):
        all_there.wait(20)
        return number
    assert at_once([lambda: call(1), lambda: call(2), lambda: call(3)]) == [1, 2, 3]
    assert at_once([]) == []


def test_a_failure_waits_for_the_others():
    ended = []

    def slow():
        time.sleep(0.2)
        ended.append("slow")

    def broken():
        raise DevError("broken")
    with pytest.raises(DevError, match="broken"):
        at_once([broken, slow])
    assert ended == ["slow"]
