"""What programs print of themselves stands in the repository as they print it; ./dev generate writes it."""
import os

import pytest

from dev import generated, paths

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


@pytest.mark.parametrize("name", generated.TABLE)
def test_is_what_the_program_prints(name):
    program, flag = generated.TABLE[name]
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        assert file.read() == generated.printed(PRESET, program, flag), "run ./dev generate"


@pytest.mark.parametrize("name", generated.TABLE)
def test_holds_no_secret(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        lines = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line and not line.startswith("#"))
    secret = [key for key in lines if key in ("DATABASE_URL", "RABBITMQ_URL", "PSP_KEY")]
    assert all(lines[key] == "" for key in secret)
