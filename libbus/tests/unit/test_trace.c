/* bus/trace.h: W3C traceparent, its refusals, children. */
#include <bus/trace.h>

#include <stdio.h>

#include "test.h"

static const char good[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static void source_for(struct bus_uuid_source *source) {
  static const uint64_t seed[4] = {11, 12, 13, 14};
  bus_uuid_source_init(source, seed);
}

TEST(trace_text_round_trip)
{
  struct bus_trace trace;
  char text[BUS_TRACEPARENT_TEXT], id[BUS_TRACE_ID_TEXT];
  assert_true(bus_trace_parse(bus_str(good), &trace));
  assert_true(bus_trace_is_set(&trace));
  bus_trace_format(&trace, text);
  assert_string_equal(text, good);
  bus_trace_id_format(&trace, id);
  assert_string_equal(id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(trace_malformed_is_refused)
{
  static const char *const refused[] = {
      "",
      "00",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067aa0ba902b7-01",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bx-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
      "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
      " 0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-\r\n",
  };
  struct bus_trace trace = {.flags = 77};
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    if (bus_trace_parse(bus_str(refused[i]), &trace))
      fail_msg("taken: %s", refused[i]);
    assert_int_equal(trace.flags, 77);
  }
  assert_false(bus_trace_parse(BUS_NO_STR, &trace));
}

TEST(trace_later_version_is_read_by_its_first_fields)
{
  struct bus_trace trace;
  char text[BUS_TRACEPARENT_TEXT];
  assert_true(bus_trace_parse(BUS_STR("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &trace));
  assert_true(bus_trace_parse(BUS_STR("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"), &trace));
  bus_trace_format(&trace, text);
  assert_string_equal(text, good); /* written as the version that we know */
}

TEST(trace_unknown_flags_are_not_passed_on)
{
  struct bus_trace trace;
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff"), &trace));
  assert_int_equal(trace.flags, 1);
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), &trace));
  assert_int_equal(trace.flags, 0);
}

TEST(trace_unset)
{
  struct bus_trace trace = {.span_id = {1}};
  assert_false(bus_trace_is_set(&trace));
  assert_false(bus_trace_is_set(NULL));
  trace.trace_id[15] = 1;
  assert_true(bus_trace_is_set(&trace));
}

TEST(trace_start_is_sampled_and_new)
{
  struct bus_uuid_source source;
  struct bus_trace a, b, again;
  char text[BUS_TRACEPARENT_TEXT];
  source_for(&source);
  bus_trace_start(&source, &a);
  bus_trace_start(&source, &b);
  assert_int_equal(a.flags, 1);
  assert_memory_not_equal(a.trace_id, b.trace_id, 16);
  bus_trace_format(&a, text);
  assert_true(bus_trace_parse(bus_str(text), &again));
  assert_memory_equal(&a, &again, offsetof(struct bus_trace, state));
}

TEST(trace_child_keeps_trace_and_flags)
{
  struct bus_uuid_source source;
  struct bus_trace parent, child;
  source_for(&source);
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), &parent));
  bus_trace_child(&parent, &source, &child);
  assert_memory_equal(parent.trace_id, child.trace_id, 16);
  assert_memory_not_equal(parent.span_id, child.span_id, 8);
  assert_int_equal(child.flags, 0);
  struct bus_trace self = parent;
  bus_trace_child(&self, &source, &self);
  assert_memory_equal(parent.trace_id, self.trace_id, 16);
  assert_memory_not_equal(parent.span_id, self.span_id, 8);
}

TEST(trace_child_of_none_is_a_new_trace)
{
  struct bus_uuid_source source;
  struct bus_trace unset = {.flags = 0}, child;
  source_for(&source);
  bus_trace_child(NULL, &source, &child);
  assert_true(bus_trace_is_set(&child));
  bus_trace_child(&unset, &source, &child);
  assert_true(bus_trace_is_set(&child));
  assert_int_equal(child.flags, 1);
}

/* ---- tracestate ---- */

static struct bus_trace with_state(const char *tracestate) {
  struct bus_trace trace;
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &trace));
  bus_trace_set_state(&trace, bus_str(tracestate));
  return trace;
}

TEST(tracestate_is_kept_byte_for_byte)
{
  static const char *const texts[] = {"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
                                      "a=1",
                                      "a=1, b=2\t,\tc=3",
                                      ",a=1,,b=2,",
                                      "fw529a3039@dt=FfAaBb;key:val",
                                      "0tenant@sys=x",
                                      "a_-*/9=!\"#$%&'()*+-./:;<>?@[]^_`{|}~ x"};
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    assert_string_equal(with_state(texts[i]).state.data, texts[i]);
}

