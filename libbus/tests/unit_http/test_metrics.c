/* Counting from many threads, and the text that a scrape reads. */
#include <bus/breaker_metrics.h>
#include <bus/clock.h>
#include <bus/metrics.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

struct page {
  char text[1 << 20];
  size_t len;
};

static void append(void *context, struct bus_str text) {
  struct page *page = context;
  assert_true(page->len + text.len < sizeof page->text);
  memcpy(page->text + page->len, text.data, text.len);
  page->len += text.len;
  page->text[page->len] = '\0';
}

static const char *scrape_as(enum bus_metrics_format format) {
  static struct page page;
  page.len = 0;
  bus_metrics_print(format, append, &page);
  return page.text;
}

static const char *scrape(void) {
  return scrape_as(BUS_METRICS_TEXT);
}

static struct bus_series *series_of(struct bus_metric *metric, const char *a, const char *b) {
  return bus_metric_series(metric, (const char *const[]){a, b});
}

static struct bus_metric *counter(const char *name) {
  const struct bus_metric_spec spec = {
      .name = name, .help = "Things.", .kind = BUS_COUNTER, .labels = {"kind", "colour"}};
  return bus_metric_register(&spec);
}

TEST(a_counter_prints_its_series)
{
  struct bus_metric *metric = counter("things_total");
  bus_series_add(series_of(metric, "a", "red"), 2);
  bus_series_add(series_of(metric, "a", "red"), 3);
  bus_series_add(series_of(metric, "b", "blue"), 1);
  assert_int_equal(bus_series_value(series_of(metric, "a", "red")), 5);
  assert_string_equal(scrape(), "# HELP things_total Things.\n# TYPE things_total counter\n"
                                "things_total{kind=\"a\",colour=\"red\"} 5\n"
                                "things_total{kind=\"b\",colour=\"blue\"} 1\n");
}

static void append_text(void *context, const char *text) {
  append(context, bus_str(text));
}

TEST(a_list_has_a_row_for_each_metric_with_its_type_labels_unit_and_help)
{
  static const double bounds[] = {1};
  static struct page page;
  const struct bus_metric_spec specs[] = {
      BUS_COUNTER_SPEC("cpu_seconds_total", "Time.", .scale = 1e-6), BUS_GAUGE_SPEC("used_bytes", "Memory."),
      BUS_HISTOGRAM_SPEC("wait_seconds", bounds, "Wait.", .labels = {"who"}), BUS_GAUGE_SPEC("bytes", "No unit.")};
  for (size_t i = 0; i < BUS_COUNT(specs); i++)
    bus_metric_register(&specs[i]);
  bus_series_add(series_of(counter("things_total"), "a", "red"), 1);
  bus_metrics_print_list(append_text, &page);
  assert_string_equal(page.text, "| metric | type | labels | unit | meaning |\n|---|---|---|---|---|\n"
                                 "| `cpu_seconds_total` | counter |  | seconds | Time. |\n"
                                 "| `used_bytes` | gauge |  | bytes | Memory. |\n"
                                 "| `wait_seconds` | histogram | `who` | seconds | Wait. |\n"
                                 "| `bytes` | gauge |  |  | No unit. |\n"
                                 "| `things_total` | counter | `kind`, `colour` |  | Things. |\n");
}

TEST(values_that_differ_only_in_their_border_are_two_series)
{
  struct bus_metric *metric = counter("border_total");
  assert_ptr_not_equal(series_of(metric, "ab", "c"), series_of(metric, "a", "bc"));
  assert_ptr_equal(series_of(metric, "ab", "c"), series_of(metric, "ab", "c"));
}

TEST(label_values_and_help_are_escaped)
{
  const struct bus_metric_spec spec = {
      .name = "odd", .help = "back\\slash\nline \"quoted\"", .kind = BUS_GAUGE, .labels = {"l"}};
  bus_series_set(bus_metric_series(bus_metric_register(&spec), (const char *const[]){"a\\b\"c\nd"}), -7);
  assert_string_equal(scrape(), "# HELP odd back\\\\slash\\nline \"quoted\"\n# TYPE odd gauge\n"
                                "odd{l=\"a\\\\b\\\"c\\nd\"} -7\n");
}

