/* pg/page_rows.c: rows of one statement become pages; and sets that may have no rows. */
#include "rows.h"

#include <bus/aggregate.h>
#include <bus/page.h>

#include <test.h>

struct thing {
  struct bus_str id;
  char word[4];
};

struct asked {
  struct bus_page page;
  int other;
};

static const struct bus_column columns[] = {
    BUS_COLUMN_TEXT(struct thing, id, 1, 8, BUS_KEY),
    BUS_COLUMN_CHARS(struct thing, word, 1, BUS_FIXED),
};
static const struct bus_table things = BUS_COLUMN_TABLE("test.things", struct thing, columns);

static struct asked asked[3];
static struct bus_error err;

/* Rows of a place, an id and a word; NULL: NULL. */
static bool load(const char *const (*texts)[2], const char *places, struct bus_arena *arena) {
  PGresult *made = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  const struct bus_rows rows = {made};
  const struct bus_pages pages = {asked, BUS_COUNT(asked), sizeof asked[0], arena};
  static PGresAttDesc descriptions[] = {{.name = "place", .format = 1, .typid = 20},
                                        {.name = "id", .format = 1, .typid = 25},
                                        {.name = "word", .format = 1, .typid = 25}};
  assert_true(PQsetResultAttrs(made, BUS_COUNT(descriptions), descriptions));
  for (int row = 0; places[row]; row++) {
    char place[8] = {[7] = (char)(places[row] - '0')};
    assert_true(PQsetvalue(made, row, 0, place, sizeof place));
    for (int i = 0; i < 2; i++) {
      const char *text = texts[row][i];
      assert_true(PQsetvalue(made, row, i + 1, (char *)text, text ? (int)strlen(text) : -1));
    }
  }
  memset(asked, 0, sizeof asked);
  err = (struct bus_error){.code = BUS_OK};
  bool done = bus_pages_load(&pages, &things, BUS_ROW, &rows, &err);
  PQclear(made);
  return done;
}

TEST(rows_come_to_the_pages_that_they_name)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  const char *const texts[][2] = {{"a", "x"}, {"b", "y"}, {"c", "z"}};
  assert_true(load(texts, "113", arena));
  assert_int_equal(asked[0].page.count, 2);
  assert_int_equal(asked[1].page.count, 0);
  assert_int_equal(asked[2].page.count, 1);
  assert_true(asked[0].page.found && !asked[1].page.found && asked[2].page.found);
  const struct thing *first = asked[0].page.items, *last = asked[2].page.items;
  assert_true(bus_str_is(first[0].id, "a") && strcmp(first[0].word, "x") == 0);
  assert_true(bus_str_is(first[1].id, "b") && strcmp(first[1].word, "y") == 0);
  assert_true(bus_str_is(last->id, "c"));
  bus_arena_free(arena);
}

TEST(a_row_without_an_item_finds_the_page)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  const char *const texts[][2] = {{NULL, NULL}, {"c", "z"}};
  assert_true(load(texts, "12", arena));
  assert_true(asked[0].page.found && asked[0].page.count == 0);
  assert_int_equal(asked[1].page.count, 1);
  bus_arena_free(arena);
}

TEST(a_place_that_was_not_asked_for_is_refused)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  const char *const texts[][2] = {{"a", "x"}};
  assert_false(load(texts, "0", arena));
  assert_int_equal(err.code, BUS_E_DB_OTHER);
  assert_false(load(texts, "4", arena));
  assert_int_equal(err.code, BUS_E_DB_OTHER);
  bus_arena_free(arena);
}

TEST(an_item_that_breaks_the_table_is_refused)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  const char *const texts[][2] = {{"a", "long"}};
  assert_false(load(texts, "1", arena));
  assert_int_equal(err.code, BUS_E_DB_OTHER);
  bus_arena_free(arena);
}

TEST(pages_that_do_not_fit_into_memory)
{
  struct bus_arena *arena = bus_arena_new(8);
  const char *const texts[][2] = {{"a", "x"}};
  assert_false(load(texts, "1", arena));
  assert_int_equal(err.code, BUS_E_NOMEM);
  bus_arena_free(arena);
}

TEST(a_page_shows_no_more_than_its_limit)
{
  const struct bus_page over = {.count = 3, .limit = 2}, full = {.count = 2, .limit = 2};
  assert_int_equal(bus_page_shown(&over), 2);
  assert_int_equal(bus_page_shown(&full), 2);
}

TEST(a_set_without_keys_takes_no_rows)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_set set;
  PGresult *made = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  const struct bus_rows none = {made}, *const all[] = {&none}, *const *next = all;
  bus_set_init(&set, &things, 0, arena);
  assert_true(bus_set_open(&set));
  assert_true(bus_set_load_next(&set, &next, NULL));
  assert_ptr_equal(next, all);
  bus_set_add(&set, &BUS_STR("a"));
  assert_true(bus_set_open(&set));
  assert_true(bus_set_load_next(&set, &next, NULL));
  assert_ptr_equal(next, all + 1);
  PQclear(made);
  bus_arena_free(arena);
}
