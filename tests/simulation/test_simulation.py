"""The simulation tells the same story on every compiler and every run, and says where an invariant breaks."""
import glob
import os
import re
import subprocess

import pytest

from dev import paths, simulation

PRESETS = ("release", "asan", "clang")
SEEDS = range(1, 31)
SOURCES = os.path.join(paths.ROOT, "chaos-testing", "simulation")
PIPELINE = os.path.join(paths.ROOT, "libbus", "src", "pipeline")
FUNCTION = re.compile(r"^(?!typedef|extern|return)[a-z][\w *]*?\b(\w+)\([^;{]*\)\s*\{", re.M)
# The libbus's own tables, and the broker, which takes acks.
WORDS = {"table_bus.c": None, "broker.c": re.compile("inbox|outbox|sweep|suspect|bisect|stall|retry|retries"),
         "worker.c": re.compile("outbox|acks|sweep|suspect|bisect|stall|retry|retries")}
ANY_WORD = re.compile("inbox|outbox|(?<![a-z])acks?(?![a-z])|sweep|suspect|bisect|stall|retry|retries|deferred")


def story(preset, seed, *words):
    done = subprocess.run([simulation.program(preset), "--seed", str(seed), "--trace", *words], check=False, timeout=60,
                          capture_output=True)
    assert done.stderr == b"", done.stderr.decode()
    return done.returncode, done.stdout


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_tells_the_same_story_on_every_build(seed):
    first = story(PRESETS[0], seed)
    assert first[0] == 0 and first[1].count(b"\n") > 50
    assert [story(preset, seed) for preset in PRESETS] == [first] * len(PRESETS)


def test_seeds_tell_different_stories():
    assert len({story("release", seed)[1] for seed in SEEDS}) == len(SEEDS)


def test_a_violation_names_seed_time_and_invariant():
    status, told = story("asan", 1, "--bug", "2xx-before-confirm")
    assert status == 1
    assert re.fullmatch(r"seed 1 at \d+\.\d{6} s: client \d heard a 2xx, and neither its order .* is there",
                        told.decode().splitlines()[-1])
    assert story("release", 1, "--bug", "2xx-before-confirm") == (status, told)


def test_results_are_written_as_a_table():
    bugs = ["caught one-bug      after     12 seeds: a | b: c", "MISSED other-bug     in 10 seeds",
            "1 of 2 planted bugs caught"]
    text = simulation.text_of(100000, ["seeds 100000"], bugs)
    assert "| one-bug | 12 | a \\| b: c |" in text and "| other-bug | never |" in text
    assert text.endswith("\n1 of 2 planted bugs caught.\n")


def functions(path):
    with open(path, encoding="utf-8") as file:
        return FUNCTION.findall(file.read())


def test_the_pipeline_alone_has_inbox_outbox_acks_and_retries():
    """The simulation drives what ships: a second copy of it would begin with such a function."""
    found = {}
    for path in sorted(glob.glob(os.path.join(SOURCES, "*.c"))):
        words = WORDS.get(os.path.basename(path), ANY_WORD)
        found[os.path.basename(path)] = [name for name in functions(path) if words and words.search(name)]
    assert len(found) > 20 and sum(len(functions(os.path.join(SOURCES, name))) for name in found) > 300
    assert not {name: names for name, names in found.items() if names}


def test_every_switch_in_the_pipeline_is_a_planted_bug():
    done = subprocess.run([simulation.program("release"), "--bugs"], check=True, capture_output=True, text=True)
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    planted = set()
    for path in glob.glob(os.path.join(PIPELINE, "*.[ch]")):
        with open(path, encoding="utf-8") as file:
            planted |= set(re.findall(r'BUS_BUG\("([\w-]+)"', file.read()))
    assert len(listed) == len(set(listed)) > 60
    assert len(planted) > 20 and planted <= set(listed)


def test_a_trace_names_the_phase_of_the_pipeline():
    told = story("release", 1)[1].decode()
    phases = set(re.findall(r"-svc(?:\.request)?/\d \[([a-z0-9 ]+)\]", told))
    assert {"idle", "trip 1", "trip 2"} <= phases
