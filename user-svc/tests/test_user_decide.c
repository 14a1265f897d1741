/* The rules on tokens, attempts and users. */
#include "user.h"

#include <test.h>

#define NOW (1000 * BUS_SECOND)
static const struct user_policy policy = {.access_s = 900,
                                          .refresh_s = 3600,
                                          .reset_s = 1800,
                                          .grace_s = 10,
                                          .account_free = 5,
                                          .client_free = 50,
                                          .lock_max_s = 900};
static const struct bus_uuid first = {{1}}, second = {{2}};

struct rows {
  struct refresh_token token;
  struct session session;
  struct user user;
};

static struct rows fresh(void) {
  struct rows rows = {.token = {.expires_at = NOW + BUS_HOUR, .rotated_at = BUS_NO_TIME},
                      .session = {.created_at = NOW, .last_used_at = NOW, .revoked_at = BUS_NO_TIME}};
  user_evolve_registered(&rows.user, BUS_STR("a@b"), BUS_NO_STR, BUS_STR("hash"), NOW);
  return rows;
}

static enum rotation rotation(const struct rows *rows, const struct bus_uuid *request, bus_time now) {
  return user_decide_rotation(&rows->token, &rows->session, &rows->user, request, &policy, now);
}

TEST(operators_and_admins_order_for_every_customer)
{
  assert_string_equal(user_decide_scope(USER_CUSTOMER), "");
  assert_string_equal(user_decide_scope(USER_OPERATOR), "orders:on-behalf");
  assert_string_equal(user_decide_scope(USER_ADMIN), "orders:on-behalf");
}

TEST(an_attempt_is_settled_locked_counted_or_passes)
{
  struct user user;
  user_evolve_registered(&user, BUS_STR("a@b"), BUS_NO_STR, BUS_STR("hash"), NOW);
  struct guard open = {.blocked_until = BUS_NO_TIME}, shut = {.blocked_until = NOW + 3 * BUS_SECOND};
  const struct {
    struct attempt attempt;
    bool verified;
    const char *stored;
    int before, behind; /* kinds of the verdicts */
    enum user_outcome outcome;
  } cases[] = {
      {{&user, &open, &open, -1, false}, true, "hash", VERDICT_PASSES, VERDICT_PASSES, USER_DONE},
      {{&user, &open, &open, -1, false}, false, "hash", VERDICT_PASSES, VERDICT_FAILS, USER_REFUSED},
      {{&user, &open, &open, -1, false}, true, "changed", VERDICT_PASSES, VERDICT_FAILS, USER_REFUSED},
      {{NULL, &open, &open, -1, false}, true, "hash", VERDICT_PASSES, VERDICT_FAILS, USER_REFUSED},
      {{&user, &shut, &open, -1, false}, true, "hash", VERDICT_PASSES, VERDICT_SAYS, USER_LOCKED},
      {{&user, &open, &shut, -1, false}, true, "hash", VERDICT_SAYS, VERDICT_SAYS, USER_LOCKED},
      {{&user, &shut, NULL, USER_REFUSED, false}, true, "hash", VERDICT_SAYS, VERDICT_SAYS, USER_REFUSED},
      {{&user, &open, NULL, USER_DONE, true}, true, "hash", VERDICT_SAYS, VERDICT_SAYS, USER_DONE},
      {{&user, &open, NULL, USER_DONE, false}, true, "hash", VERDICT_PASSES, VERDICT_PASSES, USER_DONE},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct verdict before = user_decide_attempt(&cases[i].attempt, NOW);
    struct verdict behind = user_decide_password(&cases[i].attempt, cases[i].verified, bus_str(cases[i].stored), NOW);
    if ((int)before.kind != cases[i].before || (int)behind.kind != cases[i].behind ||
        (behind.kind != VERDICT_PASSES && behind.outcome != cases[i].outcome))
      fail_msg("case %zu: %d before the hash, %d and %d behind it", i, (int)before.kind, (int)behind.kind,
               (int)behind.outcome);
    if (behind.outcome == USER_LOCKED)
      assert_int_equal(behind.wait_s, 3);
  }
}

TEST(a_program_needs_its_secret_and_must_not_be_withdrawn)
{
  struct client client = {.secret_hash = BUS_STR("abc"), .revoked_at = BUS_NO_TIME};
  assert_true(user_decide_client(&client, BUS_STR("abc")));
  assert_false(user_decide_client(&client, BUS_STR("abd")));
  assert_false(user_decide_client(&client, BUS_NO_STR));
  assert_false(user_decide_client(NULL, BUS_STR("abc")));
  client.revoked_at = NOW;
  assert_false(user_decide_client(&client, BUS_STR("abc")));
}

