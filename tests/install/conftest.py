"""libbus alone, built once for all tests of installations."""
import os
import subprocess

import pytest

from dev import paths

BUILD = os.path.join(paths.ROOT, "build", "libbus-alone")


def call(*words, cwd=None, env=None, status=0, seconds=120):
    done = subprocess.run(words, cwd=cwd, env=os.environ | (env or {}), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=seconds, check=False)
    end = "\n".join(done.stdout.splitlines()[-30:])
    assert status is None or done.returncode == status, f"{' '.join(words)}\n{end}"
    return done


@pytest.fixture(scope="session")
def built():
    """libbus alone, without tests and sanitizers. The folder stays, so that a second run builds what changed."""
    call("cmake", "-S", paths.ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
         "-DORDERBUS_LIBBUS_ONLY=ON", "-DCMAKE_VERIFY_INTERFACE_HEADER_SETS=ON")
    call("cmake", "--build", BUILD, "--parallel", "2", "--target", "all", "all_verify_interface_header_sets")
    return BUILD
