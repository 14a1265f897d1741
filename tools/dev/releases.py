"""Releases: a folder of docs/releases each, which names the commit that it was made of and holds its contract."""
import os
import re
import subprocess

from dev import account, paths
from dev.report import DevError

FOLDER = os.path.join(paths.ROOT, "docs", "releases")
SECONDS = 60


def _numbers(name):
    return [int(number) for number in re.findall(r"\d+", name)]


def last():
    """The name of the newest release, such as "v0.2.0"."""
    return max((name for name in os.listdir(FOLDER) if re.fullmatch(r"v\d+\.\d+\.\d+", name)), key=_numbers)


def place(*names):
    """A file of the newest release."""
    return os.path.join(FOLDER, last(), *names)


def commit(release):
    """The file stands in for the tag, which a clone need not have."""
    found = account.read_file(os.path.join(FOLDER, release, "commit"))
    if found is None:
        raise DevError(f"docs/releases/{release} names no commit")
    return found.strip()


def extract(release, folder):
    """Its sources, into an empty folder."""
    archive = subprocess.run(["git", "-c", "safe.directory=*", "-C", paths.ROOT, "archive", "--format=tar",
                              commit(release)], capture_output=True, check=False, timeout=SECONDS)
    if archive.returncode:
        raise DevError(f"this clone does not have the commit of {release}: git fetch --unshallow --tags")
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True, timeout=SECONDS)
