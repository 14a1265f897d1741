"""What only root may do: namespaces and mounts; and why that cannot be done here, so that a test can say so."""
import os
import subprocess

from dev.report import DevError


def why_not():
    """→ None where it can be done; else the reason."""
    if os.geteuid() != 0:
        return "needs root, for namespaces and mounts of its own"
    done = subprocess.run(["/usr/bin/unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False,
                          timeout=10)
    return f"this machine lets root make no namespaces: {done.stderr.strip()}" if done.returncode else None


def require():
    reason = why_not()
    if reason:
        raise DevError(reason)


def skip_or_fail():
    """For a test: what cannot be done here is skipped visibly; continuous integration must be able to do it."""
    import pytest
    reason = why_not()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
