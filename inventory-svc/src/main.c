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

/* The service has no use for the deleted rows. */
static void ignore_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context, (void)worker, (void)rows;
}

static void held_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context;
  if (bus_worker_pushed(worker) > 0)
    return; /* these are still waiting, or are found again */
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    const struct inventory_due due = {bus_rows_uuid(rows, row, 0)};
    (void)bus_worker_push(worker, BUS_INPUT_DEADLINE, &due, sizeof due); /* what does not fit is found again */
  }
}

static const struct bus_periodic periodics[] = {
    {.statement = PURGE_REQUESTS, .interval_ms = PURGE_INTERVAL_MS, .rows = ignore_rows},
    {.statement = FIND_HELD, .interval_ms = HELD_INTERVAL_MS, .when_settled = true, .rows = held_rows},
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
