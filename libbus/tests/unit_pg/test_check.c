/* pg/check.c: what is refused before a connection is tried. */
#include "args.h"
#include "pg.h"

#include <test.h>

#include <string.h>

TEST(urls_that_can_be_opened)
{
  struct bus_error err;
  assert_true(pg_url_check("postgres://user:pass@127.0.0.1:5432/orders", &err));
  assert_true(pg_url_check("postgresql://user:pass@one:5432,two:5433/orders?sslmode=verify-full", &err));
  assert_true(pg_url_check("postgresql://user:p%2Fa%40s%3As@db-1.example_x,[::1]:5433/orders", &err));
  assert_true(pg_url_check("postgresql://user:pass@/orders?host=/var/run/postgresql", &err));
  assert_true(pg_url_check("postgresql://user:pass@%2Fvar%2Frun%2Fpostgresql/orders", &err));
}

/* libpq would repeat what it cannot read, password and all. */
TEST(malformed_urls_are_refused_without_their_secret)
{
  static const char *const urls[] = {
      "postgres://user:hunter2@[::1/orders", "postgres://user:hunter2@host:5432/orders?nonsense=1",
      "postgres://user:hunter2@host/orders?sslmode", "postgres://user:hunter2%zz@host/orders"};
  for (size_t i = 0; i < BUS_COUNT(urls); i++) {
    struct bus_error err = {.code = BUS_OK};
    assert_false(pg_url_check(urls[i], &err));
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_null(strstr(err.text, "hunter2"));
    assert_non_null(strstr(err.text, "postgres://"));
  }
}

/* It would be tried again for ever, and a part of the password would stand in each line that says so. */
TEST(a_password_with_a_slash_stops_the_start_and_is_not_printed)
{
  static const char *const urls[] = {
      "postgres://user:hun/ter2@host:5432/orders", "postgres://user:12/hunter2@host:5432/orders",
      "postgres://user:/hunter2@host/orders",      "postgres://user:hunter/2/x@host/orders",
      "postgres://user:hunter@2@host/orders",      "postgres://user:hunter?2/@host/orders",
      "postgres://user:hunter#/2@host/orders",     "postgres://user:hunter2@host:port/orders",
      "postgres://user:hunter2@host:99999/orders", "postgres://user:hunter2@ho st/orders",
      "postgres://user:hunter2@host:0/orders",     "postgres://user:hunter2@one:5432,two:x/orders",
      "postgres://user:hunter2@host/orders/more"};
  for (size_t i = 0; i < BUS_COUNT(urls); i++) {
    struct bus_error err = {.code = BUS_OK};
    if (pg_url_check(urls[i], &err))
      fail_msg("taken: %s", urls[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_null(strstr(err.text, "hun"));
    assert_null(strstr(err.text, "ter2"));
    assert_non_null(strstr(err.text, "%2F"));
  }
}

TEST(urls_of_a_service)
{
  static const char *const refused[] = {"postgresql+srv://u:hunter2@one:5432/db",
                                        "postgres+srv://u:hunter2@one,two/db",
                                        "postgres+srv://u:hunter2@/db?host=/tmp",
                                        "postgres+srv://u:hunter2@one/db?host=two",
                                        "postgres+srv://u:hunter2@one/db?port=5432",
                                        "postgres+srv://u:hunter2@one/db?hostaddr=127.0.0.1",
                                        "postgres+srv://u:hunter2@one/db?nonsense=two",
                                        "postgres+srv://u:hun/ter2@one/db",
                                        "amqp+srv://u:hunter2@one/db"};
  struct bus_error err;
  assert_true(pg_url_check("postgresql+srv://user:p%2Fa@service.consul/orders", &err));
  assert_true(pg_url_check("postgres+srv://user:p@db/orders?sslmode=verify-full&sslrootcert=/etc/host/ca", &err));
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    if (pg_url_check(refused[i], &err))
      fail_msg("taken: %s", refused[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_null(strstr(err.text, "hun"));
  }
}

static bool is_good(const char *sql, const char *params, struct bus_error *err) {
  const struct bus_statement statements[] = {{"SELECT 1", "uU"}, {sql, params}};
  const struct bus_registry registry = {statements, BUS_COUNT(statements)};
  return pg_registry_check(&registry, err);
}

TEST(a_registry_that_can_be_prepared)
{
  struct bus_error err;
  assert_true(is_good("SELECT 1", NULL, &err));
  assert_true(is_good("SELECT 1", "", &err));
  assert_true(is_good("SELECT 1", "uitzblUITZBL", &err));
  assert_true(pg_registry_check(&(const struct bus_registry){NULL, 0}, &err));
}

TEST(a_registry_that_cannot_is_named)
{
  static const char *const wrong[] = {"x", "iX", "Ui", "uTu"};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    struct bus_error err = {.code = BUS_OK};
    assert_false(is_good("SELECT 1", wrong[i], &err));
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_non_null(strstr(err.text, "statement 1"));
    assert_non_null(strstr(err.text, wrong[i]));
  }
  struct bus_error err;
  assert_false(is_good(NULL, "", &err));
}

TEST(as_many_parameters_as_there_is_room_for)
{
  char letters[PG_PARAMS_MAX + 2];
  struct bus_error err;
  memset(letters, 'I', sizeof letters);
  letters[PG_PARAMS_MAX + 1] = '\0';
  assert_false(is_good("SELECT 1", letters, &err));
  letters[PG_PARAMS_MAX] = '\0';
  assert_true(is_good("SELECT 1", letters, &err));
}
