/* order-svc: takes orders and carries each one through its saga. */
#include "order_columns.h"
#include "order_metrics.h"
#include "order_queries.h"
#include "order_service.h"
#include "order_statements.h"
#include "order_store.h"
#include "order_table.h"
#include "order_upkeep.h"

#include <bus/service.h>
#include <orderbus_topology.h>
#include <stdlib.h>

extern const struct bus_topology_part order_topology;

static const struct bus_service commands = {
    .statements = order_statements,
    .statement_count = ORDER_STATEMENTS,
    .periodics = order_periodics,
    .periodic_count = ORDER_PERIODICS,
    .open = order_open,
    .close = order_close,
    .lock = order_lock,
    .load = order_load,
    .decide = order_decide_input,
    .conclude = order_conclude,
    .store = order_store,
    .act = order_metrics_count,
};

static const struct bus_service queries = {
    .statements = order_query_statements,
    .statement_count = ORDER_QUERY_STATEMENTS,
    .open = bus_worker_is_context,
    .lock = order_query_lock,
    .load = order_query_load,
    .decide = order_query_decide,
};

static const struct bus_table *const tables[] = {&order_columns, &event_columns, &tombstone_columns, NULL};

static struct order_settings settings;

static const struct bus_program program = {
    .summary = "Takes orders and carries each one through its saga.",
    .part = &order_topology,
    .default_port = SERVICE_PORT,
    .topology = &orderbus_topology,
    .schema_project = SERVICE_DATABASE,
    .schema_change = order_schema_change,
    .commands = &commands,
    .queries = &queries,
    .options = order_options,
    .option_count = ORDER_OPTIONS,
    .settings = &settings,
    .register_metrics = order_metrics_register,
    .tables = tables,
    .saga = &order_saga,
};

int main(int argc, char **argv) {
  return order_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
