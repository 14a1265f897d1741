/* Metrics of a worker: batches, messages by type and outcome, publishes, confirms, the outbox. */
#include "worker_internal.h"

#include <bus/metrics.h>

#include <stdlib.h>

/* Behind the pipeline's counts: gauges that it measures now and then. */
enum { METRIC_OUTBOX_DEPTH = BUS_PIPELINE_COUNTS, METRIC_OUTBOX_AGE, METRIC_OUTBOX_UNROUTABLE, METRICS };
enum { TYPES_MAX = 64, EXCHANGES = BUS_EXCHANGE_BACK };

static const char *const message_outcome_names[BUS_MESSAGE_OUTCOMES] = {"done", "retried", "parked", "duplicate",
                                                                        "late"};

const char *metrics_outcome_name(enum bus_message_outcome outcome) {
  return message_outcome_names[outcome];
}

enum direction { PUBLISHED, RECEIVED, DIRECTIONS };
static const char *const direction_names[DIRECTIONS] = {"published", "received"};

struct worker_metrics {
  struct bus_series *batches[BUS_BATCH_OUTCOMES], *batch_size, *batch_duration;
  struct bus_metric *messages;
  struct {
    const struct bus_message_type *type;
    struct bus_series *series[BUS_MESSAGE_OUTCOMES];
  } types[TYPES_MAX];
  struct bus_series *bundles[DIRECTIONS], *bundle_size[DIRECTIONS];
  struct bus_series *published[EXCHANGES], *values[METRICS];
};

static const double size_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
static const double bundle_bounds[] = {2, 4, 8, 16, 32, 64, 128};
static const double duration_bounds[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5};
static const char *const batch_outcome_names[] = {"committed", "conflict", "data", "lost", "other", "fault"};

static const struct bus_metric_spec batches = BUS_COUNTER_SPEC(
    "bus_batches_total", "Transactions that a worker ran, by outcome.", .labels = {"worker", "outcome"});
static const struct bus_metric_spec batch_size =
    BUS_HISTOGRAM_SPEC("bus_batch_size", size_bounds, "Inputs in a committed batch.", .labels = {"worker"});
static const struct bus_metric_spec batch_duration =
    BUS_HISTOGRAM_SPEC("bus_batch_duration_seconds", duration_bounds, "From BEGIN to COMMIT of a committed batch.",
                       .labels = {"worker"}, .scale = 1e-6);
static const struct bus_metric_spec messages = BUS_COUNTER_SPEC(
    "bus_messages_total", "Messages taken from queues, by type and outcome.", .labels = {"type", "outcome"});
static const struct bus_metric_spec published =
    BUS_COUNTER_SPEC("bus_published_total", "Messages written to the broker, by exchange.", .labels = {"exchange"});

static const struct bus_metric_spec bundles =
    BUS_COUNTER_SPEC("bus_bundles_total", "AMQP messages with several messages in them.", .labels = {"direction"});
static const struct bus_metric_spec bundle_size =
    BUS_HISTOGRAM_SPEC("bus_bundle_size", bundle_bounds, "Messages in a bundle.", .labels = {"direction"});

#define CONFIRMS BUS_COUNTER_SPEC("bus_confirms_total", "Publisher confirms, by outcome.", .labels = {"outcome"})
#define RECONNECTS BUS_COUNTER_SPEC("bus_reconnects_total", "Lost or failed connections.", .labels = {"link"})

static const struct {
  struct bus_metric_spec spec;
  const char *label;
} singles[METRICS] = {
    [BUS_COUNT_CONFIRMED] = {.spec = CONFIRMS, .label = "confirmed"},
    [BUS_COUNT_NACKED] = {.spec = CONFIRMS, .label = "nacked"},
    [BUS_COUNT_RETURNED] = {.spec = CONFIRMS, .label = "returned"},
    [BUS_COUNT_SWEPT] = {.spec = BUS_COUNTER_SPEC("bus_outbox_swept_total",
                                                  "Outbox rows that the sweeper published again.")},
    [BUS_COUNT_ANSWERS_DROPPED] = {.spec = BUS_COUNTER_SPEC(
                                       "bus_answers_dropped_total",
                                       "Answers that were not sent: reply_to was no address of the user that asked.")},
    [METRIC_OUTBOX_DEPTH] = {.spec = BUS_GAUGE_SPEC("bus_outbox_depth", "Rows in the outbox; 10001 stands for more.")},
    [METRIC_OUTBOX_AGE] = {.spec = BUS_GAUGE_SPEC("bus_outbox_oldest_age_seconds",
                                                  "Age of the oldest row in the outbox.", .scale = 1e-6)},
    [METRIC_OUTBOX_UNROUTABLE] =
        {.spec =
             BUS_GAUGE_SPEC("bus_outbox_unroutable",
                            "Rows of the outbox that the broker returned: no queue is bound; 10001 stands for more.")},
    [BUS_COUNT_HELD] =
        {.spec = BUS_GAUGE_SPEC(
             "bus_held_messages",
             "Messages to retry or to park that the broker has not taken yet; they hold up the acks behind them.")},
    [BUS_COUNT_STALLED] =
        {.spec = BUS_GAUGE_SPEC(
             "bus_stalled_workers",
             "Worker threads none of whose transactions commit: their messages stay unacked and are tried again.")},
    [BUS_COUNT_BROKER_RECONNECTS] = {.spec = RECONNECTS, .label = "broker"},
    [BUS_COUNT_DATABASE_RECONNECTS] = {.spec = RECONNECTS, .label = "database"},
};

