/* data-svc's metrics. */
#include "data_metrics.h"

#include <bus/metrics.h>

#include <pthread.h>

static const double bounds[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400};

static const double job_bounds[] = {0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400};

static struct bus_series *events[DATA_OUTCOMES], *ages[1], *job_seconds[JOB_KINDS], *jobs[JOB_KINDS][JOB_STATUSES];

static void register_jobs(void) {
  static const struct bus_metric_spec jobs_spec = BUS_GAUGE_SPEC(
      "data_jobs", "Jobs by kind and status, of the newest 10,000; those that ended some days ago are deleted.",
      .labels = {"kind", "status"}, .series_max = JOB_KINDS * JOB_STATUSES + 1);
  static const struct bus_metric_spec seconds_spec = BUS_HISTOGRAM_SPEC(
      "data_job_seconds", job_bounds, "Time from the request for a job until it was done, or failed.",
      .labels = {"kind"}, .scale = 1e-6);
  struct bus_metric *metric = bus_metric_register(&jobs_spec);
  for (int kind = 0; kind < JOB_KINDS; kind++)
    for (int status = 0; status < JOB_STATUSES; status++)
      jobs[kind][status] =
          bus_metric_series(metric, (const char *const[]){job_kind_names[kind], job_status_names[status]});
  bus_metric_series_each(&seconds_spec, job_kind_names, JOB_KINDS, job_seconds);
}

static void register_all(void) {
  static const struct bus_metric_spec events_spec =
      BUS_COUNTER_SPEC("data_events_total", "Events of orders by what became of them.", .labels = {"outcome"});
  static const struct bus_metric_spec age_spec = BUS_HISTOGRAM_SPEC(
      "data_event_age_seconds", bounds, "Time from an event of an order until reports have it.", .scale = 1e-6);
  bus_metric_series_each(&events_spec, data_outcome_names, DATA_OUTCOMES, events);
  bus_metric_singles(&age_spec, 1, ages);
  register_jobs();
}

void data_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_all); /* fails only for a wrong argument */
}

void data_metrics_event(enum data_outcome outcome, int64_t age) {
  bus_series_add(events[outcome], 1);
  if (age != BUS_NO_INT64)
    bus_series_observe(ages[0], age);
}

void data_metrics_job(const struct job *job) {
  bus_series_observe(job_seconds[job->kind], job->finished_at - job->created_at);
}

void data_metrics_jobs(const struct bus_rows *rows) {
  for (int kind = 0; kind < JOB_KINDS; kind++)
    for (int status = 0; status < JOB_STATUSES; status++) {
      int64_t count = 0;
      for (size_t row = 0; row < bus_rows_count(rows); row++)
        if (bus_str_is(bus_rows_text(rows, row, 0), job_kind_names[kind]) &&
            bus_str_is(bus_rows_text(rows, row, 1), job_status_names[status]))
          count = bus_rows_int64(rows, row, 2);
      bus_series_set(jobs[kind][status], count);
    }
}
