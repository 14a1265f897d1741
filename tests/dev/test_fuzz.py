"""./dev fuzz: finds its targets, reads what libFuzzer says, and adds up its record."""
import json
import os

import pytest

from dev import fuzz
from dev.report import DevError

SAID = """INFO: Seed: 1
#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 30Mb
#1000\tNEW    cov: 70 ft: 90 corp: 12/3Kb lim: 4 exec/s: 500 rss: 31Mb
Done 2000 runs in 4 second(s)
stat::number_of_executed_units: 2000
stat::average_exec_per_sec:     500
"""


def test_every_target_has_a_corpus():
    known = fuzz.targets()
    assert {"json", "envelope", "reader", "http_server", "edge_requests", "messages", "psp_response"} <= set(known)
    for name, folder in known.items():
        assert os.listdir(os.path.join(folder, "corpus", name)), name


def test_the_suite_fits_into_its_time():
    assert len(fuzz.targets()) * fuzz.SUITE_SECONDS / 2 <= 190


def test_what_a_run_did_is_read_from_its_words():
    done = fuzz.Run("json", 0, SAID, 4.2)
    assert (done.execs, done.edges, done.inputs, done.failed) == (2000, 70, 12, False)
    assert "2000 execs      476/s" in done.line() and done.line().endswith("ok")
    assert fuzz.Run("json", 77, "", 1).failed


def test_the_record_adds_up(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "RESULTS", str(tmp_path))
    fuzz.record([fuzz.Run("json", 0, SAID, 4.2)])
    fuzz.record([fuzz.Run("json", 77, SAID, 4.2), fuzz.Run("text", 0, SAID, 1)])
    with open(tmp_path / "fuzz.json", encoding="utf-8") as file:
        known = json.load(file)
    assert known["json"] == {"seconds": 8, "execs": 4000, "findings": 1, "edges": 70, "inputs": 12}
    text = (tmp_path / "fuzz.md").read_text(encoding="utf-8")
    assert "| `json` | 8 | 4,000 | 70 | 12 | 1 |" in text and "| all | 9 | 6,000 | | | 1 |" in text


def test_an_unknown_target_is_refused():
    with pytest.raises(DevError, match="no fuzz target nonsense"):
        fuzz.run_targets(["nonsense"], 1, 1)
