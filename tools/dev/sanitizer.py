"""The thread sanitizer's reports: each process writes its own into a folder, whatever becomes of its output."""
import glob
import os

from dev.runner import Result

SHOWN = 5


def thread_options(folder):
    """The environment that has every sanitized program report into the folder, and end with a status of its own."""
    return {"TSAN_OPTIONS": f"exitcode=99:second_deadlock_stack=1:log_path={os.path.join(folder, 'race')}"}


def reports(folder):
    """One failure for each process that reported something, with what it said."""
    found = []
    for name in sorted(glob.glob(os.path.join(glob.escape(folder), "race.*"))):
        with open(name, encoding="utf-8", errors="replace") as file:
            found.append(file.read())
    more = f"and {len(found) - SHOWN} processes more\n" if len(found) > SHOWN else ""
    return Result(failed=len(found), text="\n".join(found[:SHOWN]) + more)