TEST(a_histogram_prints_cumulative_buckets_in_its_unit)
{
  static const double bounds[] = {0.001, 0.25, 1};
  const struct bus_metric_spec spec = {.name = "wait_seconds",
                                       .help = "Wait.",
                                       .kind = BUS_HISTOGRAM,
                                       .labels = {"who"},
                                       .bounds = bounds,
                                       .bound_count = 3,
                                       .scale = 1e-6};
  struct bus_series *series = bus_metric_series(bus_metric_register(&spec), (const char *const[]){"me"});
  bus_series_observe(series, 1000); /* on the bound: belongs to it */
  bus_series_observe(series, 1001);
  bus_series_observe(series, 250000);
  bus_series_observe(series, 2000000);
  assert_int_equal(bus_series_value(series), 4);
  assert_string_equal(scrape(), "# HELP wait_seconds Wait.\n# TYPE wait_seconds histogram\n"
                                "wait_seconds_bucket{who=\"me\",le=\"0.001\"} 1\n"
                                "wait_seconds_bucket{who=\"me\",le=\"0.25\"} 3\n"
                                "wait_seconds_bucket{who=\"me\",le=\"1.0\"} 3\n"
                                "wait_seconds_bucket{who=\"me\",le=\"+Inf\"} 4\n"
                                "wait_seconds_sum{who=\"me\"} 2.252001\n"
                                "wait_seconds_count{who=\"me\"} 4\n");
}

TEST(a_histogram_without_labels_has_only_bounds)
{
  static const double bounds[] = {10};
  const struct bus_metric_spec spec = {
      .name = "batch", .help = "Size.", .kind = BUS_HISTOGRAM, .bounds = bounds, .bound_count = 1};
  bus_series_observe(bus_metric_series(bus_metric_register(&spec), NULL), 3);
  assert_string_equal(scrape(), "# HELP batch Size.\n# TYPE batch histogram\nbatch_bucket{le=\"10.0\"} 1\n"
                                "batch_bucket{le=\"+Inf\"} 1\nbatch_sum 3\nbatch_count 1\n");
}

TEST(openmetrics_names_counters_without_total_escapes_quotes_and_says_where_it_ends)
{
  const struct bus_metric_spec quoted = {.name = "odd", .help = "a \"b\"", .kind = BUS_GAUGE};
  bus_series_add(series_of(counter("things_total"), "a", "red"), 2);
  bus_series_set(bus_metric_series(bus_metric_register(&quoted), NULL), 1);
  assert_string_equal(scrape_as(BUS_METRICS_OPENMETRICS), "# HELP things Things.\n# TYPE things counter\n"
                                                          "things_total{kind=\"a\",colour=\"red\"} 2\n"
                                                          "# HELP odd a \\\"b\\\"\n# TYPE odd gauge\nodd 1\n# EOF\n");
  assert_non_null(strstr(bus_metrics_media_type(BUS_METRICS_OPENMETRICS), "application/openmetrics-text; version=1.0"));
}

static struct bus_series *waits(void) {
  static const double bounds[] = {0.25, 1};
  const struct bus_metric_spec spec = BUS_HISTOGRAM_SPEC("wait_seconds", bounds, "Wait.", .scale = 1e-6);
  return bus_metric_series(bus_metric_register(&spec), NULL);
}

static struct bus_trace trace_of(uint8_t last, bool sampled) {
  struct bus_trace trace = {.flags = sampled};
  trace.trace_id[15] = last;
  return trace;
}

#define ID(last) "{trace_id=\"000000000000000000000000000000" last "\"}"

/* The time behind the line's beginning is now. */
static void assert_recent(const char *text, const char *line) {
  const char *found = strstr(text, line);
  if (!found) {
    fail_msg("%s is not in %s", line, text);
    return;
  }
  double age = (double)bus_wall_clock() / 1e6 - strtod(found + strlen(line), NULL);
  assert_true(age > -1 && age < 60);
}

TEST(each_bucket_shows_its_last_sampled_observation)
{
  const struct bus_trace first = trace_of(1, true), second = trace_of(2, true), unsampled = trace_of(3, false);
  bus_series_observe_in(waits(), 1000, &first);
  bus_series_observe_in(waits(), 250000, &second);
  bus_series_observe_in(waits(), 2000, &unsampled);
  bus_series_observe_in(waits(), 7000000, &first);
  bus_series_observe(waits(), 2000);
  const char *text = scrape_as(BUS_METRICS_OPENMETRICS);
  assert_recent(text, "\nwait_seconds_bucket{le=\"0.25\"} 4 # " ID("02") " 0.25 ");
  assert_non_null(strstr(text, "\nwait_seconds_bucket{le=\"1.0\"} 4\n"));
  assert_recent(text, "\nwait_seconds_bucket{le=\"+Inf\"} 5 # " ID("01") " 7 ");
  assert_non_null(strstr(text, "\nwait_seconds_sum 7.255\nwait_seconds_count 5\n# EOF\n"));
}

TEST(the_text_format_has_no_exemplars)
{
  const struct bus_trace trace = trace_of(1, true);
  bus_series_observe_in(waits(), 1000, &trace);
  assert_null(strstr(scrape(), "trace_id"));
  assert_null(strstr(scrape(), "# EOF"));
}

