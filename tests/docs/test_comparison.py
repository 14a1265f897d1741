"""docs/comparison.md claims only what a source shows: each cell has a link, or says that nobody looked."""
import os
import re

from dev import paths

with open(os.path.join(paths.ROOT, "docs", "comparison.md"), encoding="utf-8") as file:
    TEXT = file.read()
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TEXT.splitlines() if line.startswith("| ")]


def test_each_cell_has_a_source():
    names = [row[0].strip("| ") for row in ROWS if row[0].strip("| ")]
    assert len(names) == 24 and set(names[:8]) == set(names[8:16]) == set(names[16:])
    unsourced = [(row[0], cell) for row in ROWS if row[0].strip("| ") for cell in row[1:]
                 if "](" not in cell and cell.strip("| ") != "not looked up"]
    assert not unsourced


def test_foreign_sources_name_their_version_and_the_day():
    links = re.findall(r"\[([^\]]+)\]\((https://[^)]+)\)", TEXT)
    assert len(links) > 30 and "read on 30 November 2026" in TEXT
    loose = [(text, url) for text, url in links
             if not re.search(r"/blob/[0-9a-f]{40}/", url) and "read on that day" not in text]
    assert not loose


def test_a_named_commit_is_the_linked_one():
    named = re.findall(r"\[[^\]]*, ([0-9a-f]{7})\]\(https://[^)]*/blob/([0-9a-f]{40})/", TEXT)
    assert len(named) > 20 and not [pair for pair in named if not pair[1].startswith(pair[0])]
