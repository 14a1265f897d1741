"""./dev mutate, as far as it needs no build: the mutants of a source, their equality, the sample, and what is kept."""
import json

import pytest

from dev import (cli, mutate, mutate_build, mutate_operators, mutate_report, mutate_sample, mutate_source,
                 mutate_trial, paths)
from dev.mutate_record import Record
from dev.mutate_trial import Ended, Verdict
from dev.report import DevError

SOURCE = """/* Counts: a + b. */
#include "a.h"
#define STEP (2 * UNIT)

static const char *const names[] = {"one", "two", NULL};

static bool is_more(const struct thing *thing, int64_t least) {
  assert(least > 0);
  return thing->count > least && !thing->done;
}

int64_t add(struct thing *thing, int64_t more) {
  int64_t sum = thing->count + more;
  if (is_more(thing, more))
    return 0;
  for (size_t i = 0; i < 3; i++)
    sum += i ? 1 : 2;
  *thing = (struct thing){.count = sum, .colour = RED};
  (void)more;
  note(thing);
  return sum;
}
"""
ENUMS = mutate_source.enumerations("enum colour { RED, GREEN = 4, /* last */ BLUE };")
TABLE = """#define GO(what) { .step = (what) }
const struct rule rules[2][3] = {
    [RED] = {[A] = GO(1), [B] = {.step = 2, .next = 3}, [C] = NONE},
    [BLUE] = ROW(ignore, ignore, charge, refund, answer, ignore),
};
"""


def found(text=SOURCE, name="a.c"):
    return mutate_operators.mutants(name, text, ENUMS)


def changes(kind, text=SOURCE):
    return [(one.old, one.new) for one in found(text) if one.kind == kind]


def line_of(mutant):
    """The changed line."""
    return mutant.apply(SOURCE).splitlines()[mutant.line - 1].strip()


def test_tokens_leave_out_comments_and_directives_but_for_the_bodies_of_macros():
    tokens = mutate_source.tokens(SOURCE)
    assert [one.text for one in tokens[:9]] == ["(", "2", "*", "UNIT", ")", "static", "const", "char", "*"]
    assert [one.macro for one in tokens[:6]] == [True] * 5 + [False]
    assert [one.name for one in mutate_source.functions(tokens)] == ["is_more", "add"]
    assert ENUMS == {name: ["RED", "GREEN", "BLUE"] for name in ("RED", "GREEN", "BLUE")}


def test_constants():
    assert changes("constant") == [("2", "1"), ("2", "3"), ("0", "1"), ("0", "1"), ("3", "2"), ("3", "4"), ("1", "0"),
                                   ("1", "2"), ("2", "1"), ("2", "3"), ("RED", "GREEN")]
    assert changes("constant", "bool f(void) { return true; }\n") == [("true", "false")]
    assert changes("constant", "int f(void) { switch (g()) { case RED: return h(BLUE); } }\n") == [("BLUE", "RED")]
    assert changes("constant", "int f(void) { char name[40] = {0}; }\n") == [("0", "1")]


def test_operators_between_spaces_and_no_pointers_or_assertions():
    assert changes("operator") == [("*", "/"), (">", "<="), (">", ">="), ("&&", "||"), ("!", ""), ("+", "-"),
                                   ("<", "<="), ("<", ">="), ("++", "--"), ("+=", "-=")]


def test_conditions_are_negated():
    assert changes("condition") == [("is_more(thing, more)", "!(is_more(thing, more))"), ("i < 3", "!(i < 3)"),
                                    ("i", "!(i)")]
    text = "int f(int a) { a = b(c) && d ? e : a; while (a) a--; return (a == 1 ? 2 : 3); }\n"
    assert changes("condition", text) == [("b(c) && d", "!(b(c) && d)"), ("a", "!(a)"), ("a == 1", "!(a == 1)")]


def test_statements_and_fields_are_deleted_but_no_declarations():
    assert [old for old, _ in changes("statement")] == [
        "sum += i ? 1 : 2", "*thing = (struct thing){.count = sum, .colour = RED}", "note(thing)"]
    assert changes("initialiser") == [(".count = sum,", ""), (".colour = RED", "")]
    text = ("void f(void) { bus_time at; thing *x = y; for (;;) { if (a) break; else return; } "
            "switch (z) { case A: g(); } }\n")
    assert [old for old, _ in changes("statement", text)] == ["break", "return", "g()"]


def test_return_values_follow_the_type():
    assert changes("return") == [("thing->count > least && !thing->done", "!(thing->count > least && !thing->done)"),
                                 ("0", "(0) + 1"), ("sum", "(sum) + 1"), ("sum", "0")]
    assert changes("return", "const char *f(void) { return x; }\n") == [("x", "NULL")]
    assert changes("return", "struct uuid f(void) { return x; }\n") == []


def test_cells_of_tables_become_other_cells():
    cells = changes("cell", TABLE)
    assert ("GO(1)", "{.step = 2, .next = 3}") in cells and ("NONE", "GO(1)") in cells
    assert ("charge", "refund") in cells and ("refund", "answer") in cells
    assert not any(old == new for old, new in cells)
    assert changes("cell") == [('"one"', '"two"'), ('"two"', '"one"')]