TEST(only_histograms_keep_exemplars)
{
  const struct bus_trace trace = trace_of(1, true);
  struct bus_series *series = series_of(counter("things_total"), "a", "red");
  bus_series_observe_in(bus_metric_series(NULL, NULL), 1, &trace);
  bus_series_add(series, 1);
  assert_null(strstr(scrape_as(BUS_METRICS_OPENMETRICS), "trace_id"));
}

TEST(a_name_is_registered_once)
{ assert_ptr_equal(counter("once_total"), counter("once_total")); }

static int64_t answer(void *context) {
  return *(int64_t *)context;
}

TEST(a_callback_is_read_at_the_scrape)
{
  static int64_t value = 41;
  const struct bus_metric_spec spec = {.name = "deep", .help = "Deep.", .kind = BUS_GAUGE};
  bus_metric_callback(&spec, answer, &value);
  value = 42;
  assert_string_equal(scrape(), "# HELP deep Deep.\n# TYPE deep gauge\ndeep 42\n");
}

TEST(beyond_a_thousand_series_the_last_one_stands_for_all)
{
  struct bus_metric *metric = counter("many_total");
  char value[16];
  for (int i = 0; i < 1500; i++) {
    snprintf(value, sizeof value, "%d", i);
    bus_series_add(series_of(metric, value, "x"), 1);
  }
  assert_int_equal(bus_series_value(series_of(metric, "5", "x")), 1);
  assert_int_equal(bus_series_value(series_of(metric, "1499", "x")), 501);
  const char *text = scrape();
  assert_non_null(strstr(text, "many_total{kind=\"other\",colour=\"other\"} 501\n"));
  assert_null(strstr(text, "1499"));
}

TEST(a_metric_has_no_more_series_than_its_spec_says_and_other_is_one_of_them)
{
  const struct bus_metric_spec spec = {
      .name = "few_total", .help = "Few.", .kind = BUS_COUNTER, .labels = {"kind"}, .series_max = 3};
  const char *const values[] = {"other", "a", "b", "c", "d", "a"};
  struct bus_series *series[BUS_COUNT(values)];
  bus_metric_series_each(&spec, values, BUS_COUNT(values), series);
  for (size_t i = 0; i < BUS_COUNT(values); i++)
    bus_series_add(series[i], 1);
  assert_string_equal(scrape(), "# HELP few_total Few.\n# TYPE few_total counter\nfew_total{kind=\"other\"} 3\n"
                                "few_total{kind=\"a\"} 2\nfew_total{kind=\"b\"} 1\n");
}

TEST(without_a_metric_counting_goes_nowhere)
{
  struct bus_series *series = bus_metric_series(NULL, NULL);
  assert_non_null(series);
  bus_series_add(series, 1);
  bus_series_set(series, 1);
  bus_series_observe(series, 1);
  assert_string_equal(scrape(), "");
}

enum { THREADS = 8, ROUNDS = 20000 };

static void *count(void *context) {
  static const char *const colours[] = {"red", "blue", "green"};
  for (int i = 0; i < ROUNDS; i++)
    bus_series_add(series_of(context, "t", colours[i % 3]), 1);
  return NULL;
}

TEST(threads_that_make_and_count_the_same_series_lose_nothing)
{
  struct bus_metric *metric = counter("racing_total");
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, count, metric), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  int64_t sum = bus_series_value(series_of(metric, "t", "red")) + bus_series_value(series_of(metric, "t", "blue")) +
                bus_series_value(series_of(metric, "t", "green"));
  assert_int_equal(sum, (int64_t)THREADS * ROUNDS);
}

static void *observe(void *context) {
  (void)context;
  for (int i = 0; i < ROUNDS; i++) {
    const struct bus_trace trace = trace_of((uint8_t)(1 + i % 9), true);
    bus_series_observe_in(waits(), 1000 * (1 + i % 9), &trace);
  }
  return NULL;
}

/* The digit of the trace is that of the value: an exemplar is of one observation. */
TEST(threads_that_observe_while_a_scrape_reads_show_whole_exemplars)
{
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, observe, NULL), 0);
  for (int i = 0; i < 200; i++) {
    static const char between[] = "\"} 0.00";
    const char *found = strstr(scrape_as(BUS_METRICS_OPENMETRICS), " # {trace_id=\"");
    if (found) {
      const char *digit = strchr(found, '"') + 32;
      assert_memory_equal(digit + 1, between, sizeof between - 1);
      assert_int_equal(*digit, digit[sizeof between]);
    }
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(bus_series_value(waits()), (int64_t)THREADS * ROUNDS);
}

