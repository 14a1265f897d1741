"""When CMake is to run: for a new build folder, and when the presets have changed since. And what builds at once."""
import os
import threading
import time

import pytest

from dev import build, paths
from dev.parallel import at_once


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """A checkout with one build folder; → how often CMake ran."""
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    ran = []
    monkeypatch.setattr(build, "_run", lambda words, _quiet: ran.append(words))
    (tmp_path / "CMakePresets.json").write_text("{}")
    (tmp_path / "build" / "dev").mkdir(parents=True)
    return ran


def made(tmp_path, age):
    """The folder as CMake left it, so many seconds after the presets were written."""
    written = os.path.getmtime(tmp_path / "CMakePresets.json")
    for name in ("build.ninja", "CMakeCache.txt"):
        file = tmp_path / "build" / "dev" / name
        file.write_text("")
        os.utime(file, (written + age, written + age))


def test_a_new_folder_is_configured(configured):
    build.configure("dev")
    assert configured == [["cmake", "--preset", "dev"]]


def test_a_folder_is_not_configured_again(configured, tmp_path):
    made(tmp_path, age=5)
    build.configure("dev")
    assert configured == []


def test_changed_presets_reach_an_old_folder(configured, tmp_path):
    made(tmp_path, age=-5)
    build.configure("dev")
    assert configured == [["cmake", "--preset", "dev"]]


def test_two_suites_build_the_same_preset_one_after_the_other(monkeypatch):
    under_way, most = [], []

    def run(words, _quiet):
        under_way.append(words)
        most.append(len(under_way))
        time.sleep(0.05)
        under_way.remove(words)
    monkeypatch.setattr(build, "configure", lambda preset, quiet: None)
    monkeypatch.setattr(build, "_run", run)
    at_once([lambda: build.build("tsan", ["a"]), lambda: build.build("tsan", ["b"])])
    assert most == [1, 1]


def test_two_presets_are_built_at_once(monkeypatch):
    both = threading.Barrier(2)
    monkeypatch.setattr(build, "configure", lambda preset, quiet: None)
    monkeypatch.setattr(build, "_run", lambda words, quiet: both.wait(20))
    at_once([lambda: build.build("tsan"), lambda: build.build("release")])
