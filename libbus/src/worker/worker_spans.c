/* Spans of a worker, by OpenTelemetry's conventions for messaging and databases: of each message, and of each
 * transaction. */
#include "worker_internal.h"

#include <bus/clock.h>

/* The span that serves several is the child of the first, and has links to the others. */
enum { SERVED_MAX = 1 + BUS_SPAN_LINKS_MAX, SQLSTATE_LEN = 5 };

static void end_now(struct bus_span *span, int64_t duration) {
  span->ended = bus_wall_clock();
  span->began = span->ended - duration;
}

static void draw_id(struct bus_worker *worker, uint8_t id[8]) {
  uint64_t random = bus_uuid_source_random(&worker->ids) | 1; /* not zero */
  memcpy(id, &random, sizeof random);
}

/* ---- messages ---- */

static void add_uuid(struct bus_span *span, const char *key, const struct bus_uuid *id) {
  char text[BUS_UUID_TEXT];
  if (bus_uuid_is_nil(id))
    return;
  bus_uuid_format(id, text);
  bus_span_add_text(span, key, bus_str(text));
}

static void describe_message(const struct bus_worker *worker, struct bus_span *span,
                             const struct bus_processed *processed) {
  const struct bus_envelope *envelope = processed->envelope;
  bus_span_set_name(span, "process %.*s", (int)envelope->type.len, envelope->type.data ? envelope->type.data : "");
  bus_span_add_text(span, "messaging.system", BUS_STR("rabbitmq"));
  bus_span_add_text(span, "messaging.operation.type", BUS_STR("process"));
  bus_span_add_text(span, "messaging.destination.name", bus_str(worker->service->queues[processed->queue]));
  add_uuid(span, "messaging.message.id", &envelope->message_id);
  add_uuid(span, bus_topology_correlation(worker->topology), &envelope->correlation_id);
  if (processed->bundled > 0)
    bus_span_add_int(span, "messaging.batch.message_count", (int64_t)processed->bundled);
  if (envelope->attempt > 0)
    bus_span_add_int(span, "bus.attempt", envelope->attempt);
  if (envelope->redelivered)
    bus_span_add_bool(span, "bus.redelivered", true);
}

/* A message is done once under the id that its effects name; each other try has an id of its own. */
static void describe_outcome(struct bus_worker *worker, struct bus_span *span, enum bus_message_outcome outcome,
                             const struct bus_error *cause) {
  bus_span_add_text(span, "bus.outcome", bus_str(metrics_outcome_name(outcome)));
  if (outcome == BUS_MESSAGE_DONE)
    return;
  draw_id(worker, span->span_id);
  if (outcome == BUS_MESSAGE_RETRIED || outcome == BUS_MESSAGE_PARKED)
    bus_span_fail(span, bus_str(cause ? bus_error_name(cause->code) : NULL));
}

/* Frames of their own: a worker without a tracer does not touch a span's bytes of its stack. */
__attribute__((noinline)) static void record_message(struct bus_worker *worker,
                                                     const struct bus_pipeline_action *action) {
  struct bus_processed processed;
  struct bus_span span;
  if (!bus_pipeline_processed(action, &processed))
    return;
  bus_span_init(&span, BUS_SPAN_CONSUMER, &processed.envelope->trace, processed.parent_id);
  end_now(&span, action->message.duration);
  describe_message(worker, &span, &processed);
  describe_outcome(worker, &span, action->message.outcome, processed.cause);
  bus_tracer_record(worker->settings.tracer, &span);
}

void spans_message(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  if (worker->settings.tracer)
    record_message(worker, action);
}

/* ---- transactions ---- */

/* "SQLSTATE 23505: …" is how bus_pg begins what the server refused. */
static struct bus_str error_type(const struct bus_error *error) {
  struct bus_str text = bus_str(error->text);
  if (bus_str_cut_start(&text, "SQLSTATE ") && text.len > SQLSTATE_LEN && text.data[SQLSTATE_LEN] == ':')
    return (struct bus_str){text.data, SQLSTATE_LEN};
  return bus_str(bus_error_name(error->code));
}

static void describe_batch(const struct bus_worker *worker, struct bus_span *span,
                           const struct bus_pipeline_action *action) {
  const char *operation = worker->service->store ? "transaction" : "query", *database = worker->database.name;
  bus_span_set_name(span, "%s %s", operation, database);
  bus_span_add_text(span, "db.system.name", BUS_STR("postgresql"));
  bus_span_add_text(span, "db.namespace", bus_str(database));
  bus_span_add_text(span, "db.operation.name", bus_str(operation));
  bus_span_add_int(span, "db.operation.batch.size", (int64_t)action->batch.size);
  if (action->batch.error)
    bus_span_fail(span, error_type(action->batch.error));
}

/* Without a trip no time has passed: a query that needs no database, or a database that is away. */
__attribute__((noinline)) static void record_batch(struct bus_worker *worker,
                                                   const struct bus_pipeline_action *action) {
  struct bus_span_link served[SERVED_MAX];
  struct bus_span span;
  struct bus_trace own = {.flags = 0};
  size_t count = action->batch.duration > 0 ? bus_pipeline_served(action, served, SERVED_MAX) : 0;
  if (count == 0)
    return;
  memcpy(own.trace_id, served[0].trace_id, sizeof own.trace_id);
  draw_id(worker, own.span_id);
  bus_span_init(&span, BUS_SPAN_CLIENT, &own, served[0].span_id);
  end_now(&span, action->batch.duration);
  describe_batch(worker, &span, action);
  bus_span_add_links(&span, served + 1, (count < SERVED_MAX ? count : SERVED_MAX) - 1, count - 1);
  bus_tracer_record(worker->settings.tracer, &span);
}

void spans_batch(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  if (worker->settings.tracer)
    record_batch(worker, action);
}
