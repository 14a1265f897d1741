/* bus/trace.h: W3C traceparent, its refusals, children. */
#include <bus/trace.h>

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
  assert_memory_equal(&a, &again, sizeof a);
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
