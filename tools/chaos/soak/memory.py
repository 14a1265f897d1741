"""RssAnon of each process over time, a series for each life of it, and the slope over all lives. The slope is pure."""
import threading
import time

from dev import manifests
from load.memory import memory

NAMES = (*manifests.NAMES, "rabbitmq")


class Lives(threading.Thread):
    """`lives`: {name: [Life, …]}, a new one with each restart; sampled every so many seconds."""

    def __init__(self, system, every):
        super().__init__(daemon=True)
        self._system, self._every = system, every
        self._ended = threading.Event()
        self.began = time.monotonic()
        self.lives = {name: [] for name in NAMES}

    def run(self):
        while not self._ended.wait(self._every):
            for name in NAMES:
                self._sample(name)

    def _sample(self, name):
        pid = self._system.pid(name)
        try:
            anon, _ = memory(pid)
        except (OSError, KeyError):  # it has just ended, or there is none now
            return
        lives = self.lives[name]
        if not lives or lives[-1].pid != pid:
            lives.append(Life(pid))
        lives[-1].points.append((time.monotonic() - self.began, anon))

    def stop(self):
        self._ended.set()
        self.join()


class Life:
    """One process: its pid and [(second of the run, KiB)]."""

    def __init__(self, pid, points=()):
        self.pid, self.points = pid, list(points)

    def settled(self, seconds):
        """Without its first seconds."""
        return [point for point in self.points if point[0] >= self.points[0][0] + seconds]


def slope(series):
    """The one slope of several series that each have a level of their own, by least squares; None: too few points."""
    products = squares = 0.0
    for points in series:
        mean_x = sum(x for x, _ in points) / len(points)
        mean_y = sum(y for _, y in points) / len(points)
        products += sum((x - mean_x) * (y - mean_y) for x, y in points)
        squares += sum((x - mean_x) ** 2 for x, _ in points)
    return products / squares if squares else None


class Growth:
    """The slope over all lives of one program that lasted at least `least` seconds behind the first `settle` ones.

    per_hour  MiB; None: there is no such life
    judged    how many lives
    longest   seconds of the longest of them, without the first ones
    highest   MiB, of all lives at any time
    """

    def __init__(self, lives, settle, least):
        series = [points for points in (life.settled(settle) for life in lives if life.points)
                  if len(points) > 1 and points[-1][0] - points[0][0] >= least]
        found = slope(series)
        self.per_hour = None if found is None else found * 3600 / 1024
        self.judged = len(series)
        self.longest = max((points[-1][0] - points[0][0] for points in series), default=0.0)
        self.highest = max((kib for life in lives for _, kib in life.points), default=0) / 1024
