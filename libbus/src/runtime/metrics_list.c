/* The registered metrics as a table, for documentation. */
#include "metrics_internal.h"

struct list {
  void (*write)(void *context, const char *text);
  void *context;
};

static void put(const struct list *list, const char *text) {
  list->write(list->context, text);
}

static bool ends_with(struct bus_str name, struct bus_str suffix) {
  return name.len > suffix.len && memcmp(name.data + name.len - suffix.len, suffix.data, suffix.len) == 0;
}

/* Prometheus's convention: the unit is the end of the name, before "_total". */
static const char *unit_of(const char *metric) {
  static const char *const suffixes[] = {"_seconds", "_bytes", "_minor_units"};
  const struct bus_str total = BUS_STR("_total");
  struct bus_str name = bus_str(metric);
  if (ends_with(name, total))
    name.len -= total.len;
  for (size_t i = 0; i < BUS_COUNT(suffixes); i++)
    if (ends_with(name, bus_str(suffixes[i])))
      return suffixes[i] + 1;
  return "";
}

static void put_labels(const struct list *list, const struct bus_metric *metric) {
  for (size_t i = 0; i < metric->label_count; i++) {
    put(list, i == 0 ? "`" : ", `");
    put(list, metric->spec.labels[i]);
    put(list, "`");
  }
}

static void put_row(const struct list *list, const struct bus_metric *metric) {
  put(list, "| `");
  put(list, metric->spec.name);
  put(list, "` | ");
  put(list, metrics_kind_name(metric->spec.kind));
  put(list, " | ");
  put_labels(list, metric);
  put(list, " | ");
  put(list, unit_of(metric->spec.name));
  put(list, " | ");
  put(list, metric->spec.help);
  put(list, " |\n");
}

void bus_metrics_print_list(void (*write)(void *context, const char *text), void *context) {
  const struct list list = {write, context};
  put(&list, "| metric | type | labels | unit | meaning |\n|---|---|---|---|---|\n");
  pthread_mutex_lock(&metrics_lock);
  for (struct bus_metric *metric = metrics_first; metric; metric = metric->next)
    put_row(&list, metric);
  pthread_mutex_unlock(&metrics_lock);
}
