/* The Prometheus text format, version 0.0.4, and OpenMetrics, version 1.0.0. */
#include "metrics_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct printer {
  bool open; /* OpenMetrics */
  void (*write)(void *context, struct bus_str text);
  void *context;
};

const char *metrics_kind_name(enum bus_metric_kind kind) {
  static const char *const names[] = {[BUS_COUNTER] = "counter", [BUS_GAUGE] = "gauge", [BUS_HISTOGRAM] = "histogram"};
  return names[kind];
}

/* For texts of a name or two: put_escaped writes help texts and values of labels. */
BUS_PRINTF(2, 3)
static void put(const struct printer *printer, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  assert(len >= 0 && len < (int)sizeof text);
  printer->write(printer->context, (struct bus_str){text, (size_t)len});
}

/* Backslash and line feed are escaped everywhere, quotes in label values and in OpenMetrics. */
static void put_escaped(const struct printer *printer, const char *text, bool quoted) {
  while (*text != '\0') {
    size_t plain = strcspn(text, quoted ? "\\\n\"" : "\\\n");
    printer->write(printer->context, (struct bus_str){text, plain});
    text += plain;
    if (*text == '\0')
      return;
    put(printer, "\\%c", *text == '\n' ? 'n' : *text);
    text++;
  }
}

static void put_value(const struct printer *printer, const struct bus_metric *metric, int64_t value) {
  double scale = metric->spec.scale;
  if (scale > 0 && scale != 1)
    put(printer, " %.15g\n", (double)value * scale);
  else
    put(printer, " %" PRId64 "\n", value);
}

/* name{a="…",b="…",le="…"}: no braces where there is neither label nor bound. */
static void put_sample(const struct printer *printer, const struct bus_series *series, const char *suffix,
                       const char *bound) {
  const struct bus_metric *metric = series->metric;
  const char *before = "{";
  put(printer, "%s%s", metric->spec.name, suffix);
  for (size_t i = 0; i < metric->label_count; i++, before = ",") {
    put(printer, "%s%s=\"", before, metric->spec.labels[i]);
    put_escaped(printer, series->values[i], true);
    put(printer, "\"");
  }
  if (bound)
    put(printer, "%sle=\"%s\"", before, bound);
  if (bound || metric->label_count > 0)
    put(printer, "}");
}

/* Such as 0.25, 1.0: OpenMetrics wants a point, and one series has one bound in both formats. */
static void format_bound(double bound, char *text, size_t size) {
  int len = snprintf(text, size, "%.15g", bound);
  if (strcspn(text, ".e") == (size_t)len)
    (void)snprintf(text + len, size - (size_t)len, ".0");
}

/* Who writes it at the moment makes it newer: the next scrape shows it. */
static bool read_exemplar(struct exemplar *exemplar, struct bus_trace *ret_trace, int64_t *ret_value,
                          bus_time *ret_at) {
  if (atomic_flag_test_and_set_explicit(&exemplar->held, memory_order_acquire))
    return false;
  *ret_trace = (struct bus_trace){.flags = 0};
  memcpy(ret_trace->trace_id, exemplar->trace_id, sizeof exemplar->trace_id);
  *ret_value = exemplar->value;
  *ret_at = exemplar->at;
  atomic_flag_clear_explicit(&exemplar->held, memory_order_release);
  return true;
}

/* " # {trace_id="…"} value seconds" */
static void put_exemplar(const struct printer *printer, const struct bus_series *series, size_t bucket) {
  struct exemplar *exemplars = printer->open ? series->exemplars : NULL;
  struct bus_trace trace;
  int64_t value;
  bus_time at;
  if (!exemplars || !read_exemplar(&exemplars[bucket], &trace, &value, &at) || at == 0)
    return;
  char id[BUS_TRACE_ID_TEXT], time[32];
  bus_trace_id_format(&trace, id);
  (void)snprintf(time, sizeof time, "%" PRId64 ".%06" PRId64, at / BUS_SECOND, at % BUS_SECOND);
  put(printer, " # {trace_id=\"%s\"} %.15g %s", id,
      (double)value * (series->metric->spec.scale > 0 ? series->metric->spec.scale : 1), time);
}

/* The count is the last bucket's, so that a scrape in the middle of an observation is consistent in itself. */
static void put_histogram(const struct printer *printer, const struct bus_series *series) {
  const struct bus_metric *metric = series->metric;
  int64_t count = 0;
  for (size_t i = 0; i <= metric->spec.bound_count; i++) {
    char bound[32] = "+Inf";
    if (i < metric->spec.bound_count)
      format_bound(metric->spec.bounds[i], bound, sizeof bound);
    count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
    put_sample(printer, series, "_bucket", bound);
    put(printer, " %" PRId64, count);
    put_exemplar(printer, series, i);
    put(printer, "\n");
  }
  put_sample(printer, series, "_sum", NULL);
  put_value(printer, metric, atomic_load_explicit(&series->value, memory_order_relaxed));
  put_sample(printer, series, "_count", NULL);
  put(printer, " %" PRId64 "\n", count);
}

static void put_series(const struct printer *printer, const struct bus_series *series) {
  if (series->metric->spec.kind == BUS_HISTOGRAM) {
    put_histogram(printer, series);
    return;
  }
  put_sample(printer, series, "", NULL);
  put_value(printer, series->metric, bus_series_value(series));
}

/* The name that HELP and TYPE are of. */
static int family_len(const struct printer *printer, const struct bus_metric *metric) {
  static const char suffix[] = "_total";
  size_t len = strlen(metric->spec.name), tail = sizeof suffix - 1;
  bool cut = printer->open && metric->spec.kind == BUS_COUNTER && len > tail &&
             strcmp(metric->spec.name + len - tail, suffix) == 0;
  return (int)(cut ? len - tail : len);
}

static void put_head(const struct printer *printer, const struct bus_metric *metric) {
  int len = family_len(printer, metric);
  put(printer, "# HELP %.*s ", len, metric->spec.name);
  put_escaped(printer, metric->spec.help, printer->open);
  put(printer, "\n# TYPE %.*s %s\n", len, metric->spec.name, metrics_kind_name(metric->spec.kind));
}

const char *bus_metrics_media_type(enum bus_metrics_format format) {
  return format == BUS_METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                           : "text/plain; version=0.0.4";
}

void bus_metrics_print(enum bus_metrics_format format, void (*write)(void *context, struct bus_str text),
                       void *context) {
  const struct printer printer = {format == BUS_METRICS_OPENMETRICS, write, context};
  pthread_mutex_lock(&metrics_lock);
  for (struct bus_metric *metric = metrics_first; metric; metric = metric->next) {
    put_head(&printer, metric);
    if (metric->read) {
      put(&printer, "%s", metric->spec.name);
      put_value(&printer, metric, metric->read(metric->context));
    }
    for (struct bus_series *series = metric->first; series; series = series->next)
      put_series(&printer, series);
  }
  pthread_mutex_unlock(&metrics_lock);
  if (printer.open)
    put(&printer, "# EOF\n");
}
