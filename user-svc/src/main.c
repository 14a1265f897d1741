/* user-svc: users, their passwords and sessions, and the tokens that the edge checks. */
#include "user_columns.h"
#include "user_hooks.h"
#include "user_queries.h"
#include "user_service.h"
#include "user_statements.h"
#include "user_store.h"

#include <bus/service.h>
#include <orderbus_topology.h>

#include <stdlib.h>

static struct user_settings settings;

static const char *const request_queues[] = {"user-svc.request"};
static const struct bus_service requests = {
    .name = "user-svc",
    .version = ORDERBUS_VERSION,
    .queues = request_queues,
    .queue_count = BUS_COUNT(request_queues),
    .statements = user_statements,
    .statement_count = BUS_COUNT(user_statements),
    .periodics = user_periodics,
    .periodic_count = USER_PERIODICS,
    .open = user_open,
    .close = user_close,
    .lock = user_lock,
    .load = user_load,
    .decide = user_service_decide,
    .store = user_store,
    .act = user_act,
};

static const char *const query_queues[] = {"user-svc.query"};
static const struct bus_service queries = {
    .name = "user-svc",
    .version = ORDERBUS_VERSION,
    .queues = query_queues,
    .queue_count = BUS_COUNT(query_queues),
    .statements = user_query_statements,
    .statement_count = BUS_COUNT(user_query_statements),
    .open = user_query_open,
    .close = user_query_close,
    .lock = user_query_lock,
    .load = user_query_load,
    .decide = user_query_decide,
};

static const struct bus_table *const tables[] = {&user_columns,
                                                 &session_columns,
                                                 &refresh_token_columns,
                                                 &reset_token_columns,
                                                 &guard_columns,
                                                 &past_request_columns,
                                                 NULL};

static const struct bus_program program = {
    .name = "user-svc",
    .summary = "Keeps users, checks their passwords, and signs their tokens.",
    .default_port = "8085",
    .topology = &orderbus_topology,
    .schema_project = "users",
    .schema_change = "bus_4",
    .requests = &requests,
    .queries = &queries,
    .options = user_options,
    .option_count = USER_OPTIONS,
    .settings = &settings,
    .tables = tables,
};

int main(int argc, char **argv) {
  return user_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
