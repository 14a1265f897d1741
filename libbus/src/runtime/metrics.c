/* Metrics and their series: made once under a lock, counted and found again without one. */
#include "metrics_internal.h"

#include <stdlib.h>

pthread_mutex_t metrics_lock = PTHREAD_MUTEX_INITIALIZER;
struct bus_metric *_Atomic metrics_first;
static struct bus_metric *metrics_last;

/* Stands for every series that there was no memory for; belongs to no metric, so it is not printed. */
static struct bus_metric nowhere;
static _Atomic int64_t nowhere_buckets[BUS_METRIC_BUCKETS + 1];
static struct bus_series nowhere_series = {.metric = &nowhere, .buckets = nowhere_buckets};

static struct bus_metric *find_metric(const char *name) {
  struct bus_metric *metric = metrics_first;
  while (metric && strcmp(metric->spec.name, name) != 0)
    metric = metric->next;
  return metric;
}

static void set_bounds(struct bus_metric *metric) {
  const struct bus_metric_spec *spec = &metric->spec;
  double scale = spec->scale > 0 ? spec->scale : 1;
  if (metric->spec.bound_count > BUS_METRIC_BUCKETS)
    metric->spec.bound_count = BUS_METRIC_BUCKETS;
  for (size_t i = 0; i < metric->spec.bound_count; i++)
    metric->bounds[i] = (int64_t)(spec->bounds[i] / scale + 0.5);
}

static struct bus_metric *make_metric(const struct bus_metric_spec *spec) {
  struct bus_metric *metric = calloc(1, sizeof *metric);
  if (metric == NULL)
    return NULL;
  metric->spec = *spec;
  while (metric->label_count < BUS_METRIC_LABELS && spec->labels[metric->label_count])
    metric->label_count++;
  set_bounds(metric);
  if (metrics_last)
    metrics_last->next = metric;
  else
    metrics_first = metric;
  metrics_last = metric;
  return metric;
}

static struct bus_metric *find_or_make(const struct bus_metric_spec *spec) {
  struct bus_metric *metric = find_metric(spec->name);
  return metric ? metric : make_metric(spec);
}

struct bus_metric *bus_metric_register(const struct bus_metric_spec *spec) {
  pthread_mutex_lock(&metrics_lock);
  struct bus_metric *metric = find_or_make(spec);
  pthread_mutex_unlock(&metrics_lock);
  return metric;
}

void bus_metric_callback(const struct bus_metric_spec *spec, int64_t (*read)(void *context), void *context) {
  pthread_mutex_lock(&metrics_lock);
  struct bus_metric *metric = find_or_make(spec);
  if (metric) {
    metric->read = read;
    metric->context = context;
  }
  pthread_mutex_unlock(&metrics_lock);
}

/* FNV-1a over the values with their NULs. */
static size_t slot_of(const struct bus_metric *metric, const char *const *values) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < metric->label_count; i++) {
    const unsigned char *c = (const unsigned char *)values[i];
    do
      hash = (hash ^ *c) * UINT64_C(1099511628211);
    while (*c++ != '\0');
  }
  return hash % HASH_SLOTS;
}

static bool has_values(const struct bus_series *series, const char *const *values) {
  for (size_t i = 0; i < series->metric->label_count; i++)
    if (strcmp(series->values[i], values[i]) != 0)
      return false;
  return true;
}

static struct bus_series *find_series(struct bus_metric *metric, size_t slot, const char *const *values) {
  struct bus_series *series = metric->slots[slot];
  while (series && !has_values(series, values))
    series = series->hash_next;
  return series;
}

static size_t buckets_of(const struct bus_metric *metric) {
  return metric->spec.kind == BUS_HISTOGRAM ? metric->spec.bound_count + 1 : 0;
}

/* One block: the series, its buckets, its values. */
static struct bus_series *new_series(struct bus_metric *metric, const char *const *values) {
  size_t buckets = buckets_of(metric), text_size = 0;
  for (size_t i = 0; i < metric->label_count; i++)
    text_size += strlen(values[i]) + 1;
  struct bus_series *series = calloc(1, sizeof *series + buckets * sizeof series->buckets[0] + text_size);
  if (series == NULL)
    return NULL;
  series->metric = metric;
  series->buckets = (_Atomic int64_t *)(series + 1);
  char *text = (char *)(series->buckets + buckets);
  for (size_t i = 0; i < metric->label_count; i++) {
    size_t size = strlen(values[i]) + 1;
    memcpy(text, values[i], size);
    series->values[i] = text;
    text += size;
  }
  return series;
}

/* Readers walk the lists meanwhile, so an element is complete before it is linked. */
static void publish_series(struct bus_metric *metric, size_t slot, struct bus_series *series) {
  series->hash_next = metric->slots[slot];
  metric->slots[slot] = series;
  if (metric->last)
    metric->last->next = series;
  else
    metric->first = series;
  metric->last = series;
  metric->series_count++;
}

