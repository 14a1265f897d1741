/* The SQL of inventory-svc: what batches lock, read and write. */
#ifndef INVENTORY_STORE_H
#define INVENTORY_STORE_H

#include "inventory_service.h"

#include <bus/worker.h>

/* bus_service.lock, load and store; the model is a struct inventory_model. */
bool inventory_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                    struct bus_sql *sql, void **ret_model);
bool inventory_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
bool inventory_store(void *model, struct bus_sql *sql);

#endif
