/* The state of data-svc for each worker, counting after COMMIT, and what runs at intervals. */
#pragma once

#include "data_settings.h"

#include <bus/worker.h>

enum { DATA_PERIODICS = 1 };
extern const struct bus_periodic data_periodics[DATA_PERIODICS];

/* Functions of struct bus_service. The context is the worker's copy of the settings. */
bool data_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void data_close(void *context);
void data_act(void *context, const void *action);
