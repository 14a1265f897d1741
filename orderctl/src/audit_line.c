/* The field table of a line, and runs put together of lines. */
#include "audit_line.h"

#include "story.h"

enum { TEXT = 512, TRIES = 64 };

#define TEXT_OF(member, what) BUS_FIELD_STRING(struct audit_line, member, BUS_TEXT, 0, TEXT, BUS_OPTIONAL, what)
#define ID_OF(member, what) BUS_FIELD_UUID(struct audit_line, member, BUS_OPTIONAL, what)

static const struct bus_field try_fields[] = {
    BUS_FIELD_STRING(struct audit_try, line, BUS_TEXT, 0, 2 * TEXT, BUS_REQUIRED,
                     "time, attempt, service, error, cause"),
};
static const struct bus_schema try_schema = BUS_SCHEMA("audit_try", struct audit_try, try_fields);

static const struct bus_field fields[] = {
    BUS_FIELD_TIME(struct audit_line, at, BUS_REQUIRED, "time"),
    TEXT_OF(operator_name, "who: the login, or the one behind sudo"),
    TEXT_OF(action, "verb"),
    ID_OF(run, "the run that it belongs to"),
    ID_OF(undoes, "the run that is undone"),
    TEXT_OF(queue, "work queue"),
    TEXT_OF(mark, "begin or end"),
    ID_OF(message_id, "message"),
    ID_OF(order_id, "its order"),
    ID_OF(successor, "the message that it becomes"),
    ID_OF(causation_id, "the message that caused it"),
    BUS_FIELD_INT64(struct audit_line, messages, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "number of messages"),
    TEXT_OF(text, "how it ended"),
    BUS_FIELD_ARRAY(struct audit_line, tries, try_count, struct audit_try, &try_schema, 0, TRIES, BUS_OPTIONAL,
                    "its failed tries"),
};
static const struct bus_schema schema = BUS_SCHEMA("audit", struct audit_line, fields);

struct audit_line audit_line_none(void) {
  struct audit_line line;
  bus_set_absent(&schema, &line);
  return line;
}

bool audit_line_encode(const struct audit_line *line, struct bus_arena *arena, struct bus_str *ret) {
  return bus_encode(&schema, line, arena, ret);
}

bool audit_line_decode(struct bus_str json, struct bus_arena *arena, struct audit_line *ret) {
  return bus_decode(&schema, json, BUS_IGNORE_UNKNOWN, arena, ret, NULL);
}

/* ---- history ---- */

bool audit_line_set_history(struct audit_line *line, struct bus_str history, struct bus_arena *arena) {
  line->tries = bus_arena_array(arena, TRIES, sizeof *line->tries);
  line->try_count = 0;
  while (line->tries && history.len > 0 && line->try_count < TRIES)
    line->tries[line->try_count++].line = bus_str_cut(&history, '\n');
  return line->tries != NULL;
}

bool audit_line_history(const struct audit_line *line, struct bus_arena *arena, struct bus_str *ret) {
  *ret = BUS_STR("");
  for (size_t i = 0; i < line->try_count; i++) {
    struct bus_str one = line->tries[i].line;
    *ret = bus_arena_printf(arena, "%.*s%s%.*s", (int)ret->len, ret->data, i > 0 ? "\n" : "", (int)one.len, one.data);
    if (!ret->data)
      return false;
  }
  return true;
}

/* ---- runs ---- */

static struct audit_run *find(struct audit_runs *runs, const struct bus_uuid *run) {
  for (size_t i = runs->count; i > 0; i--) /* mostly the last one */
    if (bus_uuid_equal(&runs->runs[i - 1].run, run))
      return &runs->runs[i - 1];
  return NULL;
}

static bool keep(struct audit_runs *runs, struct bus_str text, struct bus_str *ret) {
  *ret = text.data ? bus_arena_copy(runs->arena, text) : BUS_STR("");
  return ret->data != NULL;
}

static struct audit_run *add(struct audit_runs *runs, const struct audit_line *line) {
  struct audit_run *grown = story_grow(runs->arena, runs->runs, runs->count, &runs->room, sizeof *grown);
  if (!grown)
    return NULL;
  runs->runs = grown;
  struct audit_run *run = &grown[runs->count];
  *run = (struct audit_run){
      .run = line->run, .undoes = line->undoes, .begun = line->at, .ended = BUS_NO_TIME, .text = BUS_STR("")};
  if (!keep(runs, line->operator_name, &run->operator_name) || !keep(runs, line->action, &run->action) ||
      !keep(runs, line->queue, &run->queue))
    return NULL;
  runs->count++;
  return run;
}

bool audit_runs_note(struct audit_runs *runs, const struct audit_line *line) {
  if (bus_uuid_is_nil(&line->run)) {
    runs->nameless++;
    return true;
  }
  struct audit_run *run = find(runs, &line->run);
  if (!run && !(run = add(runs, line)))
    return false;
  if (bus_str_is(line->mark, AUDIT_BEGIN))
    run->chosen = line->messages;
  else if (bus_str_is(line->mark, AUDIT_END)) {
    run->ended = line->at;
    return keep(runs, line->text, &run->text);
  } else
    run->written++;
  return true;
}
