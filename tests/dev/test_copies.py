"""The lint of copies: code that stands twice, also with other names; tables may have equal rows."""
from dev import copies

ONE = """int one(const int *items, int count) {
  int total = 0;
  for (int i = 0; i < count; i++)
    if (items[i] > 3 && is_wanted(&items[i]))
      total += price_of(items[i]) * 2;
  while (total > 100 || !is_allowed(total))
    total -= count / 2;
  return total > 0 ? total : -1;
}
"""


def test_a_copy_is_found_with_both_places():
    found = copies.problems({"x/a.c": ONE, "y/b.c": "int z;\n" + ONE.replace("int one", "int two")})
    assert len(found) == 1
    assert "x/a.c:1" in found[0] and "y/b.c:2" in found[0]


def test_a_copy_with_some_other_names_is_found():
    assert copies.problems({"x/a.c": ONE, "y/b.c": ONE.replace("total", "sum").replace("price_of", "cost_of")})


def test_less_than_sixty_equal_tokens_may_stand_twice():
    short = "int one(int a) {\n  if (a > 3 && is_wanted(a))\n    return price_of(a) * 2;\n  return a;\n}\n"
    assert copies.problems({"x/a.c": short, "y/b.c": short}) == []


def test_tables_may_have_equal_rows():
    rows = "".join(f"    {{\"name{i}\", {i}, KIND, true}},\n" for i in range(20))
    table = f"static const struct row rows[] = {{\n{rows}}};\n"
    inside = f"int one(void) {{\n  static const struct row rows[] = {{\n{rows}  }};\n  return rows[0].b;\n}}\n"
    assert copies.problems({"x/a.c": table, "y/b.c": table}) == []
    assert copies.problems({"x/a.c": inside, "y/b.c": inside}) == []


def test_a_listed_pair_is_left_out(monkeypatch):
    monkeypatch.setattr(copies, "KNOWN", {("x/a.c", "y/b.c")})
    assert copies.problems({"x/a.c": ONE, "y/b.c": ONE}) == []
    assert copies.problems({"y/b.c": ONE, "x/a.c": ONE}) == []


def test_a_listed_pair_without_a_copy_is_refused(monkeypatch):
    monkeypatch.setattr(copies, "KNOWN", {("x/a.c", "x/a.c"), ("x/a.c", "y/b.c")})
    found = copies.problems({"x/a.c": ONE, "y/b.c": ONE})
    assert len(found) == 1 and "x/a.c and x/a.c" in found[0]
