/* Decisions on attempts: what follows for the delivery and for the endpoint. */
#include "notify.h"

#include <test.h>

#define START (INT64_C(1767225600) * BUS_SECOND)

static const struct notify_policy policy = {.schedule = {5 * BUS_SECOND, 300 * BUS_SECOND},
                                            .schedule_count = 2,
                                            .retry_after_max = 600 * BUS_SECOND,
                                            .disable_after = 3 * 86400 * BUS_SECOND,
                                            .lease = 30 * BUS_SECOND,
                                            .endpoint_concurrency = 8,
                                            .mails_per_hour = 3,
                                            .confirmations_per_day = 1,
                                            .refusals_max = 2};
static struct endpoint endpoint;
static struct delivery delivery;
static struct attempt_decision decision;

static void begin(void) {
  endpoint = (struct endpoint){
      .status = WEBHOOK_ENABLED, .cause = -1, .failing_since = BUS_NO_TIME, .disabled_at = BUS_NO_TIME};
  delivery = (struct delivery){.status = DELIVERY_WAITING, .next_attempt_at = START};
}

/* One attempt that ends so, at that time. */
static void attempt(int kind, int64_t status, int64_t retry_after_s, bus_time now) {
  const struct notify_result result = {
      .number = delivery.attempts + 1, .kind = kind, .status = status, .retry_after_s = retry_after_s};
  notify_decide_attempt(&endpoint, &delivery, &result, &policy, now, (uint64_t)now, &decision);
  assert_true(decision.counts);
  delivery_evolve_attempted(&delivery, &decision);
  if (kind != NOTIFY_NOT_STARTED)
    (void)endpoint_evolve_attempted(&endpoint, &decision, now);
}

TEST(attempt_with_2xx_delivers)
{
  for (int64_t status = 200; status <= 299; status += 33) {
    begin();
    attempt(NOTIFY_ANSWERED, status, -1, START);
    assert_int_equal(delivery.status, DELIVERY_DELIVERED);
    assert_true(delivery.next_attempt_at == BUS_NO_TIME && delivery.attempts == 1);
    assert_true(endpoint.failing_since == BUS_NO_TIME);
  }
}

TEST(attempt_with_any_other_status_is_tried_again_by_the_schedule)
{
  static const int64_t statuses[] = {100, 199, 300, 301, 302, 307, 400, 404, 429, 500, 503};
  for (size_t i = 0; i < BUS_COUNT(statuses); i++) {
    begin();
    attempt(NOTIFY_ANSWERED, statuses[i], -1, START);
    assert_int_equal(delivery.status, DELIVERY_WAITING);
    assert_in_range(delivery.next_attempt_at - START, 5 * BUS_SECOND * 9 / 10, 5 * BUS_SECOND * 11 / 10);
    attempt(NOTIFY_NO_ANSWER, BUS_NO_INT64, -1, START);
    assert_in_range(delivery.next_attempt_at - START, 300 * BUS_SECOND * 9 / 10, 300 * BUS_SECOND * 11 / 10);
    attempt(NOTIFY_ANSWERED, statuses[i], -1, START);
    assert_int_equal(delivery.status, DELIVERY_FAILED);
    assert_true(delivery.next_attempt_at == BUS_NO_TIME && delivery.attempts == 3);
    assert_int_equal(endpoint.status, WEBHOOK_ENABLED);
  }
}

TEST(attempt_waits_as_long_as_the_endpoint_asks_within_bounds)
{
  begin();
  attempt(NOTIFY_ANSWERED, 429, 60, START);
  assert_true(delivery.next_attempt_at == START + 60 * BUS_SECOND);
  attempt(NOTIFY_ANSWERED, 503, 1, START);
  assert_true(delivery.next_attempt_at > START + 200 * BUS_SECOND);
  begin();
  attempt(NOTIFY_ANSWERED, 429, 999999999, START);
  assert_true(delivery.next_attempt_at == START + 600 * BUS_SECOND);
}

TEST(attempt_with_410_disables_at_once)
{
  begin();
  attempt(NOTIFY_ANSWERED, 410, -1, START);
  assert_int_equal(endpoint.status, WEBHOOK_DISABLED);
  assert_int_equal(endpoint.cause, WEBHOOK_GONE);
  assert_true(endpoint.disabled_at == START);
  assert_false(notify_decide_due(&endpoint, &delivery, START + 86400 * BUS_SECOND));
  endpoint_evolve_enabled(&endpoint);
  assert_true(notify_decide_due(&endpoint, &delivery, START + 86400 * BUS_SECOND));
}

TEST(attempts_that_fail_for_three_days_disable)
{
  begin();
  attempt(NOTIFY_NO_ANSWER, BUS_NO_INT64, -1, START);
  assert_true(endpoint.failing_since == START);
  attempt(NOTIFY_ANSWERED, 500, -1, START + policy.disable_after - 1);
  assert_int_equal(endpoint.status, WEBHOOK_ENABLED);
  attempt(NOTIFY_ANSWERED, 500, -1, START + policy.disable_after);
  assert_int_equal(endpoint.status, WEBHOOK_DISABLED);
  assert_int_equal(endpoint.cause, WEBHOOK_FAILING);
}

TEST(attempt_that_succeeds_ends_the_failing)
{
  begin();
  attempt(NOTIFY_ANSWERED, 500, -1, START);
  assert_int_equal(notify_decide_limit(&endpoint, &policy), 1);
  attempt(NOTIFY_ANSWERED, 200, -1, START + policy.disable_after);
  assert_true(endpoint.failing_since == BUS_NO_TIME);
  assert_int_equal(notify_decide_limit(&endpoint, &policy), 8);
}

