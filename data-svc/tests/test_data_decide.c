/* Events of an order, in every order: the row is the same, and the sums are those of the row. */
#include "events.h"

#include <test.h>

static bool apply(struct report *report, const struct bus_input *input) {
  struct report_event event;
  struct report_decision decision;
  assert_true(report_event_of(input, &event));
  report_decide(report, &event, &decision);
  if (decision.tells || decision.refunds)
    report_evolve(report, &event, &decision);
  return decision.tells || decision.refunds;
}

static struct report none(void) {
  struct report report;
  bus_row_init(&report_columns, &report);
  return report;
}

/* Calls visit with each order of the first `count` places. */
static void permute(size_t *places, size_t count, void (*visit)(const size_t *places)) {
  if (count == 1) {
    visit(places);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    size_t other = count % 2 == 0 ? i : 0, last;
    permute(places, count - 1, visit);
    last = places[count - 1];
    places[count - 1] = places[other];
    places[other] = last;
  }
}

static size_t visited;

static void assert_same(const size_t *places) {
  struct share shares[2 * EVENTS], sum;
  size_t count = 0;
  struct report report = none();
  for (size_t i = 0; i < EVENTS; i++) {
    const struct report before = report;
    if (!apply(&report, &events_inputs[places[i]]))
      continue;
    if (i > 0)
      report_share(&before, REPORT_HOUR, -1, &shares[count++]);
    report_share(&report, REPORT_HOUR, 1, &shares[count++]);
  }
  events_assert_row(&report);
  assert_int_equal(report_shares_merge(shares, count), 1);
  report_share(&report, REPORT_HOUR, 1, &sum);
  assert_memory_equal(&shares[0].bucket, &sum.bucket, sizeof sum - offsetof(struct share, bucket));
  assert_int_equal(shares[0].status, REPORT_CONFIRMED);
  visited++;
}

TEST(events_in_every_order_make_the_same_row)
{
  size_t places[EVENTS] = {0, 1, 2, 3, 4, 5};
  visited = 0;
  permute(places, EVENTS, assert_same);
  assert_int_equal(visited, 720);
}

TEST(an_event_that_comes_again_changes_nothing)
{
  struct report report = none();
  for (size_t i = 0; i < EVENTS; i++)
    (void)apply(&report, &events_inputs[i]);
  for (size_t i = 0; i < EVENTS; i++)
    assert_false(apply(&report, &events_inputs[i]));
}

TEST(of_a_reason_its_code_is_kept)
{
  static const struct {
    const char *reason, *code;
  } cases[] = {{"payment_declined: insufficient_funds", "payment_declined"},
               {"customer: my own words", "customer"},
               {"timeout", "timeout"},
               {"Words without a code", "other"},
               {"a_code_that_is_longer_than_thirty_two_bytes", "other"}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct order_event event = *(const struct order_event *)events_inputs[4].body;
    const struct bus_input input = {.kind = BUS_INPUT_DELIVERY, .type = &order_cancelled_type, .body = &event};
    struct report report = none();
    event.reason = bus_str(cases[i].reason);
    assert_true(apply(&report, &input));
    assert_true(bus_str_is(report.reason, cases[i].code));
  }
}

TEST(a_refund_alone_makes_an_open_order)
{
  struct report report = none();
  assert_true(apply(&report, &events_inputs[2]));
  assert_int_equal(report.status, REPORT_OPEN);
  assert_int_equal(report.refunded, 100);
  assert_int_equal(report.total, BUS_NO_INT64);
  assert_int_equal(report.line_count, 0);
}
