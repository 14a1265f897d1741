"""Lists of services in files of deployments: ./dev generate makes them of each service.json, and leaves the rest."""
import dataclasses
import os

import pytest

from dev import manifests, parts, paths
from dev.report import DevError

TEXT = "a: 1\n  # made by ./dev generate: names\n  old: 1\n  # end\nb: 2\n"


@pytest.mark.parametrize("name", parts.TABLE)
def test_is_what_the_manifests_make(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        assert file.read() == parts.made(name), "run ./dev generate"


def test_a_part_is_replaced_and_indented():
    new = "a: 1\n  # made by ./dev generate: names\n  x:\n    - 1\n\n  y: 2\n  # end\nb: 2\n"
    assert parts.filled(TEXT, {"names": lambda rest: f"x:\n  - {rest.count('a')}\n\ny: 2\n"}) == new


def test_a_part_of_a_manual_has_comments_of_roff():
    text = '.SH A\n.\\" made by ./dev generate: names\n.\\" end\n'
    assert parts.filled(text, {"names": lambda rest: ".B x\n"}) == text.replace('.\\" end', '.B x\n.\\" end')


def test_an_empty_part_keeps_its_marks():
    empty = parts.filled(TEXT, {"names": lambda rest: ""})
    assert empty == TEXT.replace("  old: 1\n", "") == parts.filled(empty, {"names": lambda rest: ""})


@pytest.mark.parametrize("text", ["a: 1\n", TEXT.replace("names", "others"), TEXT + TEXT])
def test_a_part_that_is_missing_or_unknown_is_named(text):
    with pytest.raises(DevError, match="must be before names"):
        parts.filled(text, {"names": lambda rest: ""})


def test_a_service_that_the_file_names_itself_is_not_in_the_part():
    services = [dataclasses.replace(manifests.ALL[0], name=name) for name in ("a-svc", "b-svc")]
    make = parts.unless_written(services, "name", "{one.name}: *service\n")
    assert make("x: 1\n  a-svc:\n    limit: 1\n") == "b-svc: *service\n"
    assert make("x: 1\n") == "a-svc: *service\nb-svc: *service\n"
