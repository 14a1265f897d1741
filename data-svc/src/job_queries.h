/* Reads of jobs, as a part of the batch of queries. */
#pragma once

#include "job.h"

#include <bus/page.h>

/* A page of jobs, or of the orders that an export copied. */
struct job_read {
  struct bus_page page; /* first */
  const void *query;
  bus_time behind_at;
  struct bus_uuid behind_id;
};
struct job_reads {
  struct bus_arena *arena;
  struct bus_set jobs; /* that are named */
  struct job_read *lists, *results;
  size_t list_count, result_count;
};

/* Before all others. False: out of memory. */
bool job_reads_open(struct job_reads *reads, const struct bus_input *inputs, size_t count,
                    struct bus_arena *arena) BUS_MUST_CHECK;
void job_reads_add(const struct job_reads *reads, struct bus_sql *sql);
/* *rows: of the first statement that job_reads_add queued; moves on behind the last one. */
bool job_reads_load(struct job_reads *reads, const struct bus_rows *const **rows, struct bus_error *err) BUS_MUST_CHECK;
/* False: the input is no query of jobs. */
bool job_reads_answer(const struct job_reads *reads, const struct bus_input *input, struct bus_effects *effects);

/* An order as reports show it (data_queries.c). */
struct report_order report_order_of(const struct report *report);
