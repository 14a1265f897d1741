/* A worker without links or a thread, for what it records of a pipeline's actions. */
#pragma once

#include <bus/pipeline.h>
#include <bus/tracer.h>

struct bus_worker *worker_rig_new(const struct bus_service *service, struct bus_tracer *tracer);
/* The spans of the actions' messages and transactions. */
void worker_rig_record(struct bus_worker *worker, const struct bus_pipeline_actions *actions);
void worker_rig_free(struct bus_worker *worker);
