/* notify-svc: sends webhooks to endpoints of customers, by the specification Standard Webhooks, and mails. */
#include "notify_hooks.h"
#include "notify_metrics.h"
#include "notify_queries.h"
#include "notify_settings.h"
#include "notify_statements.h"

#include <bus/service.h>
#include <orderbus_topology.h>

#include <stdlib.h>

extern const struct bus_topology_part notify_topology;

static struct notify_settings settings;

static const struct bus_service commands = {
    .statements = notify_statements,
    .statement_count = NOTIFY_STATEMENTS,
    .periodics = notify_periodics,
    .periodic_count = NOTIFY_PERIODICS,
    .open = notify_open,
    .close = notify_close,
    .lock = notify_lock,
    .load = notify_load,
    .decide = notify_decide,
    .store = notify_store,
    .act = notify_act,
};

static const struct bus_service requests = {
    .statements = notify_statements,
    .statement_count = NOTIFY_STATEMENTS,
    .open = notify_request_open,
    .close = notify_close,
    .lock = notify_request_lock,
    .load = notify_load,
    .decide = notify_request_decide,
    .store = notify_store,
};

static const struct bus_service queries = {
    .statements = notify_query_statements,
    .statement_count = NOTIFY_QUERY_STATEMENTS,
    .open = bus_worker_is_context,
    .lock = notify_query_lock,
    .load = notify_query_load,
    .decide = notify_query_decide,
};

static const struct bus_table *const tables[] = {&endpoint_columns, &delivery_columns, &attempt_columns,
                                                 &mail_window_columns, NULL};

static const struct bus_program program = {
    .summary = "Sends webhooks and mails to endpoints of customers.",
    .part = &notify_topology,
    .default_port = SERVICE_PORT,
    .topology = &orderbus_topology,
    .schema_project = SERVICE_DATABASE,
    .schema_change = "mail",
    .commands = &commands,
    .requests = &requests,
    .queries = &queries,
    .options = notify_options,
    .option_count = NOTIFY_OPTIONS,
    .settings = &settings,
    .register_metrics = notify_metrics_register,
    .tables = tables,
};

int main(int argc, char **argv) {
  return notify_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
