/* Steps and states of jobs. */
#include "job.h"

enum { HOURS_OF_DAY = 24 };

bool job_is_open(const struct job *job) {
  return job->status == JOB_QUEUED || job->status == JOB_RUNNING;
}

/* ---- steps ---- */

static void end(struct job *job, enum job_status status, const char *error, bus_time now) {
  job->status = (int)status;
  job->error = error ? bus_str(error) : BUS_NO_STR;
  job->finished_at = now;
}

static void export(struct job *job, const struct job_walk *walk, const struct job_limits *limits, bus_time now) {
  if (job->total == BUS_NO_INT64)
    job->total = walk->total;
  if (job->found + walk->fitting > limits->export_max) {
    end(job, JOB_FAILED, "too many orders fit (JOB_EXPORT_MAX): ask for a shorter time, or set more filters", now);
    return;
  }
  job->found += walk->fitting;
  job->done += walk->walked;
  if (walk->walked > 0) {
    job->place_at = walk->last_at;
    job->place_id = walk->last_id;
  }
  if (job->total < job->done)
    job->total = job->done;
  if (walk->walked == JOB_WALK_MAX)
    return;
  job->total = job->done;
  end(job, JOB_DONE, NULL, now);
}

static void rebuild(struct job *job, const struct job_limits *limits, bus_time now) {
  job->total = (job->to - job->from) / BUS_HOUR;
  if (job->place_at < limits->since) {
    end(job, JOB_FAILED, "orders of that time are not kept any more (REPORTS_KEEP_MONTHS): their sums stay", now);
    return;
  }
  job->place_at += BUS_HOUR;
  job->done++;
  if (job->place_at >= job->to)
    end(job, JOB_DONE, NULL, now);
}

void job_evolve_step(struct job *job, const struct job_walk *walk, const struct job_limits *limits, bus_time now) {
  job->status = JOB_RUNNING;
  if (job->started_at == BUS_NO_TIME)
    job->started_at = now;
  if (job->kind == JOB_EXPORT_ORDERS)
    export(job, walk, limits, now);
  else
    rebuild(job, limits, now);
}

bool job_makes_sums(const struct job *before, const struct job *after) {
  return before->kind == JOB_REBUILD_SUMS && after->done > before->done;
}

bool job_ends_day(const struct job *before) {
  return before->place_at / BUS_HOUR % HOURS_OF_DAY == HOURS_OF_DAY - 1;
}

bool job_copies_orders(const struct job *before, const struct job *after) {
  return before->kind == JOB_EXPORT_ORDERS && after->found > before->found;
}

/* ---- requests ---- */

void job_make(const struct job *asked, bus_time now, struct job *ret) {
  *ret = *asked;
  if (ret->kind == JOB_REBUILD_SUMS) {
    ret->from = report_slot_of(ret->from, REPORT_DAY);
    ret->to = report_slot_end(ret->to, REPORT_DAY);
  }
  ret->status = JOB_QUEUED;
  ret->done = ret->found = 0;
  ret->total = BUS_NO_INT64;
  ret->attempts = 1;
  ret->error = BUS_NO_STR;
  ret->created_at = now;
  ret->started_at = ret->finished_at = BUS_NO_TIME;
  ret->place_at = ret->kind == JOB_REBUILD_SUMS ? ret->from : ret->to;
  ret->place_id = (struct bus_uuid){{0}}; /* before every order of that time */
}

bool job_is_same_task(const struct job *a, const struct job *b) {
  return !bus_row_differs(&job_columns, BUS_VIEW, a, b, NULL);
}

bool job_evolve_cancelled(struct job *job, bus_time now) {
  if (job_is_open(job))
    end(job, JOB_CANCELLED, NULL, now);
  return job->status == JOB_CANCELLED;
}

bool job_evolve_retried(struct job *job) {
  if (job->status != JOB_FAILED)
    return job_is_open(job); /* the same request again */
  job->status = JOB_QUEUED;
  job->error = BUS_NO_STR;
  job->finished_at = BUS_NO_TIME;
  job->attempts++;
  return true;
}