static struct bus_series *series(const struct bus_metric_spec *spec, const char *label, const char *second) {
  return bus_metric_series(bus_metric_register(spec), (const char *const[]){label, second});
}

void bus_worker_metrics_register(void) {
  static const struct bus_metric_spec *const specs[] = {&batches,   &batch_size, &batch_duration, &messages,
                                                        &published, &bundles,    &bundle_size};
  for (size_t i = 0; i < BUS_COUNT(specs); i++)
    bus_metric_register(specs[i]);
  for (size_t i = 0; i < METRICS; i++)
    bus_metric_register(&singles[i].spec);
}

bool metrics_init(struct bus_worker *worker) {
  bool requests = bus_topology_queue(worker->topology, worker->service->queues[0])->kind == BUS_QUEUE_REQUEST;
  const char *name = requests ? "request" : worker->service->store ? "command" : "query";
  struct worker_metrics *metrics = worker->metrics = calloc(1, sizeof *metrics);
  if (!metrics)
    return false;
  metrics->messages = bus_metric_register(&messages);
  metrics->batch_size = series(&batch_size, name, NULL);
  metrics->batch_duration = series(&batch_duration, name, NULL);
  for (size_t i = 0; i < BUS_BATCH_OUTCOMES; i++)
    metrics->batches[i] = series(&batches, name, batch_outcome_names[i]);
  for (size_t i = 0; i < EXCHANGES; i++)
    metrics->published[i] = series(&published, bus_exchange_name((enum bus_exchange)i), NULL);
  for (size_t i = 0; i < DIRECTIONS; i++) {
    metrics->bundles[i] = series(&bundles, direction_names[i], NULL);
    metrics->bundle_size[i] = series(&bundle_size, direction_names[i], NULL);
  }
  for (size_t i = 0; i < METRICS; i++)
    metrics->values[i] = series(&singles[i].spec, singles[i].label, NULL);
  return true;
}

void metrics_free(struct bus_worker *worker) {
  free(worker->metrics);
}

void metrics_step(struct bus_worker *worker, const struct bus_pipeline_actions *actions) {
  struct bus_series **values = worker->metrics->values;
  for (size_t i = 0; i < BUS_PIPELINE_COUNTS; i++)
    if (actions->counts[i] != 0)
      bus_series_add(values[i], actions->counts[i]);
  if (!actions->outbox.known)
    return;
  bus_series_set(values[METRIC_OUTBOX_DEPTH], actions->outbox.rows);
  bus_series_set(values[METRIC_OUTBOX_AGE], actions->outbox.oldest_age);
  bus_series_set(values[METRIC_OUTBOX_UNROUTABLE], actions->outbox.unroutable);
}

void metrics_batch(struct bus_worker *worker, enum bus_batch_outcome outcome, size_t size, int64_t duration) {
  if (size == 0)
    return; /* housekeeping */
  bus_series_add(worker->metrics->batches[outcome], 1);
  if (outcome != BUS_BATCH_COMMITTED)
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
    const char *const values[] = {type->type, message_outcome_names[outcome]};
    metrics->types[i].series[outcome] = bus_metric_series(metrics->messages, values);
  }
  return metrics->types[i].series[outcome];
}

void metrics_message(struct bus_worker *worker, const struct bus_message_type *type, enum bus_message_outcome outcome) {
  struct worker_metrics *metrics = worker->metrics;
  const char *const unknown[] = {"unknown", message_outcome_names[outcome]};
  bus_series_add(type ? message_series(metrics, type, (size_t)outcome) : bus_metric_series(metrics->messages, unknown),
                 1);
}

static int64_t messages_in(const struct bus_envelope *envelope) {
  return envelope->bundle && envelope->bundle_count > 0 ? envelope->bundle_count : 1;
}

static void count_bundle(struct bus_worker *worker, const struct bus_envelope *envelope, enum direction direction) {
  if (!envelope->bundle)
    return;
  bus_series_add(worker->metrics->bundles[direction], 1);
  bus_series_observe(worker->metrics->bundle_size[direction], messages_in(envelope));
}

void metrics_published(struct bus_worker *worker, enum bus_exchange exchange, const struct bus_envelope *envelope) {
  bus_series_add(worker->metrics->published[exchange], messages_in(envelope));
  count_bundle(worker, envelope, PUBLISHED);
}

void metrics_received(struct bus_worker *worker, const struct bus_envelope *envelope) {
  count_bundle(worker, envelope, RECEIVED);
}
