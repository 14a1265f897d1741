"""The patches of the suite `change`, which takes too long to run each time: whether they still apply."""
import glob
import os
import subprocess

import pytest

from dev import paths

PATCHES = sorted(glob.glob(os.path.join(paths.ROOT, "tests", "change", "*.patch")))


@pytest.mark.parametrize("patch", PATCHES, ids=os.path.basename)
def test_it_applies(patch):
    done = subprocess.run(["git", "-c", "safe.directory=*", "apply", "--check", "--unidiff-zero", patch],
                          cwd=paths.ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