TEST(attempt_that_did_not_start_counts_for_nothing)
{
  begin();
  attempt(NOTIFY_NOT_STARTED, BUS_NO_INT64, -1, START + 1);
  assert_int_equal(delivery.attempts, 0);
  assert_int_equal(delivery.failures, 0);
  assert_true(delivery.next_attempt_at == START + 1);
}

TEST(attempt_of_before_changes_nothing)
{
  const struct notify_result stale = {.number = 1, .kind = NOTIFY_ANSWERED, .status = 200};
  begin();
  attempt(NOTIFY_ANSWERED, 500, -1, START);
  notify_decide_attempt(&endpoint, &delivery, &stale, &policy, START, 0, &decision);
  assert_false(decision.counts);
  delivery.status = DELIVERY_DELIVERED;
  notify_decide_attempt(&endpoint, &delivery, &(struct notify_result){.number = 2}, &policy, START, 0, &decision);
  assert_false(decision.counts);
}

TEST(replay_begins_the_schedule_again)
{
  begin();
  attempt(NOTIFY_ANSWERED, 500, -1, START);
  attempt(NOTIFY_ANSWERED, 500, -1, START);
  attempt(NOTIFY_ANSWERED, 500, -1, START);
  delivery_evolve_replayed(&delivery, START + 9);
  assert_true(notify_decide_due(&endpoint, &delivery, START + 9));
  attempt(NOTIFY_ANSWERED, 500, -1, START + 9);
  assert_int_equal(delivery.status, DELIVERY_WAITING);
  assert_int_equal(delivery.attempts, 4);
}

TEST(rotation_keeps_the_secret_before_for_a_while)
{
  static const struct bus_uuid rotation = {{7}};
  struct notify_policy own = policy;
  struct webhook_view view;
  begin();
  own.rotation_keep = BUS_HOUR;
  endpoint.secret = BUS_STR("first");
  endpoint.old_secret_until = BUS_NO_TIME;
  endpoint_evolve_rotated(&endpoint, BUS_STR("second"), &rotation, &own, START);
  assert_true(bus_str_is(endpoint.secret, "second") && bus_str_is(endpoint.old_secret, "first"));
  webhook_view_of(&endpoint, START, &view);
  assert_true(view.old_secret_until == START + BUS_HOUR);
  webhook_view_of(&endpoint, START + BUS_HOUR, &view);
  assert_true(view.old_secret_until == BUS_NO_TIME);
}

/* ---- addresses ---- */

static void begin_mail(void) {
  begin();
  endpoint.url = BUS_STR("mailto:ann@example.org");
}

TEST(mail_with_4xx_is_tried_again_and_with_5xx_is_not)
{
  begin_mail();
  attempt(NOTIFY_ANSWERED, 451, -1, START);
  assert_int_equal(delivery.status, DELIVERY_WAITING);
  assert_int_equal(endpoint.refusals, 0);
  attempt(NOTIFY_ANSWERED, 550, -1, START);
  assert_int_equal(delivery.status, DELIVERY_FAILED);
  assert_true(delivery.next_attempt_at == BUS_NO_TIME);
  assert_int_equal(endpoint.refusals, 1);
  assert_int_equal(endpoint.status, WEBHOOK_ENABLED);
}

TEST(mail_that_is_refused_again_disables_its_address)
{
  begin_mail();
  attempt(NOTIFY_ANSWERED, 550, -1, START);
  delivery = (struct delivery){.status = DELIVERY_WAITING, .next_attempt_at = START};
  attempt(NOTIFY_ANSWERED, 554, -1, START);
  assert_int_equal(endpoint.status, WEBHOOK_DISABLED);
  assert_int_equal(endpoint.cause, WEBHOOK_REFUSED);
  endpoint_evolve_enabled(&endpoint);
  assert_int_equal(endpoint.refusals, 0);
}

TEST(mail_that_is_taken_forgets_refusals)
{
  begin_mail();
  attempt(NOTIFY_ANSWERED, 550, -1, START);
  delivery = (struct delivery){.status = DELIVERY_WAITING, .next_attempt_at = START};
  attempt(NOTIFY_ANSWERED, 250, -1, START);
  assert_int_equal(delivery.status, DELIVERY_DELIVERED);
  assert_int_equal(endpoint.refusals, 0);
}

TEST(mail_without_a_relay_for_days_disables_no_address)
{
  begin_mail();
  endpoint.failing_since = START - 10 * policy.disable_after;
  attempt(NOTIFY_NO_ANSWER, BUS_NO_INT64, -1, START);
  attempt(NOTIFY_ANSWERED, 451, -1, START);
  assert_int_equal(endpoint.status, WEBHOOK_ENABLED);
  assert_int_equal(delivery.status, DELIVERY_WAITING);
}

TEST(mail_window_begins_again_when_it_ends)
{
  struct mail_window window = {.began_at = START};
  for (int64_t i = 0; i < policy.mails_per_hour; i++) {
    assert_true(notify_decide_mail(&window, true, &policy, START + 1) == START + 1);
    mail_window_evolve(&window, true, START + 1);
  }
  assert_true(notify_decide_mail(&window, true, &policy, START + 1) == START + BUS_HOUR);
  assert_true(notify_decide_mail(&window, true, &policy, START + BUS_HOUR) == START + BUS_HOUR);
  mail_window_evolve(&window, true, START + BUS_HOUR);
  assert_true(window.began_at == START + BUS_HOUR && window.mails == 1);
  assert_true(notify_decide_mail(&window, false, &policy, START + BUS_HOUR) == START + 25 * BUS_HOUR);
}
