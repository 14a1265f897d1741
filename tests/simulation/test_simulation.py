"""The simulation tells the same story on every compiler and every run, and says where an invariant breaks."""
import re
import subprocess

import pytest

from dev import simulation

PRESETS = ("release", "asan", "clang")
SEEDS = range(1, 31)


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