TEST(tracestate_that_is_malformed_is_dropped_whole)
{
  static const char *const bad[] = {
      "",      ",",      " ",          "a",    "a=",   "=1",      "A=1",  "a=1,b",       "a=1 ,b=2,a=3",
      "a=b=c", "a=\x7f", "a=\xc3\xa9", "@b=1", "a@=1", "a@b@c=1", "1a=1", "a=1\r\nx: y", "a@systemnamethatistoolong=1"};
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (with_state(bad[i]).state.data)
      fail_msg("kept: %s", bad[i]);
}

TEST(tracestate_is_bounded_by_members_and_characters)
{
  char text[1024] = "";
  for (int i = 0; i < 32; i++)
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%sk%d=v", i ? "," : "", i);
  assert_string_equal(with_state(text).state.data, text);
  (void)snprintf(text + strlen(text), sizeof text - strlen(text), ",k32=v");
  assert_null(with_state(text).state.data);
  (void)snprintf(text, sizeof text, "a=%0253d,b=%0254d", 1, 2); /* 255 + 1 + 256 characters */
  assert_int_equal(strlen(text), BUS_TRACESTATE_MAX);
  assert_string_equal(with_state(text).state.data, text);
  (void)snprintf(text, sizeof text, "a=%0253d,b=%0255d", 1, 2);
  assert_null(with_state(text).state.data);
  (void)snprintf(text, sizeof text, "a=%0257d", 1);
  assert_null(with_state(text).state.data);
}

TEST(tracestate_without_a_trace_means_nothing)
{
  struct bus_trace unset = {.flags = 0};
  bus_trace_set_state(&unset, BUS_STR("a=1"));
  assert_null(unset.state.data);
}

TEST(tracestate_goes_on_to_a_child_and_not_to_a_new_trace)
{
  struct bus_uuid_source source;
  struct bus_trace parent = with_state("a=1"), child;
  source_for(&source);
  bus_trace_child(&parent, &source, &child);
  assert_string_equal(child.state.data, "a=1");
  bus_trace_start(&source, &child);
  assert_null(child.state.data);
}

/* How many of the new traces are sampled. */
static int sampled(int64_t of_a_million, int traces) {
  struct bus_uuid_source source;
  int count = 0;
  source_for(&source);
  for (int i = 0; i < traces; i++) {
    struct bus_trace trace;
    bus_trace_start(&source, &trace);
    bus_trace_sample(&trace, of_a_million);
    count += bus_trace_is_sampled(&trace);
  }
  return count;
}

TEST(new_traces_are_sampled_at_the_rate)
{
  assert_int_equal(sampled(0, 1000), 0);
  assert_int_equal(sampled(1000000, 1000), 1000);
  assert_in_range(sampled(250000, 20000), 4700, 5300);
  assert_in_range(sampled(10000, 20000), 140, 260);
}

TEST(the_end_of_the_trace_id_decides)
{
  struct bus_trace trace = {.trace_id = {1}, .flags = 1};
  memset(trace.trace_id + 9, 0x80, 7); /* just above the half */
  bus_trace_sample(&trace, 500000);
  assert_true(bus_trace_is_sampled(&trace));
  bus_trace_sample(&trace, 490000);
  assert_false(bus_trace_is_sampled(&trace));
  memset(trace.trace_id + 9, 0xFF, 7);
  bus_trace_sample(&trace, 0);
  assert_false(bus_trace_is_sampled(&trace));
  bus_trace_sample(&trace, 1);
  assert_true(bus_trace_is_sampled(&trace));
}

TEST(the_span_of_a_message_follows_from_message_and_queue)
{
  static const struct bus_uuid id = {{1, 2, 3}}, other_id = {{1, 2, 4}};
  static const char long_name[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
  struct bus_trace trace, again, other;
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &trace));
  again = other = trace;
  again.span_id[0] = 0xFF; /* whoever sent it this time */
  bus_trace_process(&trace, &id, "order-svc");
  bus_trace_process(&again, &id, "order-svc");
  assert_memory_equal(&trace, &again, sizeof trace);
  assert_memory_equal(trace.trace_id, other.trace_id, sizeof trace.trace_id);
  assert_memory_not_equal(trace.span_id, other.span_id, sizeof trace.span_id);
  bus_trace_process(&other, &other_id, "order-svc");
  assert_memory_not_equal(trace.span_id, other.span_id, sizeof trace.span_id);
  bus_trace_process(&other, &id, "order-svc.place");
  assert_memory_not_equal(trace.span_id, other.span_id, sizeof trace.span_id);
  bus_trace_process(&other, &id, long_name);
}
