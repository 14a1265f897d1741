"""Operations that need root, namespaces and mounts, and the reason if they are not possible here, so that a test can
skip with it."""
import os
import subprocess
import unittest

from dev.report import DevError


class NotHere(DevError, unittest.SkipTest):
    """A test that meets it is skipped, visibly."""


def why_not():
    """→ None where it can be done; else the reason."""
    if os.geteuid() != 0:
        return "needs root, for namespaces and mounts of its own"
    done = subprocess.run(["/usr/bin/unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False,
                          timeout=10)
    return f"this machine lets root make no namespaces: {done.stderr.strip()}" if done.returncode else None


def require():
    """Continuous integration must be able to do it: there nothing is skipped."""
    reason = why_not()
    if reason:
        raise DevError(reason) if os.environ.get("CI") else NotHere(reason)
