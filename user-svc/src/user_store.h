/* SQL of a batch of requests, and of one of queries. */
#ifndef USER_STORE_H
#define USER_STORE_H

#include "user_model.h"
#include "user_queries.h"

/* Queues the statements that read what the model names. */
void user_store_lock(const struct user_model *model, struct bus_sql *sql);
bool user_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
bool user_store(void *model, struct bus_sql *sql);

/* The same of a batch of queries. */
void user_query_store_lock(const struct user_query_model *model, struct bus_sql *sql);
bool user_query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);

#endif
