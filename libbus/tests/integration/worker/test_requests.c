/* Queries that write: answered once their transaction is committed, dropped when late or uncertain, harmless when
 * repeated. */
#include "toy.h"

#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/request.h>
#include <test.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct bus_requester *requester_for(struct toy *toy) {
  static char instance[24];
  struct bus_requester *requester;
  struct bus_error err;
  (void)snprintf(instance, sizeof instance, "%d", (int)getpid());
  const struct bus_requester_settings settings = {
      .amqp_url = toy->amqp_url, .service = "admin", .instance = instance, .heartbeat_s = 60};
  if (!bus_requester_new(&settings, &requester, &err))
    fail_msg("%s", err.text);
  return requester;
}

/* The requester connects on its first request; until then each is refused. */
static struct bus_pending *begin(struct toy *toy, struct bus_requester *requester, unsigned counter, int64_t by,
                                 int64_t valid_ms) {
  const struct toy_add body = {.counter = toy_counter(counter), .by = by};
  struct bus_trace trace;
  bus_trace_start(&toy->ids, &trace);
  const struct bus_request request = {.type = &toy_set_type, .trace = &trace, .body = &body, .valid_ms = valid_ms};
  for (int64_t until = bus_monotonic() + 20 * BUS_SECOND; bus_monotonic() < until; toy_sleep_ms(20)) {
    struct bus_pending *pending = bus_request_begin(requester, &request);
    assert_non_null(pending);
    if (bus_request_wait(pending, 0, false) != BUS_REQUEST_UNAVAILABLE)
      return pending;
    bus_request_end(pending);
  }
  fail_msg("the requester does not connect");
  return NULL;
}

/* The counter as answered; -1: no answer in time. Ends the request. */
static int64_t answer_of(struct bus_pending *pending, int64_t ms) {
  static const struct bus_message_type *const types[] = {&toy_count_type};
  const struct bus_message_type *type;
  const void *body = NULL;
  struct bus_arena *arena = bus_arena_new(65536);
  int64_t count = -1;
  if (bus_request_wait(pending, bus_monotonic() + ms * BUS_MILLISECOND, false) == BUS_REQUEST_ANSWERED) {
    assert_true(bus_request_answer(pending, types, 1, arena, &type, &body));
    count = ((const struct toy_add *)body)->by;
  }
  bus_request_end(pending);
  bus_arena_free(arena);
  return count;
}

static int64_t late(void) {
  char series[128];
  (void)snprintf(series, sizeof series, "bus_messages_total{type=\"%s\",outcome=\"late\"} ", toy_set_type.type);
  return toy_metric(series);
}

static void await_late(int64_t count) {
  for (int64_t until = bus_monotonic() + 30 * BUS_SECOND; late() < count && bus_monotonic() < until;)
    toy_sleep_ms(20);
  assert_int_equal(late(), count);
}

#define EVENTS "SELECT count(*) FROM bus.outbox"

TEST(a_request_is_written_once_and_answered_each_time)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_requester *requester = requester_for(&toy);
  toy_start_requests(&toy, &run);
  assert_int_equal(answer_of(begin(&toy, requester, 1, 5, 0), 20000), 5);
  assert_int_equal(toy_number(&toy, SUM), 5);
  assert_int_equal(answer_of(begin(&toy, requester, 1, 9, 0), 20000), 5);
  assert_int_equal(toy_number(&toy, SUM), 5);
  assert_int_equal(toy_number(&toy, INBOX), 0);
  toy_await(&toy, OUTBOX, 0, 10);
  toy_await_depth(&toy, toy.events, 1, 5);
  toy_stop(&run);
  bus_requester_free(requester);
  toy_teardown(&toy);
}

TEST(a_request_that_comes_after_its_deadline_is_not_written)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_requester *requester = requester_for(&toy);
  struct bus_pending *pending = begin(&toy, requester, 1, 5, 1);
  toy_sleep_ms(50);
  toy_start_requests(&toy, &run);
  await_late(1);
  assert_int_equal(answer_of(begin(&toy, requester, 2, 7, 0), 20000), 7);
  assert_int_equal(answer_of(pending, 0), -1);
  assert_int_equal(toy_number(&toy, SUM), 7);
  toy_stop(&run);
  bus_requester_free(requester);
  toy_teardown(&toy);
}

