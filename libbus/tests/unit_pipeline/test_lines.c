/* The printed table of phases and events, and the lines of single messages. */
#include "machine.h"
#include "machine_rig.h"

#include <test.h>

#include <stdio.h>
#include <stdlib.h>

/* ---- the table ---- */

static void append(void *context, const char *text) {
  fputs(text, context);
}

static size_t times(const char *text, const char *part) {
  size_t count = 0;
  for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
    count++;
  return count;
}

TEST(the_table_has_a_row_for_each_phase_and_names_what_is_the_same_in_all)
{
  char *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  assert_non_null(file);
  bus_pipeline_print(append, file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(times(text, "\n| "), PHASES);
  assert_memory_equal(text, "| phase | tick |", 16);
  assert_non_null(strstr(text, "\n|---|---|"));
  assert_non_null(strstr(text, "\n| trip 2 | watch the time | publish, settle | roll back | cannot come |\n"));
  assert_non_null(strstr(text, "\n| draining | drain |"));
  assert_non_null(strstr(text, "\nIn every phase: delivery: keep; confirm: settle;"));
  free(text);
}

/* ---- lines ---- */

static char said[4096];

static void say(const char *text) {
  size_t len = strlen(said);
  assert_in_range(snprintf(said + len, sizeof said - len, "%s", text), 0, sizeof said - len - 1);
}

static bool is_shown(const char *name) {
  return strcmp(name, "verdict") == 0 || strcmp(name, "input") == 0 || strcmp(name, "why") == 0;
}

static void note(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context;
  say(msg);
  say(level == BUS_DEBUG ? "" : "!");
  for (; fields->kind != BUS_LOG_END; fields++)
    if (fields->text.len > 0 && is_shown(fields->name)) {
      say(" ");
      say(fields->text.data);
    }
  say("\n");
}

static struct machine *talking(void) {
  struct machine *machine = machine_new();
  said[0] = '\0';
  machine->pipeline->setup.log = (struct bus_pipeline_log){.write = note, .debug = true};
  machine_connect(machine);
  said[0] = '\0';
  return machine;
}

TEST(parts_of_a_batch_that_roll_back_are_lines)
{
  struct machine *machine = talking();
  machine_deliver(machine, 1, 1);
  machine_deliver(machine, 2, 2);
  machine_tick(machine, 0);
  for (int i = 0; i < 2; i++) { /* all, and the first half */
    machine_failed(machine, BUS_E_DB_DATA, true, false);
    machine_done(machine, NULL, 0);
    assert_int_equal(times(said, "batch rolled back!"), 1); /* the whole one is a warning */
  }
  assert_int_equal(times(said, "batch rolled back"), 2);
  machine_free(machine);
}

/* Ticks until something is published, and answers the trips of periodics. */
static const struct bus_pipeline_action *next_publication(struct machine *machine) {
  const struct bus_pipeline_action *publish = machine_action(machine, BUS_DO_PUBLISH, 0);
  for (int i = 0; i < 20 && !publish; i++) {
    const struct bus_pipeline_action *trip = machine_action(machine, BUS_DO_TRIP, 0);
    if (trip && trip->trip.purpose == BUS_TRIP_2)
      machine_committed(machine);
    else if (trip)
      machine_done(machine, NULL, 0);
    else
      machine_tick(machine, 100 * BUS_MILLISECOND);
    publish = machine_action(machine, BUS_DO_PUBLISH, 0);
  }
  return publish;
}

/* Its dead queue is gone: it is published again each second, and one line in ten seconds says so. */
TEST(a_held_message_that_no_queue_takes_is_a_line_now_and_then)
{
  const uint8_t none = 0;
  struct machine *machine = talking();
  machine->body = BUS_STR("{\"n\":1000}");
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_done(machine, &none, 0);
  machine_committed(machine);
  for (int64_t began = machine->now; machine->now < began + 12 * BUS_SECOND;) {
    const struct bus_pipeline_action *publish = next_publication(machine);
    assert_non_null(publish);
    const struct bus_uuid id = publish->publish.publication.envelope->message_id;
    uint64_t seq = publish->publish.seq;
    assert_int_equal(publish->publish.kind, BUS_SENT_HELD);
    machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_RETURNED, .returned = &id});
    machine_confirm(machine, seq, true);
    size_t lines = machine->now < began + 10 * BUS_SECOND ? 1 : 2;
    assert_int_equal(times(said, "retry or dead queue does not take a message"), lines);
  }
  assert_int_equal(times(said, "acks wait behind it! returned\n"), 2);
  assert_null(machine_action(machine, BUS_DO_ACK, 0));
  machine_free(machine);
}

TEST(a_held_message_that_its_queue_nacks_is_a_line_that_says_so)
{
  struct machine *machine = talking();
  machine->body = BUS_STR("{\"n\":1000}");
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  machine_confirm(machine, 1, false);
  assert_int_equal(times(said, "acks wait behind it! nacked\n"), 1);
  machine_free(machine);
}

TEST(each_step_of_a_message_is_a_line)
{
  static const uint8_t first[] = {1};
  struct machine *machine = talking();
  const int64_t done = 1;
  machine_deliver(machine, 1, 1);
  machine_deliver(machine, 2, 2);
  assert_true(bus_pipeline_push(machine->pipeline, BUS_INPUT_COMPLETION, &done, sizeof done));
  machine_tick(machine, 0);
  machine_done(machine, first, 1);
  machine_committed(machine);
  assert_string_equal(said, "message received\nmessage received\nmessage decided done\nmessage decided duplicate\n"
                            "message decided a completed call done\nmessage published\n");
  machine_free(machine);
}
