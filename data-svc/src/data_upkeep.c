/* Work of data-svc after COMMIT and at intervals. */
#include "data_upkeep.h"

#include "data_metrics.h"
#include "data_statements.h"

#include <bus/log.h>

#include <stdlib.h>

enum { KEEP_MONTHS_MS = 600000, FIND_JOBS_MS = 500, COUNT_JOBS_MS = 10000, PURGE_JOBS_MS = 60000, MONTHS_AHEAD = 3 };

bool data_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  struct data_context *context = malloc(sizeof *context);
  if (!context)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker's context");
  data_metrics_register();
  *context = (struct data_context){*(const struct data_settings *)settings, worker};
  *ret_context = context;
  return true;
}

void data_close(void *context) {
  free(context);
}

/* The next step follows at once; what cannot be pushed is found again. */
static void act_on_job(struct data_context *context, const struct job *job) {
  if (job_is_open(job)) {
    (void)bus_worker_push(context->worker, BUS_INPUT_DEADLINE, &job->job_id, sizeof job->job_id);
    return;
  }
  data_metrics_job(job);
  bus_log(job->status == JOB_FAILED ? BUS_WARN : BUS_INFO, "a job ended", BUS_F_UUID("job_id", &job->job_id),
          BUS_F_STR("kind", job_kind_names[job->kind]), BUS_F_STR("status", job_status_names[job->status]));
}

void data_act(void *context, const void *given) {
  const struct data_action *action = given;
  if (action->job)
    act_on_job(context, action->job);
  else
    data_metrics_event(action->outcome, action->age);
}

/* ---- at intervals ---- */

static void keep_months_args(void *context, struct bus_args *args) {
  bus_args_int64(args, ((const struct data_context *)context)->settings.keep_months);
  bus_args_int64(args, MONTHS_AHEAD);
}

static void keep_months_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context, (void)worker;
  int64_t changed = bus_rows_int64(rows, 0, 0);
  if (changed == BUS_NO_INT64)
    bus_log(BUS_WARN, "months of reports are in use; they are made and dropped ten minutes later");
  else if (changed > 0)
    bus_log(BUS_INFO, "months of reports were made or dropped", BUS_F_INT("months", changed));
}

static void count_jobs_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context, (void)worker;
  data_metrics_jobs(rows);
}

static void purge_jobs_args(void *context, struct bus_args *args) {
  bus_args_int64(args, ((const struct data_context *)context)->settings.job_keep_days);
}

/* The service has no use for the deleted rows. */
static void ignore_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context, (void)worker, (void)rows;
}

const struct bus_periodic data_periodics[DATA_PERIODICS] = {
    {.statement = KEEP_MONTHS, .interval_ms = KEEP_MONTHS_MS, .args = keep_months_args, .rows = keep_months_rows},
    {.statement = FIND_JOBS, .interval_ms = FIND_JOBS_MS, .rows = bus_worker_push_due},
    {.statement = COUNT_JOBS, .interval_ms = COUNT_JOBS_MS, .rows = count_jobs_rows},
    {.statement = PURGE_JOBS, .interval_ms = PURGE_JOBS_MS, .args = purge_jobs_args, .rows = ignore_rows},
};
