/* Wires workers to the sender and to the keys; looks for deliveries that are due. */
#pragma once

#include "notify_model.h"

#include <bus/worker.h>

enum { NOTIFY_PERIODICS = 7 };
extern const struct bus_periodic notify_periodics[NOTIFY_PERIODICS];

/* The worker that takes events and sends. */
bool notify_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void notify_close(void *context);
bool notify_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model);
void notify_act(void *context, const void *action);

/* The worker that takes requests. */
bool notify_request_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
bool notify_request_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct bus_sql *sql, void **ret_model);
