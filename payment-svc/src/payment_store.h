/* The payments of a batch in the database: locked and loaded, and stored again. */
#ifndef PAYMENT_STORE_H
#define PAYMENT_STORE_H

#include "payment_service.h"

#include <bus/worker.h>

/* As bus_service has them; context: a struct payment_policy; the model is a struct payment_model. */
bool payment_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                  struct bus_sql *sql, void **ret_model) BUS_MUST_CHECK;
bool payment_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) BUS_MUST_CHECK;
bool payment_store(void *model, struct bus_sql *sql) BUS_MUST_CHECK;

#endif
