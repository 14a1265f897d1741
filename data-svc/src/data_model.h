/* The model of a batch: the orders that its events name, jobs that have a step to do, and the months that have
 * partitions. Pure. */
#pragma once

#include "job.h"

/* An order of the batch. */
struct report_entry {
  struct report report; /* first */
  struct report before; /* as stored */
};

/* A job of the batch. */
struct job_entry {
  struct job job;    /* first */
  struct job before; /* the step */
  struct job_walk walk;
};

struct data_model {
  struct bus_arena *arena;
  struct bus_set reports; /* struct report_entry, by order */
  bus_time *placed;       /* of the reports, in their order */
  bus_time since, until;  /* of the partitions */
  struct bus_set jobs;    /* struct job_entry; those that others do not hold are stored */
  int64_t export_max;     /* JOB_EXPORT_MAX */
};

/* The outcome of an event. */
enum data_outcome { DATA_TAKEN, DATA_REPEATED, DATA_EXPIRED, DATA_UNDATED, DATA_OUTCOMES };
extern const char *const data_outcome_names[];
struct data_action {
  enum data_outcome outcome;
  int64_t age;           /* from the event to its COMMIT here, less the commit itself; BUS_NO_INT64: unknown */
  const struct job *job; /* after a step; NULL: an event */
};

bool data_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena, struct data_model **ret);
/* After the rows are loaded. */
void data_model_keep(struct data_model *model);

/* The functions of struct bus_service. */
bool data_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
               struct bus_sql *sql, void **ret_model);
bool data_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
void data_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
bool data_store(void *model, struct bus_sql *sql);
/* The sums that the batch changes, sorted by key; NULL: out of memory. */
struct share *data_model_shares(const struct data_model *model, size_t *ret_count);
