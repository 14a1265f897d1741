"""Protos of the edge under the rules of buf."""
import os
import subprocess

import pytest

from dev import paths, releases
from dev.grpc_tools import BUF

PROTOS = os.path.join(paths.ROOT, "edge", "proto")


def buf(folder, *words):
    return subprocess.run([BUF.program(), *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_protos_keep_the_rules():
    done = buf(PROTOS, "lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_protos_are_formatted():
    done = buf(PROTOS, "format", "--diff", "--exit-code", "--path", "orderbus")
    assert done.returncode == 0, done.stdout + done.stderr


def test_protos_break_nothing_of_the_release_before(tmp_path):
    releases.extract(releases.last(), tmp_path)
    before = tmp_path / "edge" / "proto"
    if not before.exists():
        pytest.skip(f"{releases.last()} has no protos")
    done = buf(PROTOS, "breaking", "--against", str(before))
    assert done.returncode == 0, done.stdout + done.stderr
