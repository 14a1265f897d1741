/* pg/session.c: what is refused of what a server reports, and what a pooler's errors mean. */
#include "session.h"

#include <test.h>

#include <string.h>

static struct bus_error err;

static bool is_good(const char *differ, const char *unsafe, bool allow) {
  const struct pg_session session = {.pid = "1", .differ = differ, .unsafe = unsafe};
  err = (struct bus_error){.code = BUS_OK};
  return pg_session_is_good(&session, allow, &err);
}

TEST(a_server_that_keeps_what_it_commits_is_taken)
{ assert_true(is_good("", "", false)); }

TEST(fsync_off_refuses_the_start_and_names_the_variable)
{
  assert_false(is_good("", "fsync = off, full_page_writes = off", false));
  assert_int_equal(bus_error_class(err.code), BUS_CLASS_FATAL);
  assert_non_null(strstr(err.text, "fsync = off, full_page_writes = off"));
  assert_non_null(strstr(err.text, "ALLOW_UNSAFE_DATABASE=true"));
  assert_true(is_good("", "fsync = off", true));
}

/* The variable allows an unsafe server, not a session that loses commits. */
TEST(a_setting_that_did_not_take_effect_is_tried_again)
{
  assert_false(is_good("synchronous_commit = off", "", true));
  assert_int_equal(err.code, BUS_E_DB_CONNECTION);
  assert_non_null(strstr(err.text, "synchronous_commit = off"));
}

TEST(a_pooler_that_shares_sessions_is_refused_at_the_start_alone)
{
  static const char *const states[] = {"26000", "42P05"};
  for (size_t i = 0; i < BUS_COUNT(states); i++) {
    assert_true(pg_session_pooler_error(states[i], true, &err));
    assert_int_equal(bus_error_class(err.code), BUS_CLASS_FATAL);
    assert_non_null(strstr(err.text, "pool_mode"));
    assert_true(pg_session_pooler_error(states[i], false, &err));
    assert_int_equal(bus_error_class(err.code), BUS_CLASS_CONNECTION);
  }
  assert_false(pg_session_pooler_error("42P01", true, &err));
  assert_false(pg_session_pooler_error(NULL, true, &err));
}
