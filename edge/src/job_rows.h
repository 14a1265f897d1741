/* The rows of routes.c about jobs. */
#ifndef EDGE_JOB_ROWS_H
#define EDGE_JOB_ROWS_H

#include "jobs.h"

#define NO_JOB                                                                                                         \
  { 404, "no such job", NULL }
#define OF_JOB .access = BUS_ROUTE_OPERATOR, .handler = edge_query

#define JOB_ROUTES                                                                                                     \
  {.method = "POST",                                                                                                   \
   .path = "/api/jobs",                                                                                                \
   .access = BUS_ROUTE_OPERATOR,                                                                                       \
   .input = &job_create_input,                                                                                         \
   .handler = edge_jobs_post,                                                                                          \
   .body_limit = BODY_LIMIT,                                                                                           \
   QUERY(job_create_type, job_answer_type, NULL),                                                                      \
   .summary = "Begins a job: an export of orders, or sums of reports that are made again",                             \
   ANSWERS({202, "it begins soon", &job_schema},                                                                       \
           {200, "the same request again: the job as it is now (Idempotent-Replayed)", &job_schema}, WRONG, REUSED,    \
           UNAVAILABLE)},                                                                                              \
      {.method = "GET",                                                                                                \
       .path = "/api/jobs",                                                                                            \
       OF_JOB,                                                                                                         \
       .input = &job_list_input,                                                                                       \
       QUERY(job_list_type, job_page_type, NULL),                                                                      \
       .summary = "Jobs, newest first",                                                                                \
       ANSWERS({200, "a page", &job_page_schema}, WRONG, UNAVAILABLE)},                                                \
      {.method = "GET",                                                                                                \
       .path = "/api/jobs/{job}",                                                                                      \
       OF_JOB,                                                                                                         \
       .input = &job_input,                                                                                            \
       QUERY(job_get_type, job_answer_type, response_job),                                                             \
       .summary = "A job: how far it is, or how it ended",                                                             \
       ANSWERS({200, "the job", &job_schema}, NO_JOB, UNAVAILABLE)},                                                   \
      {.method = "POST",                                                                                               \
       .path = "/api/jobs/{job}/cancel",                                                                               \
       OF_JOB,                                                                                                         \
       .input = &job_change_input,                                                                                     \
       .body_limit = BODY_LIMIT,                                                                                       \
       QUERY(job_cancel_type, job_answer_type, response_job_cancelled),                                                \
       .summary = "Ends a job between two of its steps",                                                               \
       ANSWERS({200, "it is CANCELLED, now or before", &job_schema}, NO_JOB, {409, "it has ended otherwise", NULL},    \
               UNAVAILABLE)},                                                                                          \
      {.method = "POST",                                                                                               \
       .path = "/api/jobs/{job}/retry",                                                                                \
       OF_JOB,                                                                                                         \
       .input = &job_change_input,                                                                                     \
       .body_limit = BODY_LIMIT,                                                                                       \
       QUERY(job_retry_type, job_answer_type, response_job_retried),                                                   \
       .summary = "Has a FAILED job go on where it stopped",                                                           \
       ANSWERS({200, "it goes on, or does so already", &job_schema}, NO_JOB, {409, "it is DONE or CANCELLED", NULL},   \
               UNAVAILABLE)},                                                                                          \
  {                                                                                                                    \
    .method = "GET", OF_JOB, .path = "/api/jobs/{job}/result", .input = &job_result_input,                             \
    QUERY(job_result_get_type, job_result_type, response_job_result),                                                  \
    .summary = "The orders that an export copied, newest first; none of other jobs",                                   \
    ANSWERS({200, "a page", &report_orders_schema}, WRONG, NO_JOB, {409, "it is not DONE", NULL}, UNAVAILABLE)         \
  }

#endif
