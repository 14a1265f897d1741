/* bus/reader.h: one snapshot, nothing but reading, and an end in time. */
#include <bus/clock.h>
#include <bus/reader.h>
#include <test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT, TYPED, WRITE, DROP, SLEEP, STATEMENTS };
static const struct bus_statement statements[STATEMENTS] = {
    [COUNT] = {"SELECT count(*) FROM pg_catalog.pg_database WHERE datname = 'template1'", ""},
    [TYPED] = {"SELECT $1::uuid, NULL::text, 'text'", "u"},
    [WRITE] = {"CREATE TABLE public.reader_must_not_write (x int)", ""},
    [DROP] = {"DROP TABLE public.reader_must_not_write", ""},
    [SLEEP] = {"SELECT pg_sleep(20)::text", ""},
};

struct asking {
  size_t statement;
  struct bus_uuid id;
  size_t taken;
  bool good;
};

static void ask(void *context, struct bus_sql *sql) {
  const struct asking *asking = context;
  struct bus_args *args = bus_sql_add(sql, asking->statement);
  if (statements[asking->statement].params[0])
    bus_args_uuid(args, &asking->id);
}

static void take(void *context, size_t index, const struct bus_rows *rows) {
  struct asking *asking = context;
  assert_int_equal(index, asking->taken++);
  if (asking->statement == COUNT)
    asking->good = bus_rows_count(rows) == 1 && bus_rows_int64(rows, 0, 0) == 1;
  if (asking->statement == TYPED) {
    struct bus_uuid id = bus_rows_uuid(rows, 0, 0);
    asking->good = bus_uuid_equal(&id, &asking->id) && bus_rows_text(rows, 0, 1).data == NULL &&
                   bus_str_is(bus_rows_text(rows, 0, 2), "text");
  }
}

/* extra: of the URL's query; "" for none. Skips where no server is given. */
static struct bus_reader *open_one(const char *extra, int64_t timeout_ms, bool writes) {
  const char *server = getenv("TEST_DATABASE_URL");
  char url[512];
  struct bus_reader *reader;
  struct bus_error err;
  if (!server || !*server)
    test_skip("TEST_DATABASE_URL is not set");
  (void)snprintf(url, sizeof url, "%s%s%s", server, *extra == 0 ? "" : strchr(server, '?') ? "&" : "?", extra);
  const struct bus_reader_settings settings = {.url = url,
                                               .name = "reader",
                                               .statements = statements,
                                               .count = STATEMENTS,
                                               .timeout_ms = timeout_ms,
                                               .writes = writes};
  if (!bus_reader_open(&settings, &reader, &err))
    fail_msg("%s", err.text);
  return reader;
}

static struct bus_reader *open_reader(const char *extra, int64_t timeout_ms) {
  return open_one(extra, timeout_ms, false);
}

static bool run(struct bus_reader *reader, struct asking *asking, struct bus_error *err) {
  struct bus_arena *arena = bus_arena_new(1 << 20);
  const struct bus_reader_calls calls = {ask, take, asking};
  bool good = bus_reader_run(reader, arena, &calls, err);
  bus_arena_free(arena);
  return good;
}

TEST(reader_gives_rows_of_several_transactions)
{
  struct bus_error err;
  struct bus_reader *reader = open_reader("", 30000);
  for (size_t i = 0; i < 3; i++) {
    struct asking count = {.statement = COUNT}, typed = {.statement = TYPED, .id = {{1, 2, 3}}};
    assert_true(run(reader, &count, &err) && count.good);
    assert_true(run(reader, &typed, &err) && typed.good);
  }
  bus_reader_free(reader);
}

TEST(reader_that_writes_commits)
{
  struct bus_error err;
  struct asking write = {.statement = WRITE}, drop = {.statement = DROP};
  struct bus_reader *reader = open_one("", 30000, true);
  assert_true(run(reader, &write, &err));
  bus_reader_free(reader);
  reader = open_one("", 30000, true);
  assert_true(run(reader, &drop, &err));
  bus_reader_free(reader);
}

TEST(reader_cannot_write_and_works_where_transactions_are_read_only)
{
  struct bus_error err;
  struct bus_reader *reader = open_reader("options=-c%20default_transaction_read_only%3Don", 30000);
  struct asking count = {.statement = COUNT}, write = {.statement = WRITE};
  assert_true(run(reader, &count, &err));
  assert_false(run(reader, &write, &err));
  assert_non_null(strstr(err.text, "25006"));
  assert_int_equal(write.taken, 0);
  bus_reader_free(reader);
}

TEST(reader_ends_in_time)
{
  struct bus_error err;
  struct bus_reader *reader = open_reader("", 2000);
  struct asking sleep = {.statement = SLEEP};
  int64_t begin = bus_monotonic();
  assert_false(run(reader, &sleep, &err));
  assert_int_equal(err.code, BUS_E_DB_CONNECTION);
  assert_in_range(bus_monotonic() - begin, 1500 * BUS_MILLISECOND, 5 * BUS_SECOND);
  assert_false(run(reader, &sleep, &err)); /* of no further use */
  bus_reader_free(reader);
}

TEST(reader_says_why_it_cannot_open)
{
  const struct bus_reader_settings settings = {
      .url = "postgres://user:hunter2@127.0.0.1:1/none", .name = "reader", .timeout_ms = 3000};
  struct bus_reader *reader;
  struct bus_error err;
  assert_false(bus_reader_open(&settings, &reader, &err));
  assert_int_equal(err.code, BUS_E_DB_CONNECTION);
  assert_null(strstr(err.text, "hunter2"));
  bus_reader_free(NULL);
}
