/* Trip 2: what was decided, the outbox, the inbox rows that are taken back, COMMIT. */
#include "machine.h"

#include "own.h"

#include "../core/utf8.h"

static void add_outbox_row(struct bus_args *args, const struct outgoing *outgoing) {
  const struct bus_envelope *envelope = outgoing->envelope;
  assert(outgoing->body.data && outgoing_messages(outgoing) >= 1);
  char traceparent[BUS_TRACEPARENT_TEXT];
  bus_args_uuid(args, &envelope->message_id);
  bus_args_text(args, envelope->type);
  bus_args_uuid_or_null(args, &envelope->correlation_id);
  bus_args_uuid_or_null(args, &envelope->causation_id);
  if (bus_trace_is_set(&envelope->trace)) {
    bus_trace_format(&envelope->trace, traceparent);
    bus_args_text(args, bus_str(traceparent));
  } else {
    bus_args_null(args);
  }
  bus_args_text_or_null(args, envelope->trace.state);
  bus_args_text(args, outgoing->body);
  bus_args_int64(args, (int64_t)outgoing_messages(outgoing));
}

/* A row an AMQP message, so that the sweeper sends the same bytes under the same ids. */
static void add_outbox(struct bus_pipeline *pipeline, struct bus_sql *sql) {
  const struct outgoings *outgoings = &pipeline->attempt.outgoings;
  struct bus_args *args = NULL;
  for (size_t i = 0; i < outgoings->count; i++) {
    if (outgoings->items[i].kind != BUS_EFFECT_EMIT)
      continue;
    if (!args) {
      args = bus_sql_add_own(sql, OWN_OUTBOX_INSERT);
      bus_args_int64(args, pipeline->setup.settings->outbox_grace_ms);
    }
    add_outbox_row(args, &outgoings->items[i]);
  }
}

/* Text from outside, or cut text, made valid for Postgres. */
static struct bus_str clean(struct bus_arena *arena, struct bus_str text) {
  char *copy = bus_arena_alloc(arena, text.len + 1);
  if (!copy)
    return BUS_STR("");
  if (text.len > 0)
    memcpy(copy, text.data, text.len);
  bus_utf8_clean(copy, text.len, false);
  return (struct bus_str){copy, text.len};
}

/* Made by bus_history_add, so it is clean. */
static struct bus_str history_of(const struct turn *turn, struct bus_arena *arena, struct entry *entry) {
  char text[BUS_HISTORY_MAX];
  size_t len = holds_history(turn, entry, text);
  struct bus_str copy = bus_arena_copy(arena, (struct bus_str){text, len});
  return copy.data ? copy : BUS_STR("");
}

static void add_parked_row(const struct turn *turn, struct bus_arena *arena, struct bus_args *args,
                           struct entry *entry) {
  assert(entry->ruling.verdict == BUS_PARK && entry->ruling.cause.code != BUS_OK);
  bus_args_uuid(args, &entry->envelope.message_id);
  bus_args_text(args, bus_str(turn->setup->service->queues[entry->consumer]));
  bus_args_text(args, clean(arena, entry->envelope.type));
  bus_args_uuid_or_null(args, &entry->envelope.correlation_id);
  bus_args_int64(args, entry->envelope.attempt);
  bus_args_text(args, bus_str(bus_error_name(entry->ruling.cause.code)));
  bus_args_text(args, clean(arena, bus_str(entry->ruling.cause.text)));
  bus_args_text(args, bus_str(setup_version(turn->setup)));
  bus_args_text(args, history_of(turn, arena, entry));
}

static void add_parked(struct bus_pipeline *pipeline, struct bus_sql *sql) {
  const struct attempt *attempt = &pipeline->attempt;
  struct bus_args *args = NULL;
  for (size_t i = 0; i < attempt->count; i++) {
    struct entry *entry = attempt->entries[i];
    if (!entry_is_delivery(entry) || entry->duplicate || entry->ruling.verdict != BUS_PARK ||
        pipeline->turn.takes_requests)
      continue;
    if (!args)
      args = bus_sql_add_own(sql, OWN_PARKED_INSERT);
    add_parked_row(&pipeline->turn, pipeline->work, args, entry);
  }
}

/* Adds a statement over the message ids of some entries. */
static void add_ids(struct bus_sql *sql, size_t statement, struct entry *const *entries, size_t count,
                    bool (*is_meant)(const struct entry *entry)) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < count; i++) {
    if (!is_meant(entries[i]))
      continue;
    if (!args)
      args = bus_sql_add_own(sql, statement);
    bus_args_uuid(args, &entries[i]->envelope.message_id);
  }
}

/* Deliveries that were not processed must not count as processed when they come back. */
static bool is_undone(const struct entry *entry) {
  return entry_is_delivery(entry) && !entry->duplicate && entry->ruling.verdict != BUS_DONE &&
         !BUS_BUG("inbox-row-not-taken-back", "a message that was put off while it was decided keeps its inbox row");
}

static bool is_suspect(const struct entry *entry) {
  return entry->suspect;
}

static bool has_kind(const struct attempt *attempt, enum bus_input_kind kind) {
  for (size_t i = 0; i < attempt->asked_count; i++)
    if (attempt->asked[i]->input.kind == kind)
      return true;
  return false;
}

/* False: out of memory. */
static bool add_all(struct bus_pipeline *pipeline, struct bus_sql *sql) {
  struct attempt *attempt = &pipeline->attempt;
  if (attempt->asked_count > 0 && !pipeline->setup.service->store(attempt->model, sql))
    return false;
  add_outbox(pipeline, sql);
  attempt->wrote = bus_sql_count(sql) > 0;
  ledger_add(&pipeline->ledger, sql, pipeline->turn.now, attempt->count == 0 || machine_is_stopping(pipeline),
             pipeline->batch.bare);
  add_parked(pipeline, sql);
  if (!pipeline->turn.takes_requests)
    add_ids(sql, OWN_INBOX_DELETE, attempt->asked, attempt->asked_count, is_undone);
  add_ids(sql, OWN_SUSPECT_DELETE, attempt->entries, attempt->count, is_suspect);
  (void)bus_sql_add_own(sql, OWN_COMMIT);
  return true;
}

enum next second_trip(struct bus_pipeline *pipeline) {
  struct attempt *attempt = &pipeline->attempt;
  assert(!attempt->second && attempt->outgoings.next == 0);
  struct bus_sql *sql = machine_begin_trip(pipeline);
  attempt->second = true;
  if (!sql || !add_all(pipeline, sql))
    return attempt_no_memory(pipeline, true);
  assert(!attempt->commits);
  attempt->commits = true;
  if (BUS_BUG("publish-before-commit", "messages are published before their COMMIT"))
    publish_early(pipeline);
  struct bus_pipeline_action *action = machine_send(pipeline, sql, BUS_TRIP_2, PHASE_TRIP_2);
  action->trip.deadlines = has_kind(attempt, BUS_INPUT_DEADLINE);
  action->trip.completions = has_kind(attempt, BUS_INPUT_COMPLETION);
  return NEXT_WAIT;
}
