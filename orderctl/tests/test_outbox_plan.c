/* outbox_plan.c: what an outbox waits for, and its JSON. */
#include "outbox_plan.h"

#include "verdict.h"

#include <test.h>

#define NOW (INT64_C(1772366400000) * BUS_MILLISECOND) /* 2026-03-01T12:00:00Z */
#define AGO(seconds) (NOW - (seconds)*BUS_SECOND)

static struct outbox_group waiting(int64_t rows, int64_t due, int64_t attempts) {
  return (struct outbox_group){.type = BUS_STR("payment.charge.v1"),
                               .rows = rows,
                               .messages = rows,
                               .due = due,
                               .attempts = attempts,
                               .oldest_at = AGO(90),
                               .next_at = AGO(30)};
}

static void assert_sentence(struct outbox_group *groups, size_t count, int64_t consumers, enum story_code code,
                            const char *text, const char *action) {
  const struct outbox outbox = {
      .service = "order-svc", .now = NOW, .consumers = consumers, .groups = groups, .group_count = count};
  struct story_verdict verdict;
  outbox_judge(&outbox, &verdict);
  assert_string_equal(verdict.text, text);
  assert_string_equal(verdict.action, action);
  assert_int_equal(verdict.code, code);
}

TEST(an_empty_outbox_waits_for_nothing)
{ assert_sentence(NULL, 0, 1, STORY_DONE, "its outbox is empty", ""); }

TEST(young_rows_are_under_way)
{
  struct outbox_group group = waiting(3, 1, 0);
  group.oldest_at = AGO(9);
  assert_sentence(&group, 1, 1, STORY_UNDER_WAY, "3 rows of the last 10 s: confirms are on their way", "");
}

TEST(due_rows_wait_for_the_service_or_for_the_broker)
{
  struct outbox_group groups[] = {waiting(1, 0, 0), waiting(2, 2, 3)};
  groups[0].oldest_at = AGO(120);
  assert_sentence(
      groups, 2, 0, STORY_NO_CONSUMER,
      "2 rows due, the oldest since 2026-03-01T11:58:00.000Z, and no process of order-svc publishes: its queue "
      "has no consumer",
      "start order-svc");
  assert_sentence(
      groups, 2, 1, STORY_UNPUBLISHED, "2 rows due and not sent, the oldest since 2026-03-01T11:58:00.000Z",
      "orderctl broker probe says whether the broker takes messages; the log of order-svc, whether order-svc "
      "sends them");
  struct outbox outbox = {
      .service = "order-svc", .now = NOW, .consumers = BUS_NO_INT64, .groups = groups, .group_count = 2};
  struct story_verdict verdict;
  outbox_judge(&outbox, &verdict);
  assert_non_null(strstr(verdict.text, "; the broker did not say whether its service runs"));
  assert_int_equal(verdict.code, STORY_UNPUBLISHED);
}

TEST(claimed_rows_wait_for_a_confirm)
{
  struct outbox_group groups[] = {waiting(1, 0, 1), waiting(1, 0, 4)};
  groups[0].next_at = NOW + BUS_SECOND;
  groups[1].next_at = NOW + 2 * BUS_SECOND;
  assert_sentence(groups, 2, 1, STORY_UNPUBLISHED,
                  "2 rows published, sent again up to 4 times and not confirmed, next at 2026-03-01T12:00:01.000Z",
                  "read the log of order-svc: the broker blocks it, or does not confirm");
}

TEST(rows_of_a_first_publication_wait_for_a_confirm_too)
{
  struct outbox_group group = waiting(1, 0, 0);
  assert_sentence(&group, 1, 1, STORY_UNPUBLISHED,
                  "1 row published and not confirmed, next at 2026-03-01T11:59:30.000Z",
                  "read the log of order-svc: the broker blocks it, or does not confirm");
}

TEST(a_row_that_no_queue_takes_comes_first)
{
  struct outbox_group groups[] = {waiting(4, 4, 3), waiting(2, 0, 3)};
  groups[1].unroutable = 2;
  groups[1].type = BUS_STR("order.confirmed.v1");
  assert_sentence(groups, 2, 0, STORY_UNROUTABLE, "no queue takes 2 rows of it, such as order.confirmed.v1",
                  "orderctl topology diff names the missing queue or binding; bus-topology apply makes it");
}

TEST(a_database_that_is_away_is_named)
{
  const struct outbox outbox = {.service = "payment-svc", .problem = BUS_STR("refused")};
  struct story_verdict verdict;
  outbox_judge(&outbox, &verdict);
  assert_int_equal(verdict.code, STORY_UNREACHABLE);
  assert_string_equal(verdict.text, "its database is not reachable: refused");
  assert_true(verdict_needs_action(&verdict));
}

TEST(an_outbox_is_one_object_of_json)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct outbox_group group = waiting(1, 1, 0);
  struct outbox outbox = {
      .service = "payment-svc", .now = NOW, .consumers = BUS_NO_INT64, .groups = &group, .group_count = 1};
  struct bus_str text;
  outbox_judge(&outbox, &outbox.verdict);
  assert_true(outbox_encode(&outbox, arena, &text));
  assert_non_null(strstr(text.data,
                         "{\"service\":\"payment-svc\",\"now\":\"2026-03-01T12:00:00.000Z\",\"verdict\":{\"code\":"
                         "\"unpublished\""));
  assert_non_null(strstr(text.data,
                         "\"consumers\":null,\"groups\":[{\"type\":\"payment.charge.v1\",\"rows\":1,\"messages\":1,"
                         "\"due\":1,\"claimed\":0,\"unroutable\":0,\"attempts\":0,"));
  bus_arena_free(arena);
}
