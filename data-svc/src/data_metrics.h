/* data-svc's metrics. */
#pragma once

#include "data_model.h"

void data_metrics_register(void);
/* age: in microseconds; BUS_NO_INT64: unknown. */
void data_metrics_event(enum data_outcome outcome, int64_t age);
/* A job that ended. */
void data_metrics_job(const struct job *job);
/* Rows of COUNT_JOBS. */
void data_metrics_jobs(const struct bus_rows *rows);