def test_a_mutant_changes_its_place_alone_and_no_line_number():
    mutants = found()
    deleted = next(one for one in mutants if one.kind == "statement" and one.old.startswith("*thing"))
    assert line_of(deleted) == ";" and deleted.place == "add" and deleted.line == 18
    more = next(one for one in mutants if (one.old, one.new) == (">", ">="))
    assert line_of(more) == "return thing->count >= least && !thing->done;" and more.place == "is_more"
    for one in mutants:
        assert one.apply(SOURCE) != SOURCE and one.apply(SOURCE).count("\n") == SOURCE.count("\n")
    text = "void f(void) { g(1,\n  2); }\n"
    assert next(one for one in found(text) if one.kind == "statement").apply(text) == "void f(void) { \n; }\n"


def test_an_id_outlives_changes_elsewhere_and_differs_from_all_others():
    ids = [one.id for one in found()]
    assert len(set(ids)) == len(ids)
    assert [one.id for one in found(SOURCE.replace("#define", "\n/* more */\n#define"))] == ids
    moved = [one.id for one in found(SOURCE.replace("count > least", "count  >  least + 0"))]
    assert 0 < len(set(ids) - set(moved)) < len(ids) / 2
    twice = "void f(void) {\n  g();\n  g();\n}\n"
    assert len({one.id for one in found(twice)}) == 2 and len({one.id for one in found(twice, "b.c")} |
                                                              {one.id for one in found(twice)}) == 4


def test_every_file_has_mutants_and_the_same_ones_again():
    names = mutate_sample.files()
    assert "order-svc/src/order_decide.c" in names and len(names) >= 13
    some = mutate_sample.candidates(mutate_sample.files("order_*.c"))
    assert mutate_sample.files("breaker.c,order-svc/*_table.c") == [
        "libbus/src/core/breaker.c", "order-svc/src/order_table.c"]
    assert set(some) == {f"order-svc/src/order_{part}.c" for part in ("decide", "evolve", "table")}
    assert {"constant", "operator", "condition", "statement", "return", "initialiser", "cell"} == {
        one.kind for mutants in some.values() for one in mutants}
    assert some == mutate_sample.candidates(mutate_sample.files("order_*.c"))
    with pytest.raises(DevError):
        mutate_sample.files("no_such_file.c")


def test_a_new_file_of_the_pipeline_is_mutated_too(tmp_path, monkeypatch):
    (tmp_path / "libbus/src/pipeline").mkdir(parents=True)
    for name in ("anything.c", "anything.h"):
        (tmp_path / "libbus/src/pipeline" / name).touch()
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    assert mutate_sample.files() == ["libbus/src/pipeline/anything.c"]


def test_a_mutants_object_takes_the_place_of_the_programs_own(monkeypatch):
    words = ("cc", "a/batch.c.o", "b/src/pipeline/batch.c.o", "-o", "bin/x", "lib.a")
    linked = []

    class Done:
        returncode = 0

    monkeypatch.setattr(mutate_build, "_link_words", lambda preset, target: words)
    monkeypatch.setattr(mutate_build.subprocess, "run", lambda words, **_: linked.append(words) or Done())
    assert mutate_build.link("release", "bin/x", "libbus/src/pipeline/batch.c", "m.o", "y") == ""
    assert linked == [["cc", "m.o", "a/batch.c.o", "-o", "y", "lib.a", "-Wl,--strip-debug"]]


def test_quotas_are_in_proportion_and_leave_no_file_out():
    assert mutate_sample.quotas({"a": 300, "b": 100, "c": 0}, 40) == {"a": 30, "b": 10}
    assert mutate_sample.quotas({"a": 1000, "b": 1}, 10) == {"a": 9, "b": 1}
    assert mutate_sample.quotas({"a": 2, "b": 3}, 400) == {"a": 2, "b": 3}
    assert sum(mutate_sample.quotas({"a": 7, "b": 11, "c": 13}, 17).values()) == 17


def test_a_sample_depends_on_its_seed_and_its_file():
    ids = [one.id for one in mutate_sample.shuffled(found(), 1)]
    assert ids == [one.id for one in mutate_sample.shuffled(found(), 1)]
    assert ids != [one.id for one in mutate_sample.shuffled(found(), 2)]
    assert sorted(ids) == sorted(one.id for one in found())


def test_wilsons_interval():
    low, high = mutate_sample.interval(90, 100)
    assert (round(low, 4), round(high, 4)) == (0.8256, 0.9448)
    assert mutate_sample.interval(0, 0) == (0.0, 1.0)
    assert mutate_sample.interval(10, 10)[1] == pytest.approx(1.0)


def record(tmp_path, resume, seed=3):
    return Record(str(tmp_path / "results.jsonl"), {"seed": seed}, resume)


