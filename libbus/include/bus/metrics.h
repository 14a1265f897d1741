/* Metrics in Prometheus's text format (version 0.0.4) and in OpenMetrics (1.0.0). Thread-safe: counting is one atomic
 * addition. Metrics are static data, registered once; their label values are a bounded set, known when they are
 * registered. */
#pragma once

#include <bus/base.h>
#include <bus/trace.h>

BUS_C_BEGIN

enum bus_metric_kind { BUS_COUNTER, BUS_GAUGE, BUS_HISTOGRAM };

enum { BUS_METRIC_LABELS = 4, BUS_METRIC_BUCKETS = 16 };

struct bus_metric;

/* name, help and label names are kept, not copied. bounds (HISTOGRAM): ascending upper bounds in `unit`s, at most
 * BUS_METRIC_BUCKETS; values are recorded as int64 in microunits (seconds → microseconds), so that no doubles are
 * added up. Registering a name twice returns the first. NULL when out of memory. */
struct bus_metric_spec {
  const char *name, *help;
  enum bus_metric_kind kind;
  const char *labels[BUS_METRIC_LABELS]; /* NULL-terminated unless full */
  const double *bounds;
  size_t bound_count;
  size_t series_max; /* at most so many series, "other" among them; 0: 1,000 */
  double scale; /* what a recorded integer is multiplied with when it is printed: 1e-6 for microseconds; 0 means 1 */
};
/* Initializers: the help, and then further members. limits: an array of the bounds. */
#define BUS_COUNTER_SPEC(text, ...)                                                                                    \
  { .name = (text), .kind = BUS_COUNTER, .help = __VA_ARGS__ }
#define BUS_GAUGE_SPEC(text, ...)                                                                                      \
  { .name = (text), .kind = BUS_GAUGE, .help = __VA_ARGS__ }
#define BUS_HISTOGRAM_SPEC(text, limits, ...)                                                                          \
  { .name = (text), .kind = BUS_HISTOGRAM, .bounds = (limits), .bound_count = BUS_COUNT(limits), .help = __VA_ARGS__ }
/* Registers a metric, which lives as long as the process; spec is kept. Called again for the same name, it returns the
 * same metric. NULL: out of memory, which bus_metric_series takes, too. */
struct bus_metric *bus_metric_register(const struct bus_metric_spec *spec);

/* One time series of the metric. values: as many as labels; copied at the first call; look it up once and keep it where
 * it is hot. A metric has at most series_max series: the last one's values are "other", and it stands for all further
 * values. Never NULL: without memory it is a series that is not printed. */
struct bus_series *bus_metric_series(struct bus_metric *metric, const char *const *values);

/* Registers a metric with one label, and one series for each value. */
void bus_metric_series_each(const struct bus_metric_spec *spec, const char *const *values, size_t count,
                            struct bus_series **ret);
/* Registers metrics without labels; ret: the one series of each. */
void bus_metric_singles(const struct bus_metric_spec *specs, size_t count, struct bus_series **ret);

void bus_series_add(struct bus_series *series, int64_t n);         /* COUNTER, GAUGE */
void bus_series_set(struct bus_series *series, int64_t value);     /* GAUGE */
void bus_series_observe(struct bus_series *series, int64_t value); /* HISTOGRAM */
/* The same. A sampled trace is the exemplar of the value's bucket until a later one replaces it. NULL: no trace. */
void bus_series_observe_in(struct bus_series *series, int64_t value, const struct bus_trace *trace);
int64_t bus_series_value(const struct bus_series *series); /* COUNTER, GAUGE; HISTOGRAM: how many */
int64_t bus_series_sum(const struct bus_series *series);   /* HISTOGRAM: of all values observed */
/* The value of the index-th label. It lives as long as the process. */
const char *bus_series_label(const struct bus_series *series, size_t index);
/* Calls visit for each series of the metric; a metric that was not registered, or is read by a callback, has none. */
void bus_metric_each(const char *name, void (*visit)(void *context, const struct bus_series *series), void *context);

/* Registers a gauge whose value is read at each scrape. */
void bus_metric_callback(const struct bus_metric_spec *spec, int64_t (*read)(void *context), void *context);

/* OpenMetrics alone has exemplars; its counters are families without "_total". */
enum bus_metrics_format { BUS_METRICS_TEXT, BUS_METRICS_OPENMETRICS };
/* Its media type. */
const char *bus_metrics_media_type(enum bus_metrics_format format);
/* Prints all registered metrics by `write`. */
void bus_metrics_print(enum bus_metrics_format format, void (*write)(void *context, struct bus_str text),
                       void *context);

/* Prints the registered metrics as a Markdown table: name, type, labels, unit, help. A unit is the end of its name. */
void bus_metrics_print_list(void (*write)(void *context, const char *text), void *context);

/* process_resident_memory_bytes, process_resident_anon_bytes, process_virtual_memory_bytes, process_cpu_seconds_total,
 * process_open_fds, process_max_fds, process_start_time_seconds; bus_build_info and bus_log_lines_dropped_total. */
void bus_metrics_register_process(void);

BUS_C_END
