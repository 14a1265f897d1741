/* The SQL of queries: one statement for all products asked for by id, one for all pages. */
#ifndef INVENTORY_QUERY_STORE_H
#define INVENTORY_QUERY_STORE_H

#include <bus/worker.h>

/* bus_service.lock and load; the model is a struct query_model. */
bool query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                struct bus_sql *sql, void **ret_model);
bool query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);

#endif
