/* payment-svc: charges and refunds payments at the payment service provider, exactly as often as was asked. */
#include "payment_columns.h"
#include "payment_metrics.h"
#include "payment_periodics.h"
#include "payment_queries.h"
#include "payment_service.h"
#include "payment_statements.h"
#include "payment_store.h"
#include "payment_table.h"
#include "payment_upkeep.h"

#include <bus/service.h>
#include <orderbus_topology.h>

#include <stdlib.h>

extern const struct bus_topology_part payment_topology;

static struct payment_settings settings;

static const struct bus_service commands = {
    .statements = payment_statements,
    .statement_count = BUS_COUNT(payment_statements),
    .periodics = payment_periodics,
    .periodic_count = PAYMENT_PERIODICS,
    .open = payment_open,
    .close = payment_close,
    .lock = payment_lock,
    .load = payment_load,
    .decide = payment_service_decide,
    .store = payment_store,
    .act = payment_act,
};

static const struct bus_service queries = {
    .statements = payment_query_statements,
    .statement_count = BUS_COUNT(payment_query_statements),
    .open = bus_worker_is_context,
    .lock = payment_query_lock,
    .load = payment_query_load,
    .decide = payment_query_decide,
};

static const struct bus_table *const tables[] = {&payment_columns, &refund_columns, &booking_columns, NULL};

static const struct bus_program program = {
    .summary = "Charges and refunds payments at the payment service provider.",
    .part = &payment_topology,
    .default_port = SERVICE_PORT,
    .topology = &orderbus_topology,
    .schema_project = SERVICE_DATABASE,
    .schema_change = "open_refunds",
    .commands = &commands,
    .queries = &queries,
    .options = payment_options,
    .option_count = BUS_COUNT(payment_options),
    .settings = &settings,
    .register_metrics = payment_metrics_register,
    .tables = tables,
    .print_flag = "--print-states",
    .print = payment_table_print,
};

int main(int argc, char **argv) {
  return payment_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