TEST(a_token_is_rotated_once)
{
  struct rows rows = fresh();
  assert_int_equal(rotation(&rows, &first, NOW), ROTATION_FIRST);
  rows.token.rotated_at = NOW;
  rows.token.rotated_by = first;
  assert_int_equal(rotation(&rows, &second, NOW + 10 * BUS_SECOND), ROTATION_AGAIN);
  assert_int_equal(rotation(&rows, &second, NOW + 10 * BUS_SECOND + 1), ROTATION_REUSE);
  assert_int_equal(rotation(&rows, &first, NOW + BUS_HOUR - 1), ROTATION_AGAIN); /* the same request */
}

TEST(a_token_of_nothing_alive_is_invalid)
{
  struct rows rows = fresh();
  assert_int_equal(user_decide_rotation(NULL, NULL, NULL, &first, &policy, NOW), ROTATION_INVALID);
  assert_int_equal(rotation(&rows, &first, NOW + BUS_HOUR), ROTATION_INVALID);
  rows.session.revoked_at = NOW;
  assert_int_equal(rotation(&rows, &first, NOW), ROTATION_INVALID);
  rows = fresh();
  user_evolve_password(&rows.user, BUS_STR("other"), NOW + 1);
  assert_int_equal(rotation(&rows, &first, NOW + 2), ROTATION_INVALID);
  rows = fresh();
  user_evolve_erased(&rows.user, NOW);
  assert_int_equal(rotation(&rows, &first, NOW), ROTATION_INVALID);
}

TEST(a_revoked_session_stays_over_whoever_uses_the_token)
{
  struct rows rows = fresh();
  rows.token.rotated_at = NOW;
  rows.token.rotated_by = first;
  rows.session.revoked_at = NOW;
  assert_int_equal(rotation(&rows, &first, NOW), ROTATION_INVALID);
}

TEST(failures_beyond_the_free_ones_wait_twice_as_long_each)
{
  static const int64_t waits[] = {0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900};
  struct guard guard = {.last_at = BUS_NO_TIME, .blocked_until = BUS_NO_TIME};
  bus_time now = NOW;
  for (size_t i = 0; i < BUS_COUNT(waits); i++) {
    guard_evolve_failed(&guard, policy.account_free, policy.lock_max_s, now);
    bus_time until = guard_blocks_until(&guard, now);
    assert_true(until == (waits[i] == 0 ? BUS_NO_TIME : now + waits[i] * BUS_SECOND));
    now += waits[i] * BUS_SECOND;
    assert_true(guard_blocks_until(&guard, now) == BUS_NO_TIME);
  }
  guard_evolve_passed(&guard, now);
  assert_int_equal(guard.failures, 0);
}

TEST(failures_are_forgotten_after_a_day)
{
  struct guard guard = {.failures = 100, .last_at = NOW, .blocked_until = BUS_NO_TIME};
  guard_evolve_failed(&guard, policy.account_free, policy.lock_max_s, NOW + 24 * BUS_HOUR + 1);
  assert_int_equal(guard.failures, 1);
  guard.failures = USER_FAILURES_MAX;
  guard_evolve_failed(&guard, policy.account_free, policy.lock_max_s, NOW + 24 * BUS_HOUR + 2);
  assert_int_equal(guard.failures, USER_FAILURES_MAX);
}

TEST(a_reset_token_is_good_once_and_until_it_expires)
{
  struct rows rows = fresh();
  struct reset_token reset = {.expires_at = NOW + 1, .used_at = BUS_NO_TIME};
  assert_true(user_decide_reset(&reset, &rows.user, NOW));
  assert_false(user_decide_reset(&reset, &rows.user, NOW + 1));
  assert_false(user_decide_reset(&reset, NULL, NOW));
  assert_false(user_decide_reset(NULL, &rows.user, NOW));
  reset.used_at = NOW;
  assert_false(user_decide_reset(&reset, &rows.user, NOW));
}

TEST(an_erased_user_keeps_nothing_personal)
{
  struct rows rows = fresh();
  struct user_view view;
  user_evolve_name(&rows.user, BUS_STR("Ann"));
  user_evolve_erased(&rows.user, NOW);
  user_view_of(&rows.user, &view);
  assert_null(view.email.data);
  assert_null(view.name.data);
  assert_null(rows.user.password_hash.data);
  assert_int_equal(view.version, 3);
  assert_false(user_exists(&rows.user));
}
