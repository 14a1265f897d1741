/* probe.c: the sentence of a probe, and its JSON. */
#include "probe.h"

#include "verdict.h"

#include <stdio.h>
#include <test.h>

static struct probe good(void) {
  struct probe probe;
  probe_begin(&probe);
  (void)snprintf(probe.node, sizeof probe.node, "mq:5672");
  (void)snprintf(probe.version, sizeof probe.version, "3.10.8");
  (void)snprintf(probe.slowest_queue, sizeof probe.slowest_queue, "order-svc");
  probe.connected = 12300;
  probe.round_trip = 400;
  probe.returned = 500;
  probe.confirmed = 1600;
  probe.queues = 4;
  probe.slowest = 900;
  return probe;
}

static void assert_judged(const struct probe *probe, enum story_code code, const char *text, bool needs_action) {
  struct story_verdict verdict;
  probe_judge(probe, &verdict);
  assert_string_equal(verdict.text, text);
  assert_int_equal(verdict.code, code);
  assert_int_equal(verdict_needs_action(&verdict), needs_action);
}

TEST(a_node_that_takes_messages_says_how_fast)
{
  struct probe probe = good();
  assert_judged(
      &probe, STORY_DONE,
      "takes messages: connected in 12.3 ms, round trip in 0.4 ms, return in 0.5 ms, confirm in 1.6 ms; 4 queues "
      "answered, the slowest, order-svc, in 0.9 ms",
      false);
}

TEST(an_alarm_comes_before_what_it_causes)
{
  struct probe probe = good();
  probe.confirmed = BUS_NO_INT64;
  (void)snprintf(probe.alarm, sizeof probe.alarm, "low on memory");
  (void)bus_fail(&probe.problem, BUS_E_TIMEOUT, "no confirm");
  assert_judged(&probe, STORY_PAUSED, "takes no messages, it blocks publishers: low on memory", true);
}

TEST(a_fault_is_told_by_how_far_the_probe_came)
{
  struct probe probe;
  probe_begin(&probe);
  (void)bus_fail(&probe.problem, BUS_E_AMQP_CONNECTION, "refused");
  assert_judged(&probe, STORY_UNREACHABLE, "nobody can log in: refused", true);
  probe.connected = 1;
  assert_judged(&probe, STORY_UNPUBLISHED, "takes no message: refused", true);
  (void)bus_fail(&probe.problem, BUS_E_TOPOLOGY, "no queue order-svc");
  assert_judged(&probe, STORY_UNROUTABLE, "an exchange or queue does not answer: no queue order-svc", true);
}

TEST(a_probe_is_one_object_of_json)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct probe probe = good();
  struct story_verdict verdict;
  struct bus_str text;
  probe_judge(&probe, &verdict);
  assert_true(probe_encode(&probe, &verdict, arena, &text));
  assert_non_null(strstr(text.data, "{\"node\":\"mq:5672\",\"verdict\":{\"code\":\"done\""));
  assert_non_null(strstr(text.data,
                         "\"product\":null,\"version\":\"3.10.8\",\"cluster\":null,\"connected\":12300,"
                         "\"round_trip\":400,\"returned\":500,\"confirmed\":1600,\"queues\":4,\"slowest\":900,"
                         "\"slowest_queue\":\"order-svc\",\"alarm\":null}"));
  bus_arena_free(arena);
}
