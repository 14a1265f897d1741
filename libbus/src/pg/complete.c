/* Fills in the parts of a service that its program leaves out. */
#include "complete.h"

#include <bus/aggregate.h>

#include <assert.h>
#include <stdlib.h>

static bool is_free(const struct bus_service *given, const char *name, struct bus_error *err) {
  bool taken = given->open || given->lock || given->load || given->store;
  return !taken || bus_fail(err, BUS_E_CONFIG,
                            "%s has an aggregate, which takes the place of open, lock, load and store: "
                            "leave these out",
                            name);
}

static bool make_statements(const struct bus_service *given, bool writes, struct completed *ret,
                            struct bus_error *err) {
  const struct bus_table *table = given->aggregate->table;
  bool changes = bus_table_changes(table);
  const struct bus_recipe recipes[BUS_AGGREGATE_STATEMENTS] = {
      [BUS_AGGREGATE_READ] = {.shape = changes && writes ? BUS_SHAPE_LOCK : BUS_SHAPE_READ, .table = table},
      [BUS_AGGREGATE_INSERT] = BUS_INSERT(table),
      [BUS_AGGREGATE_UPDATE] = {.shape = changes ? BUS_SHAPE_UPDATE : BUS_SHAPE_INSERT, .table = table}};
  size_t count = writes ? BUS_AGGREGATE_STATEMENTS : BUS_AGGREGATE_READ + 1;
  if (given->statement_count > COMPLETED_STATEMENTS_MAX - BUS_AGGREGATE_STATEMENTS)
    return bus_fail(err, BUS_E_CONFIG, "%s: at most %d statements beside those of its aggregate", ret->service.name,
                    COMPLETED_STATEMENTS_MAX - BUS_AGGREGATE_STATEMENTS);
  ret->made = count;
  if (!bus_recipes_make(recipes, count, ret->statements))
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the statements of %s", ret->service.name);
  for (size_t i = count; i < BUS_AGGREGATE_STATEMENTS; i++)
    ret->statements[i] = ret->statements[BUS_AGGREGATE_READ]; /* nobody queues them */
  if (given->statement_count > 0)
    memcpy(ret->statements + BUS_AGGREGATE_STATEMENTS, given->statements,
           given->statement_count * sizeof *given->statements);
  ret->service.statements = ret->statements;
  ret->service.statement_count = BUS_AGGREGATE_STATEMENTS + given->statement_count;
  return true;
}

static bool complete_aggregate(const struct bus_service *given, enum bus_queue_kind kind, struct completed *ret,
                               struct bus_error *err) {
  bool writes = kind != BUS_QUEUE_QUERY;
  if (!is_free(given, ret->service.name, err) || !make_statements(given, writes, ret, err))
    return false;
  ret->service.lock = bus_aggregate_lock;
  ret->service.load = bus_aggregate_load;
  ret->service.store = writes ? bus_aggregate_store : NULL;
  return true;
}

bool service_complete(const struct bus_service *given, const struct bus_topology_part *part, enum bus_queue_kind kind,
                      const char *version, struct completed *ret, const struct bus_service **ret_service,
                      struct bus_error *err) {
  *ret_service = given ? &ret->service : NULL;
  if (!given)
    return true;
  ret->service = *given;
  if (!given->version)
    ret->service.version = version;
  if (part) {
    ret->service.name = part->user.name;
    ret->service.queues = ret->queues;
    ret->service.queue_count = 0;
  }
  for (size_t i = 0; part && i < part->queue_count; i++) {
    assert(ret->service.queue_count < COMPLETED_QUEUES_MAX);
    if (part->queues[i].kind == kind)
      ret->queues[ret->service.queue_count++] = part->queues[i].name;
  }
  return !given->aggregate || complete_aggregate(given, kind, ret, err);
}

void service_uncomplete(struct completed *completed) {
  for (size_t i = 0; i < completed->made; i++) {
    free((void *)(uintptr_t)completed->statements[i].sql);
    free((void *)(uintptr_t)completed->statements[i].params);
  }
  completed->made = 0;
}

void *service_context(const struct bus_service *service) {
  return service->aggregate ? (void *)(uintptr_t)service : NULL;
}
