"""The clients' own record: every attempt and its answer, one JSON object a line, on disk before long."""
import json
import os
import queue
import threading

GROUP_SECONDS = 0.1


class ClientLog:
    """Appended by one thread, which lets a group of lines share an fsync. Without a path nothing is kept."""

    def __init__(self, path=None):
        self._file = open(path, "a", encoding="utf-8") if path else None  # pylint: disable=consider-using-with
        self._lines = queue.SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if self._file:
            self._thread.start()

    def write(self, record):
        if self._file:
            self._lines.put(json.dumps(record, separators=(",", ":")))

    def close(self):
        if self._file:
            self._ended.set()
            self._thread.join()
            self._drain()
            self._file.close()

    def _run(self):
        while not self._ended.wait(GROUP_SECONDS):
            self._drain()

    def _drain(self):
        wrote = False
        while not self._lines.empty():
            self._file.write(self._lines.get() + "\n")
            wrote = True
        if wrote:
            self._file.flush()
            os.fsync(self._file.fileno())
