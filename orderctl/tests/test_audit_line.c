/* audit_line.c: lines of the record, and the runs that they are of. */
#include "audit_line.h"

#include <test.h>

static struct audit_line line_of(uint8_t run, const char *mark, bus_time at) {
  struct audit_line line = audit_line_none();
  line.at = at * BUS_SECOND;
  line.run.bytes[0] = run;
  line.action = BUS_STR("dead.retry");
  line.queue = BUS_STR("inventory-svc");
  line.operator_name = BUS_STR("ann");
  line.mark = mark ? bus_str(mark) : BUS_NO_STR;
  return line;
}

TEST(a_line_is_read_as_it_was_written)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct audit_line line = line_of(1, NULL, 1), read;
  struct bus_str text, history;
  line.message_id.bytes[3] = 7;
  line.successor.bytes[3] = 8;
  assert_true(audit_line_set_history(&line, BUS_STR("first try\nlast \"try\""), arena));
  assert_true(audit_line_encode(&line, arena, &text));
  assert_null(memchr(text.data, '\n', text.len));
  assert_true(audit_line_decode(text, arena, &read));
  assert_true(bus_uuid_equal(&read.message_id, &line.message_id) && bus_uuid_equal(&read.successor, &line.successor));
  assert_true(bus_uuid_equal(&read.run, &line.run) && bus_uuid_is_nil(&read.undoes));
  assert_true(bus_str_is(read.action, "dead.retry") && !read.mark.data && read.messages == BUS_NO_INT64);
  assert_int_equal(read.at, BUS_SECOND);
  assert_true(audit_line_history(&read, arena, &history));
  assert_true(bus_str_is(history, "first try\nlast \"try\""));
  bus_arena_free(arena);
}

TEST(a_line_of_an_earlier_version_has_no_run)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct audit_line line;
  assert_true(audit_line_decode(BUS_STR("{\"at\":\"2026-03-01T12:00:00.000Z\",\"action\":\"dead.drop\",\"new\":1}"),
                                arena, &line));
  assert_true(bus_uuid_is_nil(&line.run));
  assert_false(audit_line_decode(BUS_STR("{\"action\":\"dead.drop\"}"), arena, &line));
  assert_false(audit_line_decode(BUS_STR("some text"), arena, &line));
  bus_arena_free(arena);
}

TEST(runs_are_put_together_of_lines)
{
  struct audit_runs runs = {.arena = bus_arena_new(1 << 20)};
  struct audit_line begin = line_of(1, AUDIT_BEGIN, 1), end = line_of(1, AUDIT_END, 9), one = line_of(1, NULL, 2),
                    other = line_of(2, AUDIT_BEGIN, 3), nameless = line_of(0, NULL, 4);
  begin.messages = 5;
  end.text = BUS_STR("done");
  other.undoes.bytes[0] = 1;
  assert_true(audit_runs_note(&runs, &begin) && audit_runs_note(&runs, &one) && audit_runs_note(&runs, &other));
  assert_true(audit_runs_note(&runs, &one) && audit_runs_note(&runs, &end) && audit_runs_note(&runs, &nameless));
  assert_int_equal(runs.count, 2);
  assert_int_equal(runs.nameless, 1);
  assert_int_equal(runs.runs[0].chosen, 5);
  assert_int_equal(runs.runs[0].written, 2);
  assert_int_equal(runs.runs[0].begun, BUS_SECOND);
  assert_int_equal(runs.runs[0].ended, 9 * BUS_SECOND);
  assert_true(bus_str_is(runs.runs[0].text, "done") && bus_str_is(runs.runs[0].operator_name, "ann"));
  assert_int_equal(runs.runs[1].ended, BUS_NO_TIME);
  assert_true(bus_uuid_equal(&runs.runs[1].undoes, &runs.runs[0].run));
  for (int i = 0; i < 200; i++) {
    struct audit_line many = line_of((uint8_t)(3 + i), AUDIT_BEGIN, 5);
    assert_true(audit_runs_note(&runs, &many));
  }
  assert_int_equal(runs.count, 202);
  assert_true(bus_uuid_equal(&runs.runs[0].run, &begin.run));
  bus_arena_free(runs.arena);
}
