/* The state of data-svc for each worker, what follows a COMMIT, and what runs at intervals. */
#pragma once

#include "data_settings.h"

#include <bus/worker.h>

/* The context of the functions of struct bus_service. */
struct data_context {
  struct data_settings settings; /* a copy for the worker */
  struct bus_worker *worker;
};

enum { DATA_PERIODICS = 4 };
extern const struct bus_periodic data_periodics[DATA_PERIODICS];

/* Functions of struct bus_service. */
bool data_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void data_close(void *context);
void data_act(void *context, const void *action);
