"""./dev coverage, as far as it needs no build: what llvm-cov's export says of the product's files."""
import json
import os

import pytest

from dev import cli, coverage, mutate_report, paths

SOURCE = """int f(enum colour colour) {
  switch (colour) {
  case RED:
    return 1;
  case COLOURS:
    assert(colour != COLOURS);
  }
  return colour > 3 ? 2 : 3;
}
"""


def one(name, branches, lines=(8, 10)):
    taken = sum(bool(count) for row in branches for count in row[4:6])
    return {"filename": name, "branches": branches,
            "summary": {"lines": {"count": lines[1], "covered": lines[0]},
                        "branches": {"count": 2 * len(branches), "covered": taken}}}


@pytest.fixture
def root(tmp_path):
    for name in ("libbus/src/core/a.c", "order-svc/src/order_decide.c", "order-svc/tests/test_x.c", "tools/x.c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    return str(tmp_path)


def exported(root, *files):
    return coverage.files(json.loads(json.dumps({"data": [{"files": list(files)}]})), root)


def test_the_product_is_neither_tests_nor_tools_and_paths_may_lead_through_the_build(root):
    names = [f"{root}/libbus/src/core/a.c", "build/coverage/../../order-svc/src/order_decide.c",
             f"{root}/order-svc/tests/test_x.c", f"{root}/tools/x.c", "/usr/include/stdio.h"]
    assert [one.name for one in exported(root, *(one(name, []) for name in names))] == [
        "libbus/src/core/a.c", "order-svc/src/order_decide.c"]


def test_missing_branches_are_named_and_the_impossible_ones_are_not_counted(root):
    found = exported(root, one(f"{root}/libbus/src/core/a.c", [
        [2, 11, 2, 17, 0, 5], [3, 3, 3, 12, 4, 1], [5, 3, 5, 16, 0, 5], [8, 10, 8, 20, 3, 0]]))[0]
    assert found.missing == ("8:10 never false",)
    assert found.branches == (5, 6) and found.lines == (8, 10)


def test_a_branch_that_stands_in_several_instances_is_taken_by_one_of_them(root):
    found = exported(root, one(f"{root}/libbus/src/core/a.c", [[8, 10, 8, 20, 3, 0], [8, 10, 8, 20, 0, 2]]))[0]
    assert not found.missing


PLANTED = """bool late(int age, int most) {
  if (BUS_BUG("early", "it is early") && age > most)
    return true;
  if (BUS_BUG("never", "it never is")) {
    for (int i = 0; i < age; i++)
      age += most > i;
  }
  return age > most && !BUS_BUG("always", "it always is");
}

/* A planted bug's: nothing else calls it. */
static bool other(int age) {
  if (age)
    return true;
  return false;
}

static bool real(int age) {
  return age ? true : false;
}
""".split("\n")


@pytest.mark.parametrize("line, part, planted", [
    (2, "age >", True), (5, "i <", True), (6, "most >", True), (8, "age >", False), (13, "age)", True),
    (19, "age ?", False)])
def test_what_only_a_planted_bug_reaches_is_not_counted(line, part, planted):
    column = PLANTED[line - 1].index(part) + 1
    assert coverage.of_planted_bug(PLANTED, line, column) == planted
    assert not coverage.folded(PLANTED, line, column)


@pytest.mark.parametrize("line, part", [(2, "BUS_BUG"), (8, "!BUS_BUG")])
def test_the_switch_of_a_planted_bug_is_constant(line, part):
    assert coverage.folded(PLANTED, line, PLANTED[line - 1].index(part) + 1)


def test_a_constant_is_not_among_the_branches_that_llvm_counts(root):
    place = os.path.join(root, "libbus/src/core/a.c")
    with open(place, "w", encoding="utf-8") as file:
        file.write("\n".join(PLANTED))
    row = one(f"{root}/libbus/src/core/a.c", [[8, 10, 8, 20, 3, 1], [8, 24, 8, 60, 0, 0]])
    row["summary"]["branches"]["count"] = 2
    found = exported(root, row)[0]
    assert found.branches == (2, 2) and not found.missing


def test_a_case_of_its_own_is_counted(root):
    found = exported(root, one(f"{root}/libbus/src/core/a.c", [[3, 3, 3, 12, 0, 1]]))[0]
    assert found.missing == ("3:3 never true",)


def test_shares_are_never_rounded_up():
    assert coverage.share((1999, 2000)) == "99.9 %" and coverage.share((5, 5)) == "100.0 %"
    assert coverage.share((0, 0)) == "–"


def test_the_record_has_a_row_for_each_part_and_names_what_is_missing(root, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", root)
    (tmp_path / "docs").mkdir()
    (tmp_path / mutate_report.DOCUMENT).write_text("a\n<!-- coverage -->\nold\n<!-- end -->\nb\n")
    found = exported(root, one(f"{root}/libbus/src/core/a.c", [], (10, 10)),
                     one(f"{root}/order-svc/src/order_decide.c", [[8, 10, 8, 20, 3, 0]], (5, 10)))
    decisive = {"order-svc/src/order_decide.c"}
    text = coverage.results(found, decisive, "./dev coverage")
    assert "| files that decide | 10 | 50.0 % | 2 | 50.0 % |" in text
    assert "| `libbus` | 10 | 100.0 % | 0 | – |" in text and "| all | 20 | 75.0 % | 2 | 50.0 % |" in text
    assert "| `order-svc/src/order_decide.c` | 8:10 never false |" in text
    mutate_report.replace("coverage", coverage.section(found, decisive, "./dev coverage"))
    document = (tmp_path / mutate_report.DOCUMENT).read_text()
    assert "| all | 20 | 75.0 % | 2 | 50.0 % |" in document and "old" not in document and document.endswith("b\n")


def test_a_branch_that_is_missing_where_it_decides_fails(root, capsys):
    found = exported(root, one(f"{root}/order-svc/src/order_decide.c", [[8, 10, 8, 20, 3, 0]]))
    assert coverage._conclude(found) == 1 and coverage._conclude([]) == 0
    assert "order-svc/src/order_decide.c:8:10 never false" in capsys.readouterr().out


def test_the_command_line():
    options = cli.parser().parse_args(["coverage", "--integration"])
    assert options.integration and options.seeds == 5000 and not options.record
