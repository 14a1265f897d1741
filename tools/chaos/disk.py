"""A small disk: a file system in memory, of a size of its own, that can be filled to the last byte and freed again."""
import errno
import os
import subprocess
import threading

from dev.report import DevError

from chaos import root
from chaos.keeper import Keeper
from chaos.stack import ChaosStack, chaos_stack

MIB = 384
CHUNK = 1 << 20
AGAIN_SECONDS = 0.02


class Disk:
    """Mounted on a folder. While it is full, whatever is freed on it is taken at once."""

    def __init__(self, folder, mib):
        self.folder = folder
        self._mib = mib
        self._ballast = os.path.join(folder, "ballast")
        self._filler = None
        self._freed = threading.Event()

    def mount(self):
        os.makedirs(self.folder, exist_ok=True)
        _must(["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={self._mib}m,mode=0755", "orderbus", self.folder])

    def unmount(self):
        self.free()
        if os.path.ismount(self.folder):
            _must(["/usr/bin/umount", self.folder])

    def fill(self):
        self._freed.clear()
        self._filler = threading.Thread(target=self._fill, daemon=True)
        self._filler.start()

    def free(self):
        if self._filler:
            self._freed.set()
            self._filler.join()
            self._filler = None
        if os.path.exists(self._ballast):
            os.unlink(self._ballast)

    def left(self):
        """Bytes."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def _fill(self):
        with open(self._ballast, "ab") as file:
            while not self._freed.is_set():
                if not self._take(file):
                    self._freed.wait(AGAIN_SECONDS)

    def _take(self, file):
        """False when nothing is left."""
        size = min(CHUNK, self.left())
        try:
            if size > 0:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return False
        return size > 0


def _must(words):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode != 0:
        raise DevError(f"{' '.join(words)} failed: {done.stderr.strip()}")


class DiskStack(ChaosStack):
    """Postgres, with all that it writes, lies on a disk of its own."""

    _keeper = None

    def __init__(self, state_dir, preset="release", overrides=None):
        root.require()
        super().__init__(state_dir, preset, overrides)
        self.disk = Disk(self.servers.postgres.home, MIB)

    def start(self):
        self._keeper = Keeper(self.state, "--mount", self.disk.folder)
        self.disk.mount()
        return super().start()

    def stop(self):
        super().stop()
        self.disk.unmount()
        if self._keeper:
            self._keeper.release()

    def heal(self):
        self.disk.free()
        return super().heal()


def disk_stack(preset="release"):
    return chaos_stack(preset, make=DiskStack)
