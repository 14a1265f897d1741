/* Statements made of column tables, word for word. */
#include "column_sample.h"

#include <test.h>

#include <stdlib.h>

static struct bus_statement make(struct bus_recipe recipe) {
  struct bus_statement statement = {NULL, NULL};
  assert_true(bus_recipes_make(&recipe, 1, &statement));
  return statement;
}

static void expect(struct bus_recipe recipe, const char *params, const char *sql) {
  struct bus_statement statement = make(recipe);
  assert_string_equal(statement.sql, sql);
  assert_string_equal(statement.params, params);
  free((char *)(uintptr_t)statement.sql);
  free((char *)(uintptr_t)statement.params);
}

TEST(a_lock_selects_every_column_lists_last)
{
  expect((struct bus_recipe)BUS_LOCK(&sample_table), "U",
         "SELECT t.id, t.state, t.level::bigint, t.number, t.maybe, t.text, t.data::text, t.word, t.at, t.flag, "
         "t.traceparent, t.causation_id, t.tracestate, t.name, t.count, t.price FROM toy.samples t "
         "WHERE t.id = ANY ($1) ORDER BY t.id FOR UPDATE");
  expect((struct bus_recipe)BUS_LOCK(&label_table), "T",
         "SELECT t.name, t.number FROM toy.labels t WHERE t.name = ANY ($1) ORDER BY t.name FOR UPDATE");
}

TEST(an_insert_cuts_each_rows_slice_out_of_the_lists)
{
  expect((struct bus_recipe)BUS_INSERT(&sample_table), "UTIIITTTZLTUTIIVWW",
         "INSERT INTO toy.samples (id, state, level, number, maybe, text, data, word, at, flag, traceparent, "
         "causation_id, tracestate, name, count, price) "
         "SELECT n.id, n.state, n.level::smallint, n.number, n.maybe, n.text, n.data::json, n.word, n.at, n.flag, "
         "n.traceparent, n.causation_id, n.tracestate, $16[n.parts_first:n.parts_last], "
         "$17[n.parts_first:n.parts_last], "
         "CASE WHEN $18[n.parts_first] IS NOT NULL THEN $18[n.parts_first:n.parts_last] END "
         "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
         "AS n (id, state, level, number, maybe, text, data, word, at, flag, traceparent, causation_id, tracestate, "
         "parts_first, parts_last)");
}

TEST(an_update_writes_what_changes)
{
  expect((struct bus_recipe)BUS_UPDATE(&sample_table), "UTIITTZLIIW",
         "UPDATE toy.samples t SET state = n.state, level = n.level::smallint, maybe = n.maybe, text = n.text, "
         "word = n.word, at = n.at, flag = n.flag, updated_at = now(), "
         "price = CASE WHEN $11[n.parts_first] IS NOT NULL THEN $11[n.parts_first:n.parts_last] END "
         "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
         "AS n (id, state, level, maybe, text, word, at, flag, parts_first, parts_last) WHERE t.id = n.id");
}

TEST(a_text_names_the_columns_of_an_alias)
{
  expect((struct bus_recipe)BUS_STATEMENT_OF(&sample_table, "SELECT {s.view}, n.place FROM n, toy.samples s", "UT"),
         "UT", "SELECT s.id, s.state, s.name, s.count, n.place FROM n, toy.samples s");
  expect((struct bus_recipe)BUS_STATEMENT_OF(&label_table, "SELECT {l.row} FROM toy.labels l", ""), "",
         "SELECT l.name, l.number FROM toy.labels l");
  expect((struct bus_recipe)BUS_STATEMENT("SELECT 1", "i"), "i", "SELECT 1");
}

TEST(a_text_with_unknown_braces_is_refused)
{
  struct bus_statement statement = {NULL, NULL};
  const struct bus_recipe recipe = BUS_STATEMENT_OF(&label_table, "SELECT {l.some} FROM toy.labels l", "");
  assert_false(bus_recipes_make(&recipe, 1, &statement));
  free((char *)(uintptr_t)statement.sql);
  free((char *)(uintptr_t)statement.params);
}

TEST(a_second_call_makes_nothing)
{
  const struct bus_recipe recipe = BUS_STATEMENT("SELECT 1", "");
  struct bus_statement statement = {"SELECT 2", ""};
  assert_true(bus_recipes_make(&recipe, 1, &statement));
  assert_string_equal(statement.sql, "SELECT 2");
}

static void append(void *context, const char *text) {
  char *all = context;
  size_t len = strlen(all);
  (void)snprintf(all + len, 1024 - len, "%s", text);
}

TEST(a_table_is_printed_column_by_column)
{
  char text[1024] = "";
  bus_table_print(&label_table, append, text);
  assert_string_equal(text, "toy.labels\tname\ttext\t1\t1\t8\ntoy.labels\tnumber\tbigint\t4\t0\t10\n");
  text[0] = '\0';
  bus_table_print(&sample_table, append, text);
  assert_non_null(strstr(text, "toy.samples\tprice\tARRAY\t36\t0\t99\n"));
}