/* The last place is kept for "other", which may have been asked for by its name. */
static struct bus_series *make_series(struct bus_metric *metric, const char *const *values) {
  static const char *const other[BUS_METRIC_LABELS] = {"other", "other", "other", "other"};
  struct bus_series *overflow = find_series(metric, slot_of(metric, other), other);
  size_t most = metric->spec.series_max ? metric->spec.series_max : SERIES_MAX;
  if (metric->series_count >= most && overflow)
    return overflow;
  if (metric->series_count + 1 >= most && !overflow)
    values = other;
  struct bus_series *series = new_series(metric, values);
  if (series == NULL)
    return &nowhere_series;
  publish_series(metric, slot_of(metric, values), series);
  return series;
}

struct bus_series *bus_metric_series(struct bus_metric *metric, const char *const *values) {
  static const char *const none[BUS_METRIC_LABELS] = {"", "", "", ""};
  if (metric == NULL)
    return &nowhere_series;
  if (values == NULL)
    values = none; /* a metric without labels looks at none of them */
  size_t slot = slot_of(metric, values);
  struct bus_series *series = find_series(metric, slot, values);
  if (series)
    return series;
  pthread_mutex_lock(&metrics_lock);
  series = find_series(metric, slot, values);
  if (series == NULL)
    series = make_series(metric, values);
  pthread_mutex_unlock(&metrics_lock);
  return series;
}

void bus_metric_series_each(const struct bus_metric_spec *spec, const char *const *values, size_t count,
                            struct bus_series **ret) {
  struct bus_metric *metric = bus_metric_register(spec);
  for (size_t i = 0; i < count; i++)
    ret[i] = bus_metric_series(metric, &values[i]);
}

void bus_metric_singles(const struct bus_metric_spec *specs, size_t count, struct bus_series **ret) {
  for (size_t i = 0; i < count; i++)
    ret[i] = bus_metric_series(bus_metric_register(&specs[i]), NULL);
}

void bus_series_add(struct bus_series *series, int64_t n) {
  atomic_fetch_add_explicit(&series->value, n, memory_order_relaxed);
}

void bus_series_set(struct bus_series *series, int64_t value) {
  atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

/* NULL: out of memory. */
static struct exemplar *exemplars_of(struct bus_series *series) {
  struct exemplar *known = series->exemplars;
  if (known)
    return known;
  struct exemplar *made = calloc(buckets_of(series->metric), sizeof *made); /* zero is a flag that is clear */
  if (made && !atomic_compare_exchange_strong(&series->exemplars, &known, made)) {
    free(made);
    return known;
  }
  return made;
}

static void keep_exemplar(struct bus_series *series, size_t bucket, int64_t value, const struct bus_trace *trace) {
  struct exemplar *exemplars = buckets_of(series->metric) > 0 ? exemplars_of(series) : NULL;
  if (!exemplars || atomic_flag_test_and_set_explicit(&exemplars[bucket].held, memory_order_acquire))
    return;
  memcpy(exemplars[bucket].trace_id, trace->trace_id, sizeof trace->trace_id);
  exemplars[bucket].value = value;
  exemplars[bucket].at = bus_wall_clock();
  atomic_flag_clear_explicit(&exemplars[bucket].held, memory_order_release);
}

void bus_series_observe(struct bus_series *series, int64_t value) {
  bus_series_observe_in(series, value, NULL);
}

void bus_series_observe_in(struct bus_series *series, int64_t value, const struct bus_trace *trace) {
  const struct bus_metric *metric = series->metric;
  size_t bucket = 0;
  while (bucket < metric->spec.bound_count && value > metric->bounds[bucket])
    bucket++;
  atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&series->value, value, memory_order_relaxed);
  if (trace && bus_trace_is_sampled(trace))
    keep_exemplar(series, bucket, value, trace);
}

int64_t bus_series_value(const struct bus_series *series) {
  size_t buckets = buckets_of(series->metric);
  if (buckets == 0)
    return atomic_load_explicit(&series->value, memory_order_relaxed);
  int64_t count = 0;
  for (size_t i = 0; i < buckets; i++)
    count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
  return count;
}

int64_t bus_series_sum(const struct bus_series *series) {
  return atomic_load_explicit(&series->value, memory_order_relaxed);
}

const char *bus_series_label(const struct bus_series *series, size_t index) {
  return series->values[index];
}

void bus_metric_each(const char *name, void (*visit)(void *context, const struct bus_series *series), void *context) {
  pthread_mutex_lock(&metrics_lock);
  const struct bus_metric *metric = find_metric(name);
  pthread_mutex_unlock(&metrics_lock);
  for (const struct bus_series *series = metric ? metric->first : NULL; series; series = series->next)
    visit(context, series);
}
