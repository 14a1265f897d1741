"""What programs write stands in the repository as they wrote it; ./dev generate puts it there."""
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


@pytest.mark.parametrize("name", generated.DOCUMENTS)
def test_shows_the_results_as_they_were_written(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        text = file.read()
    assert text == generated.with_results(text), "run ./dev generate"


def test_an_included_file_replaces_what_stood_there(monkeypatch, tmp_path):
    (tmp_path / "table.md").write_text("# Title\n\n| new |\n")
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    text = "a\n<!-- include table.md -->\nold\n<!-- end -->\n<!-- include none.md -->\nold\n<!-- end -->\n"
    shown = "a\n<!-- include table.md -->\n\n| new |\n\n<!-- end -->\n<!-- include none.md -->\n<!-- end -->\n"
    assert generated.with_results(text) == shown and generated.with_results(shown) == shown
