/* pg/connection.c where there is no server: it says so, and nothing hangs or leaks. */
#include "pg.h"

#include <test.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct bus_statement statements[] = {{"SELECT $1::bigint", "i"}};

static struct pg *connect_to(const char *url) {
  const struct pg_settings settings = {.url = url, .application_name = "unit", .registries = {{statements, 1}}};
  struct pg *pg = NULL;
  struct bus_error err;
  assert_true(pg_new(&settings, &pg, &err));
  for (int i = 0; i < 100 && pg_state(pg) == PG_CONNECTING; i++) {
    struct pollfd fd = {.fd = pg_fd(pg), .events = pg_events(pg)};
    (void)poll(&fd, 1, 100);
    if (fd.revents)
      pg_advance(pg);
  }
  return pg;
}

TEST(a_port_where_nobody_listens)
{
  struct pg *pg = connect_to("postgres://user:hunter2@127.0.0.1:1/none");
  struct bus_error err;
  assert_int_equal(pg_state(pg), PG_DEAD);
  assert_int_equal(pg_fd(pg), -1);
  pg_error(pg, &err);
  assert_int_equal(err.code, BUS_E_DB_CONNECTION);
  assert_null(strstr(err.text, "hunter2"));
  pg_advance(pg); /* a dead one stays dead */
  assert_int_equal(pg_state(pg), PG_DEAD);
  pg_free(pg);
}

static const char *empty_file(void) {
  static char path[] = "/tmp/url-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  (void)close(fd);
  return path;
}

/* The owner tries again, and meanwhile somebody mends it. */
TEST(a_file_that_holds_no_url_is_a_lost_connection)
{
  const char *empty = empty_file();
  const struct {
    const char *file, *problem;
  } files[] = {{empty, " is empty"},
               {"/nonexistent/url", "/nonexistent/url: No such file or directory"},
               {"/dev/null", "/dev/null has the mode 0666"}};
  for (size_t i = 0; i < BUS_COUNT(files); i++) {
    const struct pg_settings settings = {.url = "postgres://user:hunter2@127.0.0.1:1/none", .url_file = files[i].file};
    struct pg *pg = NULL;
    struct bus_error err;
    assert_true(pg_new(&settings, &pg, &err));
    assert_int_equal(pg_state(pg), PG_DEAD);
    assert_int_equal(pg_fd(pg), -1);
    pg_error(pg, &err);
    assert_int_equal(err.code, BUS_E_DB_CONNECTION);
    assert_non_null(strstr(err.text, files[i].problem));
    pg_free(pg);
  }
  (void)unlink(empty);
}

TEST(a_trip_on_a_dead_connection_is_refused_with_the_reason)
{
  struct pg *pg = connect_to("postgres://user:hunter2@127.0.0.1:1/none");
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_error err = {.code = BUS_OK};
  bus_args_int64(pg_add_own(pg_begin_trip(pg, arena), 0), 1);
  assert_false(pg_send_trip(pg, &err));
  assert_int_equal(err.code, BUS_E_DB_CONNECTION);
  assert_false(pg_in_transaction(pg));
  assert_int_equal(pg_failed_at(pg), -1);
  assert_null(pg_rows(pg, 0));
  assert_string_equal(pg_tag(pg, 0), "");
  pg_free(pg);
  bus_arena_free(arena);
}

TEST(a_trip_that_is_put_together_wrongly_is_refused)
{
  struct pg *pg = connect_to("postgres://user:hunter2@127.0.0.1:1/none");
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_error err;
  bus_args_text(pg_add_own(pg_begin_trip(pg, arena), 0), BUS_STR("no number"));
  assert_false(pg_send_trip(pg, &err));
  assert_int_equal(err.code, BUS_E_INVALID);
  assert_non_null(strstr(err.text, "bus_args_int64, not of bus_args_text"));
  assert_null(pg_add_own(pg_begin_trip(pg, arena), 1)); /* not in the registry */
  assert_false(pg_send_trip(pg, &err));
  assert_int_equal(err.code, BUS_E_NOMEM);
  struct bus_sql *sql = pg_begin_trip(pg, arena);
  for (int i = 0; i < 100; i++)
    bus_args_int64(pg_add_own(sql, 0), i);
  assert_true(pg_trip_count(sql) < 100);
  assert_false(pg_send_trip(pg, &err));
  assert_non_null(strstr(err.text, "in one trip"));
  pg_free(pg);
  bus_arena_free(arena);
}

TEST(what_is_given_up_says_why)
{
  struct pg *pg = connect_to("postgres://user:hunter2@127.0.0.1:1/none");
  struct bus_error err;
  pg_give_up(pg, "no answer for 15 s");
  pg_error(pg, &err);
  assert_int_equal(pg_state(pg), PG_DEAD);
  assert_string_equal(err.text, "no answer for 15 s");
  pg_free(pg);
  pg_free(NULL);
}
