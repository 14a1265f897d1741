/* The Prometheus text format, version 0.0.4. */
#include "metrics_internal.h"

#include <inttypes.h>
#include <stdio.h>

struct printer {
  void (*write)(void *context, struct bus_str text);
  void *context;
};

static const char *const kinds[] = {[BUS_COUNTER] = "counter", [BUS_GAUGE] = "gauge", [BUS_HISTOGRAM] = "histogram"};

static void print_piece(const struct printer *printer, const char *text) {
  printer->write(printer->context, bus_str(text));
}

/* Backslash and line feed are escaped everywhere, quotes in label values. */
static void put_escaped(const struct printer *printer, const char *text, bool quoted) {
  while (*text != '\0') {
    size_t plain = strcspn(text, quoted ? "\\\n\"" : "\\\n");
    printer->write(printer->context, (struct bus_str){text, plain});
    text += plain;
    if (*text == '\0')
      return;
    print_piece(printer, *text == '\n' ? "\\n" : *text == '"' ? "\\\"" : "\\\\");
    text++;
  }
}

static void put_value(const struct printer *printer, const struct bus_metric *metric, int64_t value) {
  char text[64];
  double scale = metric->spec.scale;
  if (scale > 0 && scale != 1)
    snprintf(text, sizeof text, " %.15g\n", (double)value * scale);
  else
    snprintf(text, sizeof text, " %" PRId64 "\n", value);
  print_piece(printer, text);
}

/* {a="…",b="…",le="…"}: nothing where there is neither label nor bound. */
static void put_labels(const struct printer *printer, const struct bus_series *series, const char *bound) {
  const struct bus_metric *metric = series->metric;
  const char *before = "{";
  for (size_t i = 0; i < metric->label_count; i++, before = ",") {
    print_piece(printer, before);
    print_piece(printer, metric->spec.labels[i]);
    print_piece(printer, "=\"");
    put_escaped(printer, series->values[i], true);
    print_piece(printer, "\"");
  }
  if (bound) {
    print_piece(printer, before);
    print_piece(printer, "le=\"");
    print_piece(printer, bound);
    print_piece(printer, "\"");
  }
  if (bound || metric->label_count > 0)
    print_piece(printer, "}");
}

static void put_sample(const struct printer *printer, const struct bus_series *series, const char *suffix,
                       const char *bound) {
  print_piece(printer, series->metric->spec.name);
  print_piece(printer, suffix);
  put_labels(printer, series, bound);
}

static void put_count(const struct printer *printer, int64_t count) {
  char text[32];
  snprintf(text, sizeof text, " %" PRId64 "\n", count);
  print_piece(printer, text);
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
    put_count(printer, count);
  }
  put_sample(printer, series, "_sum", NULL);
  put_value(printer, metric, atomic_load_explicit(&series->value, memory_order_relaxed));
  put_sample(printer, series, "_count", NULL);
  put_count(printer, count);
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
  print_piece(printer, "# HELP ");
  print_piece(printer, metric->spec.name);
  print_piece(printer, " ");
  put_escaped(printer, metric->spec.help, false);
  print_piece(printer, "\n# TYPE ");
  print_piece(printer, metric->spec.name);
  print_piece(printer, " ");
  print_piece(printer, kinds[metric->spec.kind]);
  print_piece(printer, "\n");
}

void bus_metrics_print(void (*write)(void *context, struct bus_str text), void *context) {
  const struct printer printer = {write, context};
  pthread_mutex_lock(&metrics_lock);
  for (struct bus_metric *metric = metrics_first; metric; metric = metric->next) {
    put_head(&printer, metric);
    if (metric->read) {
      print_piece(&printer, metric->spec.name);
      put_value(&printer, metric, metric->read(metric->context));
    }
    for (struct bus_series *series = metric->first; series; series = series->next)
      put_series(&printer, series);
  }
  pthread_mutex_unlock(&metrics_lock);
}
