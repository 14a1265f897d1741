"""The cases of the .mjs files, each in a Chromium of its own, and the pictures of the documents."""
import glob
import json
import os
import re
import subprocess

import pytest

from dev import paths

FOLDER = os.path.dirname(os.path.abspath(__file__))
SECONDS = 600
FILES = ("shop", "operations", "looks", "faults")  # behind the pictures: a dead letter stays
MOST_BYTES = 180_000


def _cases():
    for name in FILES:
        with open(os.path.join(FOLDER, name + ".mjs"), encoding="utf-8") as file:
            found = re.findall(r"^export (?:async function|const) (\w+)", file.read(), re.M)
            yield from ((name, case) for case in found)


def _run(environment, file, case):
    done = subprocess.run(["node", "run.mjs", file, case], cwd=FOLDER, env=environment, timeout=SECONDS, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("file, case", _cases())
def test_case(request, environment, stack, file, case):
    if file == "faults":
        request.getfixturevalue("dead_letter")
    said = _run(environment, file, case)
    for secret in [one for line in re.findall(r'^{"secrets".*', said, re.M) for one in json.loads(line)["secrets"]]:
        for log in glob.glob(os.path.join(stack.state.path, "**", "*.log"), recursive=True):
            with open(log, encoding="utf-8", errors="replace") as file_:
                assert secret not in file_.read(), log


def test_pictures_are_small_and_shown():
    pictures = glob.glob(os.path.join(paths.ROOT, "docs", "images", "page-*.png"))
    with open(os.path.join(paths.ROOT, "docs", "page.md"), encoding="utf-8") as page:
        text = page.read()
    assert pictures
    for picture in pictures:
        assert 10_000 < os.path.getsize(picture) < MOST_BYTES and f"images/{os.path.basename(picture)}" in text
