"""Things that wait for something else than each other: they run at once, and none is left behind."""
import threading
import time

import pytest

from dev.parallel import at_once, in_lanes
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


def test_a_lane_that_fails_stops_the_others_at_their_next_step():
    both = threading.Barrier(2)

    def work(lane, interrupted):
        both.wait(20)
        if lane == "broken":
            raise DevError("broken")
        assert interrupted.wait(20)
        stopped.append(lane)
    stopped = []
    with pytest.raises(DevError, match="broken"):
        in_lanes(work, ["broken", "other"])
    assert stopped == ["other"]
    assert in_lanes(lambda lane, _: lane * 2, [1, 2]) == [2, 4]
