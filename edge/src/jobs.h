/* Requests of operators for jobs, which data-svc does: tables, handlers and responses. */
#ifndef EDGE_JOBS_H
#define EDGE_JOBS_H

#include "edge.h"

#include <data_messages.h>

extern const struct bus_http_input job_create_input, job_list_input, job_input, job_change_input, job_result_input;

/* POST /api/jobs */
void edge_jobs_post(void *edge, struct bus_http_exchange *exchange);

/* Responses to a struct job_answer: of a read, of a request to cancel, of one to retry. */
response_view response_job, response_job_cancelled, response_job_retried;
/* The response to a struct job_result. */
response_view response_job_result;

#endif
