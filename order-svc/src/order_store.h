/* The SQL of commands and events: the two trips of a batch. */
#pragma once

#include <bus/worker.h>

/* As struct bus_service has them. context: a struct order_context (order_upkeep.h); model: a struct order_model. */
bool order_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                struct bus_sql *sql, void **ret_model);
bool order_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
bool order_store(void *model, struct bus_sql *sql);
