/* orderctl outbox: what each service has still to publish, and what it waits for. */
#include "outbox_plan.h"
#include "program.h"
#include "story_print.h"
#include "story_rows.h"
#include "story_statements.h"
#include "verdict.h"

#include <bus/timefmt.h>

#include <inttypes.h>
#include <stdio.h>

struct asking {
  struct outbox *outbox;
  struct bus_arena *arena;
  bool failed; /* out of memory */
};

static void ask(void *context, struct bus_sql *sql) {
  (void)context;
  (void)bus_sql_add(sql, OUTBOX_SQL_NOW);
  (void)bus_sql_add(sql, OUTBOX_SQL_GROUPS);
}

static void take(void *context, size_t index, const struct bus_rows *rows) {
  struct asking *asking = context;
  struct outbox *outbox = asking->outbox;
  void *groups = outbox->groups;
  if (index == OUTBOX_SQL_NOW) {
    outbox->now = bus_rows_time(rows, 0, 0);
    return;
  }
  asking->failed =
      !story_rows_append(&outbox_group_schema, rows, STORY_PLACES, asking->arena, &groups, &outbox->group_count);
  outbox->groups = groups;
}

/* False: out of memory. */
static bool read_outbox(const struct program *program, struct story_places *places, int service, struct outbox *ret) {
  struct asking asking = {.outbox = ret, .arena = places->arena};
  const struct bus_reader_calls calls = {ask, take, &asking};
  struct bus_reader *reader = NULL;
  struct bus_error problem;
  *ret = (struct outbox){.service = outbox_services[service], .now = BUS_NO_TIME, .consumers = BUS_NO_INT64};
  story_reader_open(&program->settings, program->outbox_urls[service], &outbox_statements, &reader, &problem);
  if (problem.code != BUS_OK || !bus_reader_run(reader, places->arena, &calls, &problem))
    ret->problem = bus_arena_copy(places->arena, bus_str(problem.text));
  bus_reader_free(reader);
  for (size_t i = 0; i < places->queue_count; i++)
    if (bus_str_is(places->queues[i].name, ret->service))
      ret->consumers = places->queues[i].consumers;
  outbox_judge(ret, &ret->verdict);
  return !asking.failed && (problem.code == BUS_OK || ret->problem.data);
}

/* ---- printing ---- */

static void print_row(const struct outbox_group *group) {
  char oldest[BUS_TIME_TEXT], next[BUS_TIME_TEXT];
  bus_time_format(group->oldest_at, oldest);
  bus_time_format(group->next_at, next);
  (void)printf("  %6" PRId64 "  ", group->rows);
  story_print_text(group->type);
  (void)printf(": %" PRId64 " due, %" PRId64 " claimed, %" PRId64 " unroutable, sent again up to %" PRId64
               " times, since %s, next at %s\n",
               group->due, group->claimed, group->unroutable, group->attempts, oldest, next);
}

static bool print_outbox(const struct program *program, const struct outbox *outbox, struct bus_arena *arena) {
  struct bus_str text;
  if (program->json)
    return outbox_encode(outbox, arena, &text) && printf("%.*s\n", (int)text.len, text.data) > 0;
  (void)printf("%s: ", outbox->service);
  story_print_verdict(&outbox->verdict);
  for (size_t i = 0; i < outbox->group_count; i++)
    print_row(&outbox->groups[i]);
  return true;
}

/* ---- the verb ---- */

static int status_after(const struct outbox *outbox, int status) {
  if (outbox->problem.data || status == EXIT_TROUBLE)
    return EXIT_TROUBLE;
  return verdict_needs_action(&outbox->verdict) ? EXIT_ACT : status;
}

static int print_all(const struct program *program, struct story_places *places, const bool chosen[OUTBOXES]) {
  int status = EXIT_FINE;
  struct outbox outbox;
  if (places->problems[STORY_BROKER].code != BUS_OK)
    (void)fprintf(stderr, "orderctl: broker: %s\n", places->problems[STORY_BROKER].text);
  for (int service = 0; service < OUTBOXES; service++) {
    if (!chosen[service])
      continue;
    if (!read_outbox(program, places, service, &outbox))
      return trouble("out of memory for an outbox");
    if (!print_outbox(program, &outbox, places->arena))
      return trouble("cannot write the standard output");
    status = status_after(&outbox, status);
  }
  return fflush(stdout) == 0 ? status : trouble("cannot write the standard output");
}

static bool choose(const char *name, bool chosen[OUTBOXES]) {
  for (int service = 0; service < OUTBOXES; service++)
    if (strcmp(outbox_services[service], name) == 0)
      return chosen[service] = true;
  (void)fprintf(stderr, "orderctl: no service %s has an outbox; choose from:", name);
  for (int service = 0; service < OUTBOXES; service++)
    (void)fprintf(stderr, " %s", outbox_services[service]);
  (void)fputc('\n', stderr);
  return false;
}

int run_outbox(const struct program *program, int count, char **words) {
  struct story_places places;
  struct bus_error err;
  bool chosen[OUTBOXES];
  for (int service = 0; service < OUTBOXES; service++)
    chosen[service] = count == 0;
  for (int i = 0; i < count; i++)
    if (!choose(words[i], chosen))
      return EXIT_TROUBLE;
  struct story_settings broker_alone = {.broker = program->settings.broker};
  if (!story_places_open(&broker_alone, STORY_NO_DEAD, &places, &err))
    return trouble(err.text);
  int status = print_all(program, &places, chosen);
  story_places_close(&places);
  return status;
}
