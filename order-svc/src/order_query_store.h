/* The SQL of queries: one statement for each kind of question, however many of it a batch has. */
#ifndef ORDER_QUERY_STORE_H
#define ORDER_QUERY_STORE_H

#include "order_query.h"

#include <bus/error.h>
#include <bus/sql.h>

/* As struct bus_service has them; context: the worker, or NULL where there is none. */
bool order_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                      struct bus_sql *sql, void **ret_model);
bool order_query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);

#endif
