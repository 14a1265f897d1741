/* Metrics of a worker: batches, messages by type and outcome, publishes, confirms, the outbox. */
#include "worker_internal.h"

#include <bus/metrics.h>

#include <stdlib.h>

enum { TYPES_MAX = 64, OUTCOMES = 4, BATCH_OUTCOMES = BATCH_FAULT + 1, EXCHANGES = BUS_EXCHANGE_BACK };

struct worker_metrics {
  struct bus_series *batches[BATCH_OUTCOMES], *batch_size, *batch_duration;
  struct bus_metric *messages;
  struct {
    const struct bus_message_type *type;
    struct bus_series *series[OUTCOMES];
  } types[TYPES_MAX];
  struct bus_series *published[EXCHANGES], *confirmed, *nacked, *returned, *swept, *answers_dropped;
  struct bus_series *outbox_depth, *outbox_age, *outbox_unroutable, *held, *stalled, *reconnects_broker,
      *reconnects_database;
};

static const double size_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
static const double duration_bounds[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5};
static const char *const batch_outcome_names[] = {"committed", "conflict", "data", "lost", "other", "fault"};
static const char *const message_outcome_names[] = {"done", "retried", "parked", "duplicate", "late"};

static struct bus_series *series(const struct bus_metric_spec *spec, const char *a, const char *b, const char *c) {
  const char *const values[] = {a, b, c};
  return bus_metric_series(bus_metric_register(spec), values);
}

static void register_batches(struct worker_metrics *metrics, const char *worker) {
  static const struct bus_metric_spec batches = {.name = "bus_batches_total",
                                                 .help = "Transactions that a worker ran, by outcome.",
                                                 .kind = BUS_COUNTER,
                                                 .labels = {"worker", "outcome"}};
  static const struct bus_metric_spec size = {.name = "bus_batch_size",
                                              .help = "Inputs in a committed batch.",
                                              .kind = BUS_HISTOGRAM,
                                              .labels = {"worker"},
                                              .bounds = size_bounds,
                                              .bound_count = BUS_COUNT(size_bounds)};
  static const struct bus_metric_spec duration = {.name = "bus_batch_duration_seconds",
                                                  .help = "From BEGIN to COMMIT of a committed batch.",
                                                  .kind = BUS_HISTOGRAM,
                                                  .labels = {"worker"},
                                                  .bounds = duration_bounds,
                                                  .bound_count = BUS_COUNT(duration_bounds),
                                                  .scale = 1e-6};
  for (size_t i = 0; i < BATCH_OUTCOMES; i++)
    metrics->batches[i] = series(&batches, worker, batch_outcome_names[i], NULL);
  metrics->batch_size = series(&size, worker, NULL, NULL);
  metrics->batch_duration = series(&duration, worker, NULL, NULL);
}

static void register_publishing(struct worker_metrics *metrics) {
  static const struct bus_metric_spec published = {.name = "bus_published_total",
                                                   .help = "Messages written to the broker, by exchange.",
                                                   .kind = BUS_COUNTER,
                                                   .labels = {"exchange"}};
  static const struct bus_metric_spec confirms = {.name = "bus_confirms_total",
                                                  .help = "Publisher confirms, by outcome.",
                                                  .kind = BUS_COUNTER,
                                                  .labels = {"outcome"}};
  static const struct bus_metric_spec swept = {
      .name = "bus_outbox_swept_total", .help = "Outbox rows that the sweeper published again.", .kind = BUS_COUNTER};
  static const struct bus_metric_spec dropped = {
      .name = "bus_answers_dropped_total",
      .help = "Answers that were not sent: reply_to was no address of the user that asked.",
      .kind = BUS_COUNTER};
  for (size_t i = 0; i < EXCHANGES; i++)
    metrics->published[i] = series(&published, bus_exchange_name((enum bus_exchange)i), NULL, NULL);
  metrics->confirmed = series(&confirms, "confirmed", NULL, NULL);
  metrics->nacked = series(&confirms, "nacked", NULL, NULL);
  metrics->returned = series(&confirms, "returned", NULL, NULL);
  metrics->swept = series(&swept, NULL, NULL, NULL);
  metrics->answers_dropped = series(&dropped, NULL, NULL, NULL);
}

