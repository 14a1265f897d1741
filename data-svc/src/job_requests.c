/* Requests of operators: jobs are created, cancelled and retried. */
#include "job.h"

#include <assert.h>

/* Each begins with the id of its job. */
_Static_assert(offsetof(struct job, job_id) == 0 && offsetof(struct job_name, job_id) == 0, "key_of takes the first");

static const void *key_of(const struct bus_input *input) {
  return input->body;
}

const struct bus_aggregate job_aggregate = {.table = &job_columns, .key_of = key_of};

static void answer(struct bus_effects *effects, enum job_outcome outcome, struct job *job) {
  const struct job_answer body = {.outcome = (int)outcome, .job = job};
  bus_answer(effects, &job_answer_type, &body);
}

static void create(struct bus_set *jobs, struct job *job, const struct job *asked, bool is_there,
                   struct bus_effects *effects) {
  struct job made;
  job_make(asked, effects->now, &made);
  if (is_there) {
    bool same = job_is_same_task(job, &made);
    answer(effects, same ? JOB_REPEATED : JOB_KEY_REUSED, same ? job : NULL);
    return;
  }
  *job = made;
  bus_set_change(jobs, job);
  answer(effects, JOB_CREATED, job);
}

void job_request_decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct bus_set *jobs = model;
  struct job *job = bus_set_find(jobs, input->body);
  assert(job);
  bool is_there = bus_set_is_stored(jobs, job) || bus_set_is_changed(jobs, job);
  if (input->type == &job_create_type) {
    create(jobs, job, input->body, is_there, effects);
    return;
  }
  if (!is_there) {
    answer(effects, JOB_NOT_FOUND, NULL);
    return;
  }
  bool may = input->type == &job_cancel_type ? job_evolve_cancelled(job, effects->now) : job_evolve_retried(job);
  if (may)
    bus_set_change(jobs, job);
  answer(effects, may ? JOB_FOUND : JOB_UNFIT, job);
}
