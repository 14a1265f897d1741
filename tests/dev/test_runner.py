"""The test runner: counts, times, and leaves nothing behind. And the suites that read the sources."""
import os
import threading
import time

import pytest

from dev import checks, cli, paths, proc, proofs, runner, suites
from dev.proc import Process
from dev.report import DevError
from dev.runner import Result
from dev.state import State

JUNIT = """<testsuite tests="5"><testcase name="a"/><testcase name="b"><failure/></testcase>
<testcase name="c"><error/></testcase><testcase name="d"><skipped/></testcase><testcase name="e" status="disabled"/>
</testsuite>"""
CTEST = """<testsuite>
<testcase name="good" status="run"><system-out>fine</system-out></testcase>
<testcase name="bad" status="fail"><failure message=""/><system-out>1 != 2</system-out></testcase>
<testcase name="later" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>
<testcase name="gone" status="notrun"><skipped message="Unable to find executable"/>
<system-out>Unable to find executable: tests/gone</system-out></testcase>
</testsuite>"""


def numbers(result):
    return result.passed, result.failed, result.skipped


def report(tmp_path, text):
    path = tmp_path / "report.xml"
    path.write_text(text)
    return str(path)


def test_counts_of_a_report(tmp_path):
    found = runner.count(report(tmp_path, JUNIT), 1, "what was said")
    assert numbers(found) == (1, 2, 2) and found.text == "what was said"


def test_a_test_whose_program_is_missing_has_failed_and_only_failures_are_shown(tmp_path):
    found = runner.count(report(tmp_path, CTEST), 8, "hundreds of lines")
    assert numbers(found) == (1, 2, 1)
    assert found.text == "bad:\n1 != 2\n\ngone:\nUnable to find executable: tests/gone\n\n"


def test_a_program_that_fails_without_a_failed_case_has_failed(tmp_path):
    passed = '<testsuite><testcase name="a"/></testsuite>'
    assert numbers(runner.count(report(tmp_path, passed), 0, "")) == (1, 0, 0)
    assert numbers(runner.count(report(tmp_path, passed), 139, "crashed")) == (1, 1, 0)
    assert numbers(runner.count(report(tmp_path, "<tests"), 0, "")) == (0, 1, 0)
    assert numbers(runner.count(str(tmp_path / "none.xml"), 0, "")) == (0, 1, 0)


def test_a_program_that_takes_too_long_may_clean_up_and_is_ended():
    script = "trap 'echo cleaned up; exit 1' INT; for i in $(seq 600); do sleep 0.1; done"
    begin = time.monotonic()
    status, output = runner.run(["sh", "-c", script], 2)
    assert status == 124 and "cleaned up" in output and "ended after 2 s" in output
    assert time.monotonic() - begin < 20


def test_what_still_runs_in_a_temporary_folder_is_ended():
    with runner.temporary_folder("test") as folder:
        state = State(os.path.join(folder, "deep", "state")).create()
        pid = Process(state, "left").start(["sleep", "60"], {"PATH": "/usr/bin"}, state.path)
    assert proc.start_time(pid) is None and not os.path.exists(folder)


def test_results_add_up():
    total = Result(1, 2, 3, "x", "a") + Result(10, 20, 30, "y", "b")
    assert numbers(total) == (11, 22, 33) and (total.text, total.note) == ("xy", "a; b")


@pytest.fixture
def table(monkeypatch):
    made = {}
    monkeypatch.setattr(suites, "TABLE", made)
    return made


def test_a_suite_says_one_line(table, capsys):
    table["unit"] = (60, lambda seconds: Result(passed=412))
    suites._suite("unit")
    assert capsys.readouterr().out.split() == ["unit", "ok", "412", "passed", "0.0", "s", "/", "60", "s"]


def test_a_suite_over_its_budget_says_so(table, capsys):
    table["slow"] = (0.05, lambda seconds: time.sleep(0.1) or Result(passed=1))
    assert suites._suite("slow").failed == 0
    assert "over its budget" in capsys.readouterr().out


