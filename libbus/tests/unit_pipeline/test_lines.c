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
  assert_non_null(strstr(text, "\nIn every phase: delivery: keep; confirm: settle;"));
  free(text);
}

/* ---- lines ---- */

static char said[4096];

static void note(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context;
  assert_true(strlen(said) + strlen(msg) + 16 < sizeof said);
  strcat(strcat(said, msg), level == BUS_DEBUG ? "" : "!");
  for (; fields->kind != BUS_LOG_END; fields++)
    if (fields->text.len > 0 && (strcmp(fields->name, "verdict") == 0 || strcmp(fields->name, "input") == 0))
      strcat(strcat(said, " "), fields->text.data);
  strcat(said, "\n");
}

static struct machine *talking(void) {
  struct machine *machine = machine_new();
  said[0] = '\0';
  machine->pipeline->setup.log = (struct bus_pipeline_log){.write = note, .debug = true};
  machine_connect(machine);
  said[0] = '\0';
  return machine;
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
