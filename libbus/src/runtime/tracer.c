/* The ring of finished spans: many threads record, the exporter's thread takes. */
#include <bus/clock.h>
#include <bus/metrics.h>
#include <bus/tracer.h>

#include <stdlib.h>

static const char *const losses[] = {
    [BUS_SPAN_LOST_FULL] = "full",           [BUS_SPAN_LOST_UNREACHABLE] = "unreachable",
    [BUS_SPAN_LOST_REFUSED] = "refused",     [BUS_SPAN_LOST_REJECTED] = "rejected",
    [BUS_SPAN_LOST_NO_MEMORY] = "no_memory", [BUS_SPAN_LOST_STOPPED] = "stopped"};

struct bus_tracer {
  struct bus_tracer_settings settings;
  pthread_mutex_t lock;
  pthread_cond_t work;
  struct bus_span *ring; /* from here on under the lock */
  size_t first, count;
  bool closed;
  struct bus_series *exported, *lost[BUS_COUNT(losses)];
};

static const struct bus_metric_spec exported =
    BUS_COUNTER_SPEC("bus_spans_exported_total", "Spans that the collector took.");
static const struct bus_metric_spec lost =
    BUS_COUNTER_SPEC("bus_spans_dropped_total", "Spans that no collector took, by cause.", .labels = {"cause"});

void bus_tracer_metrics_register(void) {
  bus_metric_register(&exported);
  bus_metric_register(&lost);
}

static void open_metrics(struct bus_tracer *tracer) {
  bus_metric_singles(&exported, 1, &tracer->exported);
  bus_metric_series_each(&lost, losses, BUS_COUNT(losses), tracer->lost);
}

bool bus_tracer_new(const struct bus_tracer_settings *settings, struct bus_tracer **ret, struct bus_error *err) {
  struct bus_tracer *tracer = calloc(1, sizeof *tracer);
  struct bus_span *ring = calloc(settings->room, sizeof *ring);
  if (tracer == NULL || ring == NULL) {
    free(tracer);
    free(ring);
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a ring of %zu spans", settings->room);
  }
  tracer->settings = *settings;
  tracer->ring = ring;
  pthread_mutex_init(&tracer->lock, NULL);
  bus_cond_init(&tracer->work);
  open_metrics(tracer);
  *ret = tracer;
  return true;
}

void bus_tracer_free(struct bus_tracer *tracer) {
  if (tracer == NULL)
    return;
  pthread_cond_destroy(&tracer->work);
  pthread_mutex_destroy(&tracer->lock);
  free(tracer->ring);
  free(tracer);
}

void bus_tracer_sample(const struct bus_tracer *tracer, struct bus_trace *trace) {
  if (tracer)
    bus_trace_sample(trace, tracer->settings.sample_ppm);
}

bool bus_tracer_wants(const struct bus_tracer *tracer, const struct bus_trace *trace) {
  return tracer && bus_trace_is_set(trace) && bus_trace_is_sampled(trace);
}

void bus_tracer_record(struct bus_tracer *tracer, const struct bus_span *span) {
  if (tracer == NULL)
    return;
  pthread_mutex_lock(&tracer->lock);
  bool has_room = tracer->count < tracer->settings.room;
  if (has_room) {
    tracer->ring[(tracer->first + tracer->count) % tracer->settings.room] = *span;
    tracer->count++;
    if (tracer->count == 1 || tracer->count == tracer->settings.batch)
      pthread_cond_signal(&tracer->work);
  }
  pthread_mutex_unlock(&tracer->lock);
  if (!has_room)
    bus_tracer_count_lost(tracer, BUS_SPAN_LOST_FULL, 1);
}

/* ---- the exporter's end ---- */

/* With the lock held. */
static void gather(struct bus_tracer *tracer) {
  while (tracer->count == 0 && !tracer->closed)
    pthread_cond_wait(&tracer->work, &tracer->lock);
  int64_t until = bus_monotonic() + tracer->settings.gather_ms * BUS_MILLISECOND;
  while (tracer->count < tracer->settings.batch && !tracer->closed)
    if (!bus_cond_wait(&tracer->work, &tracer->lock, until))
      break;
}

size_t bus_tracer_take(struct bus_tracer *tracer, struct bus_span *ret) {
  pthread_mutex_lock(&tracer->lock);
  gather(tracer);
  size_t count = tracer->count < tracer->settings.batch ? tracer->count : tracer->settings.batch;
  for (size_t i = 0; i < count; i++)
    ret[i] = tracer->ring[(tracer->first + i) % tracer->settings.room];
  tracer->first = (tracer->first + count) % tracer->settings.room;
  tracer->count -= count;
  pthread_mutex_unlock(&tracer->lock);
  return count;
}

void bus_tracer_pause(struct bus_tracer *tracer, int64_t until) {
  pthread_mutex_lock(&tracer->lock);
  while (!tracer->closed && bus_monotonic() < until)
    (void)bus_cond_wait(&tracer->work, &tracer->lock, until); /* the loop looks at the time */
  pthread_mutex_unlock(&tracer->lock);
}

void bus_tracer_close(struct bus_tracer *tracer) {
  pthread_mutex_lock(&tracer->lock);
  tracer->closed = true;
  pthread_cond_signal(&tracer->work);
  pthread_mutex_unlock(&tracer->lock);
}

void bus_tracer_count_exported(struct bus_tracer *tracer, size_t count) {
  bus_series_add(tracer->exported, (int64_t)count);
}

void bus_tracer_count_lost(struct bus_tracer *tracer, enum bus_span_loss cause, size_t count) {
  bus_series_add(tracer->lost[cause], (int64_t)count);
}