static void register_links(struct worker_metrics *metrics) {
  static const struct bus_metric_spec depth = {
      .name = "bus_outbox_depth", .help = "Rows in the outbox; 10001 stands for more.", .kind = BUS_GAUGE};
  static const struct bus_metric_spec age = {.name = "bus_outbox_oldest_age_seconds",
                                             .help = "Age of the oldest row in the outbox.",
                                             .kind = BUS_GAUGE,
                                             .scale = 1e-6};
  static const struct bus_metric_spec unroutable = {
      .name = "bus_outbox_unroutable",
      .help = "Rows of the outbox that the broker returned: no queue is bound; 10001 stands for more.",
      .kind = BUS_GAUGE};
  static const struct bus_metric_spec held = {
      .name = "bus_held_messages",
      .help = "Messages to retry or to park that the broker has not taken yet; they hold up the acks behind them.",
      .kind = BUS_GAUGE};
  static const struct bus_metric_spec stalled = {
      .name = "bus_stalled_workers",
      .help = "Worker threads none of whose transactions commit: their messages stay unacked and are tried again.",
      .kind = BUS_GAUGE};
  static const struct bus_metric_spec reconnects = {
      .name = "bus_reconnects_total", .help = "Lost or failed connections.", .kind = BUS_COUNTER, .labels = {"link"}};
  metrics->outbox_depth = series(&depth, NULL, NULL, NULL);
  metrics->outbox_age = series(&age, NULL, NULL, NULL);
  metrics->outbox_unroutable = series(&unroutable, NULL, NULL, NULL);
  metrics->held = series(&held, NULL, NULL, NULL);
  metrics->stalled = series(&stalled, NULL, NULL, NULL);
  metrics->reconnects_broker = series(&reconnects, "broker", NULL, NULL);
  metrics->reconnects_database = series(&reconnects, "database", NULL, NULL);
}

bool metrics_init(struct bus_worker *worker) {
  static const struct bus_metric_spec messages = {.name = "bus_messages_total",
                                                  .help = "Messages taken from queues, by type and outcome.",
                                                  .kind = BUS_COUNTER,
                                                  .labels = {"type", "outcome"}};
  struct worker_metrics *metrics = calloc(1, sizeof *metrics);
  if (!metrics)
    return false;
  worker->metrics = metrics;
  metrics->messages = bus_metric_register(&messages);
  register_batches(metrics, worker->requests ? "request" : worker->service->store ? "command" : "query");
  register_publishing(metrics);
  register_links(metrics);
  return true;
}

void metrics_free(struct bus_worker *worker) {
  free(worker->metrics);
}

void metrics_batch(struct bus_worker *worker, enum batch_outcome outcome, size_t size, int64_t duration) {
  if (size == 0)
    return; /* housekeeping */
  bus_series_add(worker->metrics->batches[outcome], 1);
  if (outcome != BATCH_COMMITTED)
    return;
  bus_series_observe(worker->metrics->batch_size, (int64_t)size);
  bus_series_observe(worker->metrics->batch_duration, duration);
}

static struct bus_series *message_series(struct worker_metrics *metrics, const struct bus_message_type *type,
                                         size_t outcome) {
  size_t i = 0;
  while (i < TYPES_MAX - 1 && metrics->types[i].type && metrics->types[i].type != type)
    i++;
  metrics->types[i].type = type;
  if (!metrics->types[i].series[outcome]) {
    const char *const values[] = {type ? type->type : "unknown", message_outcome_names[outcome]};
    metrics->types[i].series[outcome] = bus_metric_series(metrics->messages, values);
  }
  return metrics->types[i].series[outcome];
}

void metrics_message(struct bus_worker *worker, const struct item *item) {
  if (!item_is_delivery(item))
    return;
  size_t outcome = item->late ? 4 : item->duplicate ? 3 : (size_t)item->verdict;
  if (item->input.type)
    bus_series_add(message_series(worker->metrics, item->input.type, outcome), 1);
  else
    bus_series_add(
        bus_metric_series(worker->metrics->messages, (const char *const[]){"unknown", message_outcome_names[outcome]}),
        1);
}

void metrics_published(struct bus_worker *worker, enum bus_exchange exchange) {
  bus_series_add(worker->metrics->published[exchange], 1);
}

void metrics_confirm(struct bus_worker *worker, bool ack) {
  bus_series_add(ack ? worker->metrics->confirmed : worker->metrics->nacked, 1);
}

void metrics_returned(struct bus_worker *worker) {
  bus_series_add(worker->metrics->returned, 1);
}

void metrics_answer_dropped(struct bus_worker *worker) {
  bus_series_add(worker->metrics->answers_dropped, 1);
}

void metrics_held(struct bus_worker *worker, int64_t more) {
  bus_series_add(worker->metrics->held, more);
}

void metrics_outbox(struct bus_worker *worker, int64_t depth, int64_t oldest_age, int64_t unroutable) {
  bus_series_set(worker->metrics->outbox_unroutable, unroutable);
  bus_series_set(worker->metrics->outbox_depth, depth);
  bus_series_set(worker->metrics->outbox_age, oldest_age);
}

void metrics_swept(struct bus_worker *worker, size_t rows) {
  bus_series_add(worker->metrics->swept, (int64_t)rows);
}

void metrics_reconnect(struct bus_worker *worker, bool broker) {
  bus_series_add(broker ? worker->metrics->reconnects_broker : worker->metrics->reconnects_database, 1);
}

void metrics_stalled(struct bus_worker *worker, int64_t more) {
  bus_series_add(worker->metrics->stalled, more);
}
