/* data-svc: keeps orders as their events tell them, and answers reports of them. */
#include "data_metrics.h"
#include "data_model.h"
#include "data_queries.h"
#include "data_statements.h"
#include "data_upkeep.h"

#include <bus/service.h>
#include <orderbus_topology.h>

#include <stdlib.h>

extern const struct bus_topology_part data_topology;

static struct data_settings settings;

static const struct bus_service commands = {
    .statements = data_statements,
    .statement_count = DATA_STATEMENTS,
    .periodics = data_periodics,
    .periodic_count = DATA_PERIODICS,
    .open = data_open,
    .close = data_close,
    .lock = data_lock,
    .load = data_load,
    .decide = data_decide,
    .store = data_store,
    .act = data_act,
};

static const struct bus_service requests = {.aggregate = &job_aggregate, .decide = job_request_decide};

static const struct bus_service queries = {
    .statements = data_query_statements,
    .statement_count = DATA_QUERY_STATEMENTS,
    .open = bus_worker_is_context,
    .lock = data_query_lock,
    .load = data_query_load,
    .decide = data_query_decide,
};

static const struct bus_table *const tables[] = {&report_columns, &share_columns, &job_columns, NULL};

static const struct bus_program program = {
    .summary = "Keeps orders as their events tell them, and answers reports of them.",
    .part = &data_topology,
    .default_port = SERVICE_PORT,
    .topology = &orderbus_topology,
    .schema_project = SERVICE_DATABASE,
    .schema_change = "jobs",
    .commands = &commands,
    .requests = &requests,
    .queries = &queries,
    .options = data_options,
    .option_count = DATA_OPTIONS,
    .settings = &settings,
    .register_metrics = data_metrics_register,
    .tables = tables,
};

int main(int argc, char **argv) {
  return data_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