enum { NAMES = 300 };

struct race {
  struct bus_metric *metric;
  pthread_barrier_t start;
};

static void *make_together(void *context) {
  struct race *race = context;
  char name[16];
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, sizeof name, "%d", i);
    pthread_barrier_wait(&race->start);
    bus_series_add(series_of(race->metric, name, "x"), 1);
  }
  return NULL;
}

TEST(a_series_that_threads_make_at_the_same_time_is_one)
{
  struct race race = {.metric = counter("together_total")};
  pthread_t threads[THREADS];
  char name[16];
  pthread_barrier_init(&race.start, NULL, THREADS);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, make_together, &race), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, sizeof name, "%d", i);
    assert_int_equal(bus_series_value(series_of(race.metric, name, "x")), THREADS);
  }
  pthread_barrier_destroy(&race.start);
}

static double sample(const char *name) {
  char line[96];
  snprintf(line, sizeof line, "\n%s ", name);
  const char *found = strstr(scrape(), line);
  assert_non_null(found);
  return strtod(found + strlen(line), NULL);
}

TEST(the_process_tells_about_itself)
{
  bus_metrics_register_process();
  assert_true(sample("process_resident_memory_bytes") > 100000);
  assert_true(sample("process_resident_anon_bytes") > 10000);
  assert_true(sample("process_cpu_seconds_total") > 0);
  double fds = sample("process_open_fds");
  int fd = dup(1);
  assert_int_equal((int)sample("process_open_fds"), (int)fds + 1);
  close(fd);
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal((int64_t)sample("process_max_fds"), (int64_t)limit.rlim_cur);
  assert_true(sample("process_virtual_memory_bytes") > sample("process_resident_memory_bytes"));
  assert_non_null(
      strstr(scrape(), "\nbus_build_info{version=\"" ORDERBUS_VERSION "\",compiler=\"" __VERSION__ "\"} 1\n"));
  double age = (double)bus_wall_clock() / 1e6 - sample("process_start_time_seconds");
  assert_true(age > -2 && age < 60);
}

TEST(clocks_and_seeds)
{
  int64_t before = bus_monotonic();
  usleep(2000);
  assert_true(bus_monotonic() - before >= 2000);
  assert_true(bus_wall_clock() > INT64_C(1600000000) * BUS_SECOND);
  uint64_t a[4], b[4];
  bus_random_seed(a);
  bus_random_seed(b);
  assert_memory_not_equal(a, b, sizeof a);
}

static void assert_shown(const char *line) {
  if (!strstr(scrape(), line))
    fail_msg("%s is not in %s", line, scrape());
}

/* Several workers have one each: the worst is what an operator must see. */
TEST(breakers_around_one_dependency_show_the_worst_state)
{
  static struct bus_breaker_metrics metrics, other;
  bus_breaker_metrics_init(&metrics, "bank");
  bus_breaker_metrics_init(&other, "post");
  bus_breaker_metrics_add(&metrics);
  bus_breaker_metrics_add(&metrics);
  bus_breaker_metrics_add(&other);
  assert_shown("circuit_breaker_state{dependency=\"bank\"} 0\n");
  bus_breaker_metrics_move(&metrics, BUS_BREAKER_CLOSED, BUS_BREAKER_OPEN);
  assert_shown("circuit_breaker_state{dependency=\"bank\"} 2\n");
  bus_breaker_metrics_move(&metrics, BUS_BREAKER_CLOSED, BUS_BREAKER_OPEN);
  bus_breaker_metrics_move(&metrics, BUS_BREAKER_OPEN, BUS_BREAKER_HALF_OPEN);
  assert_shown("circuit_breaker_state{dependency=\"bank\"} 2\n");
  bus_breaker_metrics_move(&metrics, BUS_BREAKER_OPEN, BUS_BREAKER_HALF_OPEN);
  assert_shown("circuit_breaker_state{dependency=\"bank\"} 1\n");
  bus_breaker_metrics_move(&metrics, BUS_BREAKER_HALF_OPEN, BUS_BREAKER_CLOSED);
  bus_breaker_metrics_remove(&metrics, BUS_BREAKER_HALF_OPEN);
  assert_shown("circuit_breaker_state{dependency=\"bank\"} 0\n");
  assert_shown("circuit_breaker_state{dependency=\"post\"} 0\n");
  assert_shown("circuit_breaker_transitions_total{dependency=\"bank\",state=\"open\"} 2\n");
  assert_shown("circuit_breaker_transitions_total{dependency=\"bank\",state=\"half-open\"} 2\n");
  assert_shown("circuit_breaker_transitions_total{dependency=\"bank\",state=\"closed\"} 1\n");
}
