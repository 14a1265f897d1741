"""Documents stand: links lead to files and headings, named tests exist, glossary terms are unique."""
import os
import re
import subprocess

import pytest

from dev import paths


def tracked(*patterns):
    return subprocess.check_output(["git", "-c", "safe.directory=*", "ls-files", *patterns], cwd=paths.ROOT,
                                   text=True).split()


def read(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        return file.read()


def anchors(text):
    """GitHub's: lower case, punctuation dropped, blanks to hyphens."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.M)}


def dead_links(name, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
        if not os.path.exists(os.path.join(paths.ROOT, place)):
            yield target
        elif anchor and place.endswith(".md") and anchor not in anchors(read(place)):
            yield target


def named_tests():
    text = "".join(read(name) for name in tracked("*.py", "*.c"))
    return set(re.findall(r"^(?:def (test_\w+)\(|TEST\((\w+)\))", text, re.M))


@pytest.mark.parametrize("name", tracked("*.md"))
def test_links_lead_somewhere(name):
    assert list(dead_links(name, read(name))) == []


def test_dead_links_are_seen():
    text = "[a](README.md) [b](#here) [c](none.md) [d](README.md#none) [e](https://a.example/none)\n## Here\n"
    assert list(dead_links("README.md", text.replace("(#here)", "(#none)"))) == ["#none", "none.md", "README.md#none"]


def test_security_names_tests_that_exist():
    there = {name for pair in named_tests() for name in pair if name}
    rows = re.findall(r"^\| [A-Z]+\d+(?: [^|]*)? \| (.+) \| (.+) \|$", read("docs/security.md"), re.M)
    assert len(rows) > 60
    for control, named in rows:
        found = re.findall(r"`([\w-]+)`", named)
        assert (named == "none") == (not found) and control
        assert [name for name in found if name not in there | {"tidy", "analyzer"}] == []


def test_each_security_row_stands_once():
    ids = re.findall(r"^\| ([A-Z])(\d+)(?: to [A-Z](\d+))?", read("docs/security.md"), re.M)
    rows = [f"{area}{number}" for area, first, last in ids for number in range(int(first), int(last or first) + 1)]
    assert len(rows) == len(set(rows))
    assert {f"E{number}" for number in range(1, 19)} | {f"D{number}" for number in range(1, 9)} <= set(rows)


def test_a_term_has_one_entry():
    terms = [term.strip() for row in re.findall(r"^\| ([^|]+) \|", read("docs/glossary.md"), re.M)
             for term in row.split(",") if row not in ("term", "---")]
    assert len(terms) > 50 and len(terms) == len(set(terms))


def test_the_api_names_the_currencies_whose_amounts_are_special():
    groups = re.findall(r'#define CURRENCY_(?!HUNDREDTHS)\w+ "([A-Z|]+)"', read("payment-svc/src/currency.h"))
    rows = re.findall(r"^\| (`[A-Z]{3}`(?:, `[A-Z]{3}`)*) \|", read("docs/api.md"), re.M)
    assert len(groups) == 3
    assert sorted(sorted(group.split("|")) for group in groups) == sorted(
        sorted(re.findall(r"[A-Z]{3}", row)) for row in rows)