def test_a_run_that_was_interrupted_goes_on(tmp_path):
    first, second, third = found()[:3]
    begun = record(tmp_path, False)
    begun.choose(first, "chosen", "abc")
    begun.judge(first, Verdict(False), "tests 1")
    begun.judge(second, Verdict(True, "unit", "test"), "tests 1")
    with open(tmp_path / "results.jsonl", "a", encoding="utf-8") as file:
        file.write('{"id": "cut in the mid')
    again = record(tmp_path, True)
    assert again.choices == begun.choices and again.verdicts == begun.verdicts
    assert again.verdicts[second.id] | {"line": 3} == again.verdicts[second.id]
    again.judge(first, Verdict(True, "unit", "crash"), "tests 2")
    again.judge(third, Verdict(False), "tests 2")
    last = record(tmp_path, True).verdicts
    assert last[first.id]["killed"] and len(last) == 3
    with pytest.raises(DevError):
        record(tmp_path, True, seed=4)
    assert record(tmp_path, False).verdicts == {}


def test_the_ways_to_notice_a_mutant():
    def how(output="", status=1, stopped=""):
        return mutate_trial.reason(Ended(status, stopped, output, 0.1))
    leak = "ERROR: LeakSanitizer: detected memory leaks"
    assert how(stopped="timeout") == "timeout" and how(stopped="memory") == "memory"
    assert how("a.c:3: f: Assertion `x' failed.") == "assertion"
    assert how("a.c:3:4: runtime error: signed integer overflow") == "sanitizer"
    assert how("[  ERROR   ] --- 1 != 2\n" + leak) == "test" and how(leak) == "sanitizer"
    assert how("VIOLATED     seed 7 at 1.0 s: x") == "invariant"
    assert how(status=-11) == "crash" and how(status=2) == "test"


def test_a_program_is_bounded_in_time_output_and_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(mutate_trial, "OUTPUT_MAX", 4096)
    monkeypatch.setattr(mutate_trial, "MEMORY_MAX", 64 << 20)
    slow = mutate_trial.run(["sh", "-c", "sleep 30 & wait"], str(tmp_path), 0.3)
    assert slow.failed() and slow.stopped == "timeout" and slow.seconds < 10
    loud = mutate_trial.run(["sh", "-c", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done"], str(tmp_path), 20)
    assert loud.failed() and not loud.stopped and len(loud.output) <= 4096
    large = mutate_trial.run(["/usr/bin/python3", "-c", "x = b'x' * (256 << 20); import time; time.sleep(30)"],
                             str(tmp_path), 20)
    assert large.stopped == "memory"
    assert not mutate_trial.run(["true"], str(tmp_path), 20).failed()


def verdicts():
    return [{"id": str(number), "file": name, "place": "f", "line": number, "kind": "constant", "old": "1", "new": "2",
             "killed": killed, "by": by, "how": how} for number, (name, killed, by, how) in enumerate((
                 ("b.c", True, "simulation, seed 4", "invariant"), ("a.c", True, "unit", "test"),
                 ("a.c", False, "", ""), ("a.c", False, "", "")))]


def test_the_report_keeps_explanations_of_equal_mutants(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    for name, text in ((mutate_report.DOCUMENT, "before\n<!-- mutation -->\nold\n<!-- end -->\nbehind\n"),
                       (mutate_report.EXPLAINED, json.dumps({"2": {"mutant": "a.c f", "why": "A larger room."}}))):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    for _ in range(2):
        mutate_report.write(verdicts(), "./dev mutate")
        document = (tmp_path / mutate_report.DOCUMENT).read_text()
        assert document.startswith("before\n<!-- mutation -->\n") and document.endswith("\n<!-- end -->\nbehind\n")
        assert "2 of 4 mutants killed: 50.0 %, 95 % interval 15.0 to 85.0 %" in document and "old" not in document
        assert "| `a.c` | 3 | 1 | 0 | 33.3 % | 1 of 2 |" in document
        assert "| all | 4 | 2 | 1 | 50.0 % | 1 of 2 |" in document
    survivors = (tmp_path / mutate_report.RESULTS).read_text()
    assert "| 2 | `a.c:2` f | `1` → `2` | A larger room. |" in survivors
    assert "| 3 | `a.c:3` f | `1` → `2` | not explained |" in survivors


def test_too_few_killed_is_a_failure(tmp_path, capsys):
    kept = record(tmp_path, False)
    mutants = found()[:10]
    for number, one in enumerate(mutants):
        kept.judge(one, Verdict(number > 0, "unit", "test"), "")
    assert mutate._conclude(kept, mutants, report=False) == 0
    kept.judge(mutants[1], Verdict(False), "")
    assert mutate._conclude(kept, mutants, report=False) == 1
    assert capsys.readouterr().out.count("survived") == 3


def test_the_command_line():
    options = cli.parser().parse_args(["mutate", "--sample", "40", "--files", "order_*.c", "--resume"])
    assert (options.sample, options.seed, options.jobs, options.files) == (40, 1, 2, "order_*.c")
    assert options.resume and not options.report
