"""The lint of sentences and sizes: beginnings of sentences, openings of files, lengths."""
from unittest import mock

import pytest

from dev import checks, wording

C = "/* Counts orders. */\n"
PYTHON = '"""Counts orders."""\n'


def problems(name, text):
    return [line.split(": ", 1) for line in wording.problems(name, text)]


@pytest.mark.parametrize("word", ["What", "Of", "Where", "Whoever", "Nothing", "Nobody"])
@pytest.mark.parametrize("line, name, text", [
    (3, "a.c", C + "int a;\n/* {} is counted. */\n"),
    (2, "a.c", C + "int a; /* {} is counted */\n"),
    (3, "a.c", C + "int a;\n/* Counted once. {} is left. */\n"),
    (3, "a.c", C + "int a;\n/*\n * {} is counted.\n */\n"),
    (3, "a.h", C + "int a;\nconst char *b = \"{} is counted\";\n"),
    (2, "a.py", PYTHON + "# {} is counted.\n"),
    (2, "a.py", PYTHON + "a = f\"{} is counted\"\n"),
    (3, "a.py", PYTHON + "def a():\n    \"\"\"{} is counted.\"\"\"\n"),
    (3, "a.md", "# Title\n\n{} is counted.\n"),
    (3, "a.md", "# Title\n\nOrders\nare counted. {} is left.\n"),
    (3, "a.md", "# Title\n\n- {} is counted.\n1. one\n"),
    (5, "a.md", "# Title\n\n| a | b |\n|---|---|\n| one | {} is counted. |\n"),
])
def test_a_sentence_begins_with_its_noun(word, line, name, text):
    assert problems(name, text.format(word)) == [[f"{name}:{line}", mock.ANY]]
    assert wording.problems(name, text.format(word))[0].split(": ", 1)[1].startswith(f'"{word} is')


@pytest.mark.parametrize("name, text", [
    ("a.c", C + "int a;\n/* Somewhat counted: what is left, of all. Offers count. Whatever comes. */\n"),
    ("a.c", C + "/* What is counted? */\nint a;\n"),
    ("a.c", C + "const char *a = \"no. \\\"What\";\n"),
    ("a.py", PYTHON + "a = 'nothing'\n"),
    ("a.md", "# What is counted\n\n## Of orders\n\n```\nNothing is code.\n```\n"),
    ("load-testing/results/a.md", "Nothing was lost.\n"),
])
def test_other_sentences_may_stand(name, text):
    assert problems(name, text) == []


@pytest.mark.parametrize("name, text", [("a.c", "/* Counts \u00aborders\u00bb. */\n"),
                                        ("a.md", "Some \u00aborders\u00bb.\n")])
def test_quotation_marks_are_ascii(name, text):
    assert problems(name, text) == [[f"{name}:1", 'quotation marks are "…"']]


def test_an_exception_may_stand(monkeypatch):
    monkeypatch.setattr(wording, "EXCEPTIONS", ("Of course",))
    assert problems("a.md", "Of course.\n") == [] and problems("a.md", "Of it.\n")


@pytest.mark.parametrize("name, text", [
    ("a.c", "#include <a.h>\n/* Counts orders. */\n"), ("a.h", "/* */\nint a;\n"), ("a.h", "/* orders */\nint a;\n"),
    ("a.py", "import os\n"), ("a.py", "# Counts orders.\nimport os\n"),
])
def test_a_sentence_opens_each_file(name, text):
    assert [problem for _, problem in problems(name, text)] == [
        "no sentence opens the file; begin with a comment that says its job"]


def test_an_empty_file_needs_no_sentence():
    assert problems("__init__.py", "") == []


@pytest.mark.parametrize("name, opening, comment", [("a.c", C, "/* one */\n"), ("a.py", PYTHON, "# one\n")])
def test_a_file_has_at_most_500_lines(name, opening, comment):
    assert problems(name, opening + comment * 499) == []
    assert problems(name, opening + comment * 500) == [[f"{name}:501", "501 lines; a file has at most 500"]]


@pytest.mark.parametrize("name, begin, line, end", [
    ("a.c", C + "static int count(int a,\n                 int b) {\n", "  a += b;\n", "}\n"),
    ("a.c", C + "TEST(count)\n{\n", "  a += b;\n", "}\n"),
    ("a.py", PYTHON + "def count(a):\n    a = 1\n", "    a += 1\n", ""),
])
def test_a_function_has_at_most_70_lines(name, begin, line, end):
    around = (begin + end).count("\n") - 1
    assert problems(name, begin + line * (70 - around) + end) == []
    assert problems(name, begin + line * (71 - around) + end) == [
        [f"{name}:2", "a function of 71 lines; it has at most 70"]]


def test_neighbouring_functions_are_counted_apart():
    one = "static void one(void) {\n" + "  a();\n" * 50 + "}\n\n"
    assert problems("a.c", C + "struct a {\n  int b;\n};\n" + one + one) == []


def test_a_table_is_no_function():
    table = "RULES(A)\n#undef A\nstatic const int a[] = {\n    CELL(1, {\n" + "    2,\n" * 80 + "}),\n};\n"
    assert problems("a.c", C + table) == []


def test_the_suite_names_the_file(monkeypatch):
    monkeypatch.setattr(checks, "tracked", lambda *endings: ["a.md", "b.md"])
    monkeypatch.setattr(checks, "_text_of", lambda name: b"Nothing.\n" if name == "a.md" else b"Orders.\n")
    found = checks._wording()
    assert (found.passed, found.failed) == (1, 1) and found.text.startswith("a.md:1: ")
