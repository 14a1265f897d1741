"""Building: one CMake preset, one folder; only what changed. And what a built program is started with."""
import collections
import functools
import os
import re
import subprocess
import threading

from dev import manifests, paths
from dev.report import DevError

_ONE_AT_A_TIME = collections.defaultdict(threading.Lock)  # of each preset: two suites may want the same
PRESETS = ("dev", "asan", "tsan", "release", "clang")
FIXED_ADDRESSES = ["setarch", "--addr-no-randomize"]
PROGRAMS = (*manifests.NAMES, "bus-topology", "bus-send", "bus-dead")


def default_preset():
    preset = os.environ.get("ORDERBUS_PRESET") or "release"
    if preset not in PRESETS:
        raise DevError(f"ORDERBUS_PRESET={preset}: choose one of {', '.join(PRESETS)}")
    return preset


def folder(preset):
    return os.path.join(paths.ROOT, "build", preset)


def programs(preset):
    """The folder of the built programs."""
    return os.path.join(folder(preset), "bin")


def configure(preset, quiet=True):
    """CMake runs once here, and when the presets have changed; else the build itself sees when it must run again."""
    if os.path.exists(os.path.join(folder(preset), "build.ninja")) and not _presets_are_newer(preset):
        return
    _run(["cmake", "--preset", preset], quiet)


def _presets_are_newer(preset):
    cache = os.path.join(folder(preset), "CMakeCache.txt")
    presets = os.path.join(paths.ROOT, "CMakePresets.json")
    return os.path.exists(cache) and os.path.getmtime(presets) > os.path.getmtime(cache)


def build(preset, targets=(), quiet=True, keep_going=False):
    """Builds everything, or the targets alone; keeps going to find every error of a test run."""
    with _ONE_AT_A_TIME[preset]:
        configure(preset, quiet)
        _run(["cmake", "--build", folder(preset), "--parallel", str(os.cpu_count() or 1),
              *(["--target", *targets] if targets else []), *(["--", "-k", "0"] if keep_going else [])], quiet)


def build_programs(preset, quiet=True, besides=()):
    build(preset, [*(f"bin/{name}" for name in PROGRAMS), *besides], quiet)


def launcher(place):
    """The words before a command that runs a program or tests: gcc 12's thread sanitizer ends a program whose addresses
    the kernel has scattered widely ("unexpected memory mapping")."""
    sanitized = (place + os.sep).startswith(folder("tsan") + os.sep)
    return FIXED_ADDRESSES if sanitized and _can_fix_addresses() else []


@functools.cache
def _can_fix_addresses():
    """Containers often may not; the sanitizer then says itself whether it needs it."""
    return subprocess.run([*FIXED_ADDRESSES, "true"], capture_output=True, check=False).returncode == 0


def _run(words, quiet):
    """Quietly: what the tools print is shown only when they fail."""
    done = subprocess.run(words, cwd=paths.ROOT, check=False, text=True,
                          stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None)
    if done.returncode != 0:
        # ninja's lines of progress say nothing about a failure.
        lines = [line for line in (done.stdout or "").splitlines() if not re.match(r"\[\d+/\d+\] ", line)]
        shown = "\n".join(lines[-200:])
        raise DevError(f"{' '.join(words[:3])} failed\n{shown}".rstrip())
