/* inventory-svc: the catalogue, its stock, and reservations. */
#include "inventory_columns.h"
#include "inventory_metrics.h"
#include "inventory_queries.h"
#include "inventory_service.h"
#include "inventory_statements.h"
#include "inventory_store.h"
#include "inventory_table.h"
#include "inventory_upkeep.h"

#include <bus/service.h>
#include <orderbus_topology.h>
#include <stdlib.h>

extern const struct bus_topology_part inventory_topology;

static const struct bus_service commands = {
    .statements = inventory_statements,
    .statement_count = INVENTORY_STATEMENTS,
    .periodics = inventory_periodics,
    .periodic_count = INVENTORY_PERIODICS,
    .open = inventory_open,
    .close = inventory_close,
    .lock = inventory_lock,
    .load = inventory_load,
    .decide = inventory_decide,
    .conclude = inventory_conclude,
    .store = inventory_store,
    .act = inventory_metrics_count,
};

static const struct bus_service requests = {
    .statements = inventory_statements,
    .statement_count = INVENTORY_STATEMENTS,
    .open = inventory_metrics_open,
    .lock = inventory_lock,
    .load = inventory_load,
    .decide = inventory_decide,
    .conclude = inventory_conclude,
    .store = inventory_store,
    .act = inventory_metrics_count,
};

static const struct bus_service queries = {
    .statements = inventory_query_statements,
    .statement_count = INVENTORY_QUERY_STATEMENTS,
    .open = bus_worker_is_context,
    .lock = inventory_query_lock,
    .load = inventory_query_load,
    .decide = inventory_query_decide,
};

static const struct bus_table *const tables[] = {&product_columns, &reservation_columns, &request_columns, NULL};

static struct inventory_settings settings;

static const struct bus_program program = {
    .summary = "Keeps the catalogue, its stock and the reservations of orders.",
    .part = &inventory_topology,
    .default_port = SERVICE_PORT,
    .topology = &orderbus_topology,
    .schema_project = SERVICE_DATABASE,
    .schema_change = "bus_4",
    .commands = &commands,
    .requests = &requests,
    .queries = &queries,
    .options = inventory_options,
    .option_count = INVENTORY_OPTIONS,
    .settings = &settings,
    .register_metrics = inventory_metrics_register,
    .tables = tables,
    .print_flag = "--print-states",
    .print = reservation_print_table,
};

int main(int argc, char **argv) {
  return inventory_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
