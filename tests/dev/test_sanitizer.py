"""Thread sanitizer: each process's report is a failure of its own; its programs get fixed addresses, others do not."""
import os

from dev import build, sanitizer


def test_every_report_is_a_failure(tmp_path):
    assert sanitizer.reports(str(tmp_path)).failed == 0
    path = sanitizer.thread_options(str(tmp_path))["TSAN_OPTIONS"].partition("log_path=")[2]
    for pid in range(7):
        with open(f"{path}.{pid}", "w", encoding="utf-8") as file:
            file.write(f"WARNING: ThreadSanitizer: data race {pid}\n")
    found = sanitizer.reports(str(tmp_path))
    assert found.failed == 7 and "data race 0" in found.text and found.text.endswith("and 2 processes more\n")


def test_only_thread_sanitized_programs_get_fixed_addresses(monkeypatch):
    monkeypatch.setattr(build, "_can_fix_addresses", lambda: True)
    assert build.launcher(os.path.join(build.programs("tsan"), "edge")) == build.FIXED_ADDRESSES
    assert build.launcher(build.folder("tsan")) == build.FIXED_ADDRESSES
    assert build.launcher(os.path.join(build.programs("asan"), "edge")) == []
    monkeypatch.setattr(build, "_can_fix_addresses", lambda: False)
    assert build.launcher(build.folder("tsan")) == []
