/* orderctl audit: the runs of the record, or the lines of one. */
#include "audit.h"
#include "program.h"
#include "story_print.h"

#include <bus/timefmt.h>

#include <inttypes.h>
#include <stdio.h>

enum { RUNS_SHOWN = 20 };

struct showing {
  const struct program *program;
  const struct bus_uuid *run; /* NULL: all */
  struct audit_runs runs;
  int64_t lines; /* of the run */
  bool failed;   /* out of memory */
};

/* ---- one run ---- */

static void print_id(const char *name, const struct bus_uuid *id) {
  char text[BUS_UUID_TEXT];
  if (bus_uuid_is_nil(id))
    return;
  bus_uuid_format(id, text);
  (void)printf(" %s %s", name, text);
}

static void print_line(const struct audit_line *line) {
  char at[BUS_TIME_TEXT];
  bus_time_format(line->at, at);
  (void)printf("%s ", at);
  story_print_text(line->mark.data ? line->mark : line->action);
  print_id("message", &line->message_id);
  print_id("order", &line->order_id);
  print_id("becomes", &line->successor);
  print_id("undoes", &line->undoes);
  if (line->messages != BUS_NO_INT64)
    (void)printf(" %" PRId64 " messages", line->messages);
  if (line->text.data && line->text.len > 0) {
    (void)fputs(": ", stdout);
    story_print_text(line->text);
  }
  (void)putchar('\n');
}

/* ---- all runs ---- */

static void print_run(const struct audit_run *run) {
  char begun[BUS_TIME_TEXT], id[BUS_UUID_TEXT];
  bus_time_format(run->begun, begun);
  bus_uuid_format(&run->run, id);
  (void)printf("%s %s ", begun, id);
  story_print_text(run->action);
  (void)putchar(' ');
  story_print_text(run->queue);
  (void)fputs(" by ", stdout);
  story_print_text(run->operator_name);
  print_id("undoes", &run->undoes);
  (void)printf(": %" PRId64 " of %" PRId64 "; ", run->written, run->chosen);
  story_print_text(run->ended == BUS_NO_TIME ? BUS_STR("it has no end") : run->text);
  (void)putchar('\n');
}

static bool is_asked(const struct program *program, struct bus_str action) {
  return !program->action || bus_str_is(action, program->action);
}

static bool visit(void *context, const struct audit_line *line, struct bus_str raw) {
  struct showing *showing = context;
  const struct program *program = showing->program;
  if (!is_asked(program, line->action) || (showing->run && !bus_uuid_equal(&line->run, showing->run)))
    return true;
  showing->lines++;
  if (program->json)
    (void)printf("%.*s\n", (int)raw.len, raw.data);
  else if (showing->run)
    print_line(line);
  else
    showing->failed = !audit_runs_note(&showing->runs, line);
  return !showing->failed;
}

static void print_runs(const struct showing *showing) {
  const struct audit_runs *runs = &showing->runs;
  int64_t limit = showing->program->limit > 0 ? showing->program->limit : RUNS_SHOWN;
  size_t shown = runs->count < (size_t)limit ? runs->count : (size_t)limit;
  (void)printf("%s: %zu runs", showing->program->audit_file, runs->count);
  if (shown < runs->count)
    (void)printf(", the last %zu", shown);
  if (runs->nameless > 0)
    (void)printf("; %" PRId64 " lines are of no run, of an earlier version", runs->nameless);
  (void)putchar('\n');
  for (size_t i = runs->count - shown; i < runs->count; i++)
    print_run(&runs->runs[i]);
}

static int show(struct showing *showing) {
  const struct program *program = showing->program;
  struct bus_error err;
  int64_t unread;
  if (!audit_each(program->audit_file, visit, showing, &unread, &err))
    return trouble(err.text);
  if (showing->failed)
    return trouble("out of memory for the runs");
  if (unread > 0)
    (void)fprintf(stderr, "orderctl: %s: %" PRId64 " lines are no record of orderctl\n", program->audit_file, unread);
  if (showing->run && showing->lines == 0)
    return trouble("the audit file has no such run; orderctl audit names them");
  if (!showing->run && !program->json)
    print_runs(showing);
  return fflush(stdout) == 0 ? EXIT_FINE : trouble("cannot write the standard output");
}

int run_audit(const struct program *program, int count, char **words) {
  struct bus_uuid run;
  struct showing showing = {.program = program};
  if (count > 1 || (count == 1 && !bus_uuid_parse(bus_str(words[0]), &run)))
    return trouble("audit takes at most one id of a run, a UUID; see --help");
  showing.run = count == 1 ? &run : NULL;
  showing.runs.arena = bus_arena_new(ARENA_LIMIT);
  if (!showing.runs.arena)
    return trouble("out of memory");
  int status = show(&showing);
  bus_arena_free(showing.runs.arena);
  return status;
}
