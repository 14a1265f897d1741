"""Generated files are equal to the output of the programs; ./dev generate writes them."""
import itertools
import os
import re
import subprocess

import pytest

from dev import generated, manifests, paths
from dev.report import DevError

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


@pytest.mark.parametrize("name", generated.TABLE)
def test_is_what_the_program_prints(name):
    program, flag = generated.TABLE[name]
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        assert file.read() == generated.printed(PRESET, program, flag), "run ./dev generate"


@pytest.mark.parametrize("name", generated.MADE)
def test_is_made_of_what_the_program_prints(name):
    program, word, make = generated.MADE[name]
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        assert file.read() == make(generated.printed(PRESET, program, word)), "run ./dev generate"


def test_metrics_are_those_that_the_programs_print():
    with open(os.path.join(paths.ROOT, generated.METRICS), encoding="utf-8") as file:
        assert file.read() == generated.all_metrics(PRESET), "run ./dev generate"


def test_no_metric_of_the_sources_is_left_out():
    """A module's metrics are registered by a function of their own for --print-metrics, which may miss some."""
    listed = set(re.findall(r"^\| `(\w+)` \|", generated.all_metrics(PRESET), re.M))
    sources = [name for name in subprocess.check_output(["git", "ls-files", "*.c"], cwd=paths.ROOT, text=True).split()
               if "tests/" not in name and not name.startswith(("templates/", "examples/"))]
    assert len(listed) > 50
    for name in sources:
        with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
            named = re.findall(r'BUS_(?:COUNTER|GAUGE|HISTOGRAM)_SPEC\(\s*"(\w+)"', file.read())
        assert set(named) <= listed, name


@pytest.mark.parametrize("name", generated.READMES)
def test_a_readme_shows_its_programs_variables(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        text = file.read()
    assert text == generated.with_output(text, PRESET, generated.READMES[name]), "run ./dev generate"
    assert "<!-- print --print-markdown -->" in text or not name.endswith("README.md")


@pytest.mark.parametrize("name", generated.SECTIONS)
def test_a_section_is_made_of_what_the_program_prints(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        text = file.read()
    assert text == generated.with_section(text, PRESET, name), "run ./dev generate"
    assert "| `POST /api/orders` | customer |" in text


def test_the_completion_names_the_queues_of_the_topology():
    with open(os.path.join(paths.ROOT, generated.COMPLETION), encoding="utf-8") as file:
        text = file.read()
    assert text == generated.completion(text, PRESET), "run ./dev generate"


def example(name):
    """{variable: value} of an example environment."""
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line and not line.startswith("#"))


@pytest.mark.parametrize("service", manifests.ALL, ids=lambda one: one.name)
def test_the_default_ports_are_those_of_the_manifest(service):
    found = example(f"{service.folder}/.env.example")
    assert found["PORT"] == str(service.port)
    assert found.get("ADMIN_PORT") == (str(service.admin_port) if service.serves_clients else None)


@pytest.mark.parametrize("name", generated.TABLE)
def test_holds_no_secret(name):
    lines = example(name)
    secret = [key for key in lines if key in ("DATABASE_URL", "RABBITMQ_URL", "PSP_KEY")]
    assert all(lines[key] == "" for key in secret)


@pytest.mark.parametrize("name", generated.DOCUMENTS)
def test_shows_the_results_as_they_were_written(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        text = file.read()
    assert text == generated.with_results(text), "run ./dev generate"


def test_a_result_is_linked_with_one_line_of_it(monkeypatch, tmp_path):
    (tmp_path / "table.md").write_text("# Title\n\n**3 rows**\n| all | 7 |\n")
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    monkeypatch.setattr(generated, "SUMMARIES", {"table.md": (r"^\*\*(.+)\*\*$", r"^\| all \| (?P<open_orders>\d+)")})
    text = "a\n<!-- result table.md -->\nold\n<!-- end -->\n<!-- result none.md -->\nold\n<!-- end -->\n"
    shown = ("a\n<!-- result table.md -->\n\n[table.md](../table.md): 3 rows, 7 open orders.\n\n<!-- end -->\n"
             "<!-- result none.md -->\n\n`none.md` is not recorded yet.\n\n<!-- end -->\n")
    assert generated.with_results(text) == shown and generated.with_results(shown) == shown


def test_a_result_without_its_line_is_named(monkeypatch):
    monkeypatch.setattr(generated, "SUMMARIES", {"table.md": (r"^(\d+) rows$",)})
    with pytest.raises(DevError, match="table.md has no line"):
        generated.summary("table.md", "# Title\n")


@pytest.mark.parametrize("name", [name for name in generated.SUMMARIES
                                  if os.path.exists(os.path.join(paths.ROOT, name))])
def test_every_recorded_result_has_its_line(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        assert generated.summary(name, file.read())


def test_documents_paste_no_long_table():
    """A table of more than a hundred rows is a recorded result, and belongs in a result file."""
    for name in subprocess.check_output(["git", "ls-files", "*.md"], cwd=paths.ROOT, text=True).split():
        if "/results/" in name:
            continue
        with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
            runs = [len(list(rows)) for is_row, rows in itertools.groupby(file, lambda line: line.startswith("|"))
                    if is_row]
        assert max(runs, default=0) <= 100, name
