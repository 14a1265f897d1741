/* The functions of struct bus_service that touch keys, threads, files and SQL. */
#ifndef USER_HOOKS_H
#define USER_HOOKS_H

#include "user_settings.h"

#include <bus/worker.h>

bool user_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void user_close(void *context);
bool user_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
               struct bus_sql *sql, void **ret_model);
void user_act(void *context, const void *action);

bool user_query_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void user_query_close(void *context);
bool user_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                     struct bus_sql *sql, void **ret_model);

enum { USER_PERIODICS = 5 };
extern const struct bus_periodic user_periodics[USER_PERIODICS];

#endif