TEST(a_request_whose_deadline_passes_while_it_waits_for_a_lock_is_not_written)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_requester *requester = requester_for(&toy);
  toy_start_requests(&toy, &run);
  assert_int_equal(answer_of(begin(&toy, requester, 2, 7, 0), 20000), 7);
  toy_execute(&toy, "BEGIN");
  toy_execute(&toy, "LOCK TABLE toy.counters");
  struct bus_pending *pending = begin(&toy, requester, 1, 5, 700);
  toy_await(&toy, "SELECT count(*) FROM pg_locks WHERE NOT granted", 1, 5);
  assert_int_equal(late(), 0);
  toy_sleep_ms(800);
  toy_execute(&toy, "COMMIT");
  await_late(1);
  assert_int_equal(answer_of(pending, 0), -1);
  assert_int_equal(toy_number(&toy, SUM), 7);
  toy_stop(&run);
  bus_requester_free(requester);
  toy_teardown(&toy);
}

/* Neither a retry tier nor a dead queue: who asks gets no answer, and others go on. */
TEST(a_request_that_cannot_be_carried_out_is_dropped_alone)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_requester *requester = requester_for(&toy);
  struct bus_pending *refused[] = {begin(&toy, requester, 1, TOY_REFUSED, 0), begin(&toy, requester, 2, TOY_RETRY, 0),
                                   begin(&toy, requester, 3, TOY_PARK, 0)};
  struct bus_pending *good = begin(&toy, requester, 4, 7, 0);
  toy_start_requests(&toy, &run);
  assert_int_equal(answer_of(good, 20000), 7);
  for (size_t i = 0; i < BUS_COUNT(refused); i++)
    assert_int_equal(answer_of(refused[i], 0), -1);
  assert_int_equal(toy_number(&toy, SUM), 7);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  toy_stop(&run);
  toy_await_depth(&toy, toy.requests, 0, 5);
  bus_requester_free(requester);
  toy_teardown(&toy);
}

#ifdef ORDERBUS_FAILPOINTS

static const char *look_up(void *context, const char *name) {
  return strcmp(name, "BUS_FAILPOINTS") == 0 ? context : NULL;
}

static void arm(const char *points) {
  struct bus_error err;
  char *text = strdup(points);
  if (!bus_failpoints_read(look_up, text, &err))
    fail_msg("%s", err.text);
  free(text);
}

TEST(a_request_whose_commit_is_unknown_is_not_answered)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_requester *requester = requester_for(&toy);
  arm("worker.commit-sent=disconnect@1");
  toy_start_requests(&toy, &run);
  struct bus_pending *unknown = begin(&toy, requester, 1, 5, 0);
  assert_int_equal(answer_of(unknown, 3000), -1);
  int64_t written = toy_number(&toy, SUM); /* 0 or 5 */
  assert_true(written == 0 || written == 5);
  assert_int_equal(answer_of(begin(&toy, requester, 1, 9, 0), 20000), written == 5 ? 5 : 9);
  toy_stop(&run);
  bus_requester_free(requester);
  toy_teardown(&toy);
}

/* As after a crash between COMMIT and answer: the request is redelivered. */
TEST(a_request_that_is_committed_but_not_answered_is_answered_when_it_comes_again)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_requester *requester = requester_for(&toy);
  arm("worker.before-publish=error@1");
  toy_start_requests(&toy, &run);
  assert_int_equal(answer_of(begin(&toy, requester, 1, 5, 20000), 20000), 5);
  assert_int_equal(toy_number(&toy, SUM), 5);
  toy_await(&toy, EVENTS, 0, 10);
  toy_await_depth(&toy, toy.events, 1, 5);
  toy_stop(&run);
  bus_requester_free(requester);
  toy_teardown(&toy);
}

#endif