def test_a_suite_that_is_not_there_is_skipped_visibly(table, capsys):
    table["later"] = (60, suites._pytest("no-such-suite"))
    assert numbers(suites._suite("later")) == (0, 0, 1)
    assert "skipped" in capsys.readouterr().out


def test_a_suite_that_cannot_start_has_failed(table, capsys):
    def broken(_seconds):
        raise DevError("no compiler")
    table["build"] = (60, broken)
    assert suites._suite("build").failed == 1
    assert "no compiler" in capsys.readouterr().err


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_what_wants_processors_alone_runs_beside_the_others(table):
    met, seen = threading.Event(), []

    def tidy(_seconds):
        seen.append(niceness())
        return Result(passed=1, failed=not met.wait(20))

    table["tidy"] = (60, tidy)
    table["unit"] = (60, lambda seconds: met.set() or Result(passed=2))
    assert numbers(suites._run_suites(["tidy", "unit"])) == (3, 0, 0)
    assert seen == [19] and niceness() < 19


def test_such_a_suite_alone_is_not_put_behind(table):
    table["tidy"] = (60, lambda seconds: Result(passed=niceness() < 19, failed=niceness() == 19))
    assert numbers(suites._run_suites(["tidy"])) == (1, 0, 0)


def test_what_mostly_waits_runs_beside_the_others_until_one_measures(table):
    met, order = threading.Event(), []

    def late(_seconds):
        failed = not met.wait(20)
        time.sleep(0.2)
        order.append("dev")
        return Result(passed=1, failed=failed)

    table["dev"] = (60, late)
    table["system"] = (60, lambda seconds: met.set() or Result(passed=2))
    table["chaos"] = (60, lambda seconds: order.append("chaos") or Result(passed=4))
    assert numbers(suites._run_suites(["dev", "system", "chaos"])) == (7, 0, 0)
    assert order == ["dev", "chaos"]


@pytest.fixture
def ending():
    yield
    runner._ending.clear()


def test_ctrl_c_reaches_what_runs_beside(table, ending, tmp_path):
    """It comes to the main thread alone; the others' children may clean up, and nothing more is started."""
    script = (f"trap 'echo cleaned >{tmp_path}/up; exit 1' INT; : >{tmp_path}/on; "
              "for i in $(seq 400); do sleep 0.1; done")

    def interrupted(_seconds):
        while not (tmp_path / "on").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    table["tidy"] = (60, lambda seconds: runner.run(["sh", "-c", script], 60))
    table["fuzz"] = (60, lambda seconds: (tmp_path / "started").touch())
    table["unit"] = (60, interrupted)
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        suites._run_suites(["tidy", "fuzz", "unit"])
    assert time.monotonic() - begin < 20
    assert (tmp_path / "up").read_text() == "cleaned\n" and not (tmp_path / "started").exists()
    with pytest.raises(KeyboardInterrupt):
        runner.run(["true"], 60)


def test_every_suite_has_a_budget_and_all_of_them_fit():
    leisure, beside = (sum(suites.TABLE[name][0] for name in names if name in suites.SHORT_NAMES)
                       for names in (suites.AT_LEISURE, suites.BESIDE))
    alone = sum(suites.TABLE[name][0] for name in suites.SHORT_NAMES) - leisure - beside
    assert max(leisure, beside) <= alone <= 50 * 60
    assert {*suites.AT_LEISURE, *suites.BESIDE, *suites.MEASURES} <= set(suites.TABLE)


def chosen_by(monkeypatch, *words):
    chosen = []
    monkeypatch.setattr(suites.packages, "ensure", lambda _: None)
    monkeypatch.setattr(suites.signal, "signal", lambda *_: None)
    monkeypatch.setattr(suites, "_run_suites", lambda names: chosen.extend(names) or Result(passed=1))
    assert suites.test(cli.parser().parse_args(["test", *words])) == 0
    return chosen


