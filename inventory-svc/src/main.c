/* inventory-svc: the catalogue, its stock, and the reservations of orders. */
#include "inventory_columns.h"
#include "inventory_metrics.h"
#include "inventory_query.h"
#include "inventory_query_store.h"
#include "inventory_service.h"
#include "inventory_statements.h"
#include "inventory_store.h"

#include <bus/service.h>
#include <orderbus_topology.h>
#include <stdlib.h>

enum { PURGE_INTERVAL_MS = 600000, HELD_INTERVAL_MS = 5000 };

static bool open_commands(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  (void)settings, (void)worker, (void)err; /* nothing here can fail */
  inventory_metrics_register();
  *ret_context = NULL;
  return true;
}

static const struct bus_periodic periodics[] = {
    {.statement = PURGE_REQUESTS, .interval_ms = PURGE_INTERVAL_MS},
    {.statement = FIND_HELD, .interval_ms = HELD_INTERVAL_MS, .when_settled = true, .rows = bus_worker_push_due},
};

static const char *const command_queues[] = {"inventory-svc"};
static const struct bus_service commands = {
    .name = "inventory-svc",
    .version = ORDERBUS_VERSION,
    .queues = command_queues,
    .queue_count = BUS_COUNT(command_queues),
    .statements = inventory_statements,
    .statement_count = BUS_COUNT(inventory_statements),
    .periodics = periodics,
    .periodic_count = BUS_COUNT(periodics),
    .open = open_commands,
    .lock = inventory_lock,
    .load = inventory_load,
    .decide = inventory_decide,
    .store = inventory_store,
    .act = inventory_metrics_count,
};

static const char *const query_queues[] = {"inventory-svc.query"};
static const struct bus_service queries = {
    .name = "inventory-svc",
    .version = ORDERBUS_VERSION,
    .queues = query_queues,
    .queue_count = BUS_COUNT(query_queues),
    .statements = inventory_query_statements,
    .statement_count = BUS_COUNT(inventory_query_statements),
    .open = bus_worker_is_context,
    .lock = query_lock,
    .load = query_load,
    .decide = query_decide,
};

static const struct bus_table *const tables[] = {&product_columns, &reservation_columns, &request_columns, NULL};

static const struct bus_program program = {
    .name = "inventory-svc",
    .summary = "Keeps the catalogue, its stock and the reservations of orders.",
    .default_port = "8082",
    .topology = &orderbus_topology,
    .schema_project = "inventory",
    .schema_change = "expected_until",
    .commands = &commands,
    .queries = &queries,
    .tables = tables,
    .print_flag = "--print-states",
    .print = reservation_print_table,
};

int main(int argc, char **argv) {
  return inventory_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
