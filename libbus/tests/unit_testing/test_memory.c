/* bus/memory_sql.h: cells and tables, also of lists. */
#include <bus/memory_sql.h>

#include <test.h>

struct line {
  int64_t quantity;
  struct bus_str name;
};
struct cart {
  struct bus_str id;
  struct line *lines;
  size_t line_count;
  int64_t version;
};

static const struct bus_column line_columns[] = {
    BUS_COLUMN_INT64(struct line, quantity, 1, 9, BUS_CHANGING),
    BUS_COLUMN_TEXT(struct line, name, 1, 9, BUS_CHANGING),
};
static const struct bus_table line_table = BUS_COLUMN_TABLE("lines", struct line, line_columns);
static const struct bus_column columns[] = {
    BUS_COLUMN_TEXT(struct cart, id, 1, 9, BUS_KEY),
    BUS_COLUMN_LIST(struct cart, lines, line_count, struct line, &line_table, 9, BUS_CHANGING),
    BUS_COLUMN_INT64(struct cart, version, 1, 9, BUS_CHANGING),
};
static const struct bus_table cart_table = BUS_COLUMN_TABLE("carts", struct cart, columns);
static const struct bus_recipe recipes[] = {BUS_LOCK(&cart_table), BUS_INSERT(&cart_table), BUS_UPDATE(&cart_table)};
enum { LOCK, INSERT, UPDATE, STATEMENTS };

struct fixture {
  struct bus_arena *arena;
  struct bus_sql *sql;
  struct bus_memory_table table;
};

static void begin(struct fixture *f) {
  static struct bus_statement statements[STATEMENTS];
  const struct bus_registry registries[BUS_REGISTRIES] = {[BUS_REGISTRY_SERVICE] = {statements, STATEMENTS}};
  assert_true(bus_recipes_make(recipes, STATEMENTS, statements));
  f->arena = bus_arena_new(1 << 20);
  f->sql = bus_sql_new(f->arena, registries);
  assert_non_null(f->sql);
  bus_memory_table_init(&f->table, &cart_table, NULL);
}

static struct cart cart(struct line *lines, size_t count, int64_t version) {
  return (struct cart){.id = BUS_STR("c1"), .lines = lines, .line_count = count, .version = version};
}

static enum bus_memory_outcome write(struct fixture *f, size_t statement, const struct cart *row) {
  struct bus_args *args = bus_sql_add(f->sql, statement);
  bus_row_add(args, &cart_table, statement == INSERT ? BUS_ROW : BUS_KEY | BUS_CHANGING, row);
  assert_int_equal(bus_memory_arg_rows(args), 1);
  assert_true(bus_memory_writes(f->sql, args));
  return statement == INSERT ? bus_memory_insert(&f->table, args, f->arena)
                             : bus_memory_update(&f->table, args, f->arena);
}

TEST(a_row_with_a_list_is_inserted_updated_and_read)
{
  struct fixture f;
  struct line two[] = {{1, BUS_STR("tea")}, {2, BUS_STR("milk")}}, one[] = {{3, BUS_STR("salt")}};
  const struct cart before = cart(two, 2, 1), after = cart(one, 1, 2);
  struct bus_rows rows = {.count = 0};
  struct cart read;
  begin(&f);
  assert_int_equal(write(&f, INSERT, &before), BUS_MEMORY_DONE);
  assert_int_equal(write(&f, INSERT, &before), BUS_MEMORY_CONFLICT);
  assert_int_equal(write(&f, UPDATE, &after), BUS_MEMORY_DONE);
  const struct bus_memory_row *row = bus_memory_find(&f.table, &before.id);
  assert_non_null(row);
  assert_true(row->touched);
  assert_true(bus_memory_read(&rows, &f.table, row, f.arena));
  bus_row_init(&cart_table, &read);
  assert_true(bus_row_read(&cart_table, BUS_ROW, &rows, 0, 0, f.arena, &read, NULL));
  assert_int_equal(read.version, 2);
  assert_int_equal(read.line_count, 1);
  assert_true(read.lines[0].quantity == 3 && bus_str_is(read.lines[0].name, "salt"));
  bus_arena_free(f.arena);
}

TEST(a_write_that_is_only_tried_changes_nothing)
{
  struct fixture f;
  const struct cart row = cart(NULL, 0, 1);
  begin(&f);
  struct bus_args *args = bus_sql_add(f.sql, INSERT);
  bus_row_add(args, &cart_table, BUS_ROW, &row);
  assert_int_equal(bus_memory_insert(&f.table, args, NULL), BUS_MEMORY_DONE);
  assert_null(f.table.rows);
  assert_false(bus_memory_writes(f.sql, bus_sql_add(f.sql, LOCK)));
  bus_arena_free(f.arena);
}

TEST(values_beyond_the_memory_fail_the_trip)
{
  struct fixture f;
  begin(&f);
  struct bus_args *args = bus_sql_add(f.sql, LOCK);
  assert_false(bus_memory_failed(f.sql));
  for (int i = 0; i < 1 << 15; i++)
    bus_args_text(args, BUS_STR("a key"));
  assert_true(bus_memory_failed(f.sql));
  bus_arena_free(f.arena);
}