def test_what_takes_an_hour_runs_only_if_asked_for(monkeypatch):
    short, everything = chosen_by(monkeypatch), chosen_by(monkeypatch, "--all")
    assert short == list(suites.SHORT_NAMES)
    assert everything == [*short, "alerts", "analyzer", "attack", "backup", "browser", "change", "contract",
                          "debian-13", "discovery", "failover", "gateway", "grpc", "images", "kubernetes", "observe",
                          "operator", "packages", "pipelines", "reference", "service", "shards", "system-long", "tls",
                          "traces", "upgrade", "mutate", "sim-long", "crash-matrix", "chaos-long", "chaos-soak"]
    assert chosen_by(monkeypatch, "sim-long") == ["sim-long"]


def test_a_long_suite_is_a_verb_whose_exit_status_counts():
    assert numbers(proofs._verb("--version")(60)) == (1, 0, 0)
    failed = proofs._verb("no-such-verb")(60)
    assert numbers(failed) == (0, 1, 0) and "no-such-verb" in failed.text


@pytest.mark.parametrize("tool, output", (
    ("clang-format", "a.c:3:4: error: code should be clang-formatted\n  int x ;\n       ^\na.c:9:1: error: more\n"),
    ("shellcheck", "\nIn a.c line 5:\necho $x\n     ^-- SC2086\n"),
    ("flake8", "a.c:1:1: F401 'os' imported but unused\n"),
    ("yamllint", "./a.c:4:1: [error] too many blank lines\n"),
))
def test_each_tools_messages_are_counted_by_file(tool, output):
    assert numbers(checks._by_file(["a.c", "b.c"], 1, output)) == (1, 1, 0), tool


def test_a_tool_that_fails_without_naming_a_file_has_failed():
    assert numbers(checks._by_file(["a.c"], 2, "no such option\n")) == (0, 1, 0)
    assert numbers(checks._by_file(["a.c", "b.c"], 0, "a.c:1: note\n")) == (2, 0, 0)


def test_shell_files_are_known_by_their_first_line():
    assert {"dev", os.path.join(".ci", "run")} <= set(checks._shell_files())


def test_tidy_looks_again_when_a_header_a_comment_or_a_macro_changed(tmp_path):
    source, header = tmp_path / "a.c", tmp_path / "a.h"
    source.write_text('#include "a.h"\nint f(void) { return 1; }\n')
    entry = {"file": str(source), "directory": str(tmp_path), "command": f"ccache /usr/bin/clang -c {source} -o a.o"}
    seen = set()
    for text in ("int f(void);\n", "int f(void); // NOLINT\n", "int f(void);\n#define X(a) a\n"):
        header.write_text(text)
        seen.add(checks._digest([entry], b""))
    assert len(seen) == 3 and checks._digest([entry], b"") in seen
    assert checks._digest([entry], b"other checks") not in seen
    again = entry | {"command": entry["command"].replace("-c", "-DX=1 -c")}
    assert checks._digest([entry, again], b"") not in seen
    other = entry | {"file": "b.c"}
    assert checks._by_source([entry, other, again]) == [[entry, again], [other]]


def test_tracked_files_are_those_of_the_checkout():
    found = runner.tracked(".py")
    assert os.path.join("tools", "dev", "runner.py") in found
    assert not [name for name in found if name.startswith("build/") or os.path.isabs(name)]
    assert all(os.path.isfile(os.path.join(paths.ROOT, name)) for name in found)


def test_an_archive_without_git_has_its_files_too(folder, monkeypatch):
    for name in ("a.c", "libbus/b.c", "build/c.c", ".run/d.c"):
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8"):
            pass
    monkeypatch.setattr(paths, "ROOT", folder)
    assert runner.tracked(".c") == ["a.c", "libbus/b.c"]


def test_the_users_own_stack_does_not_reach_the_tests():
    environment = {"ORDERBUS_PG_PORT": "1", "ORDERBUS_STATE": "/x", "RABBITMQ_URL": "amqp://u:p@h",
                   "DATABASE_URL_ORDERS": "x", "ORDERBUS_TEST_TMP": "/t", "PATH": "/bin"}
    suites.forget_the_users_stack(environment)
    assert environment == {"ORDERBUS_TEST_TMP": "/t", "PATH": "/bin"}
