/* The Prometheus text format, version 0.0.4. */
#include "metrics_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct printer {
  void (*write)(void *context, struct bus_str text);
  void *context;
};

static const char *const kinds[] = {[BUS_COUNTER] = "counter", [BUS_GAUGE] = "gauge", [BUS_HISTOGRAM] = "histogram"};

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

/* Backslash and line feed are escaped everywhere, quotes in label values. */
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

/* The count is the last bucket's, so that a scrape in the middle of an observation is consistent in itself. */
static void put_histogram(const struct printer *printer, const struct bus_series *series) {
  const struct bus_metric *metric = series->metric;
  int64_t count = 0;
  for (size_t i = 0; i <= metric->spec.bound_count; i++) {
    char bound[32] = "+Inf";
    if (i < metric->spec.bound_count)
      snprintf(bound, sizeof bound, "%.15g", metric->spec.bounds[i]);
    count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
    put_sample(printer, series, "_bucket", bound);
    put(printer, " %" PRId64 "\n", count);
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

static void put_head(const struct printer *printer, const struct bus_metric *metric) {
  put(printer, "# HELP %s ", metric->spec.name);
  put_escaped(printer, metric->spec.help, false);
  put(printer, "\n# TYPE %s %s\n", metric->spec.name, kinds[metric->spec.kind]);
}

void bus_metrics_print(void (*write)(void *context, struct bus_str text), void *context) {
  const struct printer printer = {write, context};
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
}
