/* Jobs: their steps, and what operators may ask of them. A step is a transaction: a job goes on where the last one that
 * was committed ended, whatever was killed. Pure. */
#pragma once

#include "data.h"

extern const struct bus_table job_columns;

enum { JOB_WALK_MAX = 2000 /* orders of a step */ };

/* The next orders that an export walks. */
struct job_walk {
  int64_t walked, fitting;
  bus_time last_at; /* the last of them */
  struct bus_uuid last_id;
  int64_t total; /* orders of those days, by their sums; BUS_NO_INT64: the job knows it */
};
struct job_limits {
  bus_time since;     /* orders that were placed before are not kept any more */
  int64_t export_max; /* orders of an export */
};

/* Does it have a next step? */
bool job_is_open(const struct job *job);
/* Does a step of it make sums? The hour is that of place_at before the step, and the day if it is its last hour. */
bool job_makes_sums(const struct job *before, const struct job *after);
bool job_ends_day(const struct job *before);
/* Does a step of it copy orders? They are those from the place after the step to the one before it. */
bool job_copies_orders(const struct job *before, const struct job *after);
/* walk: of exports alone. */
void job_evolve_step(struct job *job, const struct job_walk *walk, const struct job_limits *limits, bus_time now);

/* ---- requests ---- */

/* The job as a request of job.create.v1 makes it. */
void job_make(const struct job *asked, bus_time now, struct job *ret);
bool job_is_same_task(const struct job *a, const struct job *b);
/* False: its status does not allow it. */
bool job_evolve_cancelled(struct job *job, bus_time now);
bool job_evolve_retried(struct job *job);
/* decide() of the worker that takes requests; the model is the struct bus_set of the jobs. */
void job_request_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
extern const struct bus_aggregate job_aggregate;
