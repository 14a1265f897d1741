/* A worker without links or a thread, for what it records of a pipeline's actions. */
#include "worker_rig.h"

#include "worker_internal.h"

#include <stdlib.h>

/* The correlation id has a name of the system. */
static const struct bus_topology names = {.correlation = "order_id"};

struct bus_worker *worker_rig_new(const struct bus_service *service, struct bus_tracer *tracer) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  struct bus_worker *worker = calloc(1, sizeof *worker);
  if (!worker)
    abort();
  worker->service = service;
  worker->topology = &names;
  worker->settings.tracer = tracer;
  memcpy(worker->database.name, "things", sizeof "things");
  bus_uuid_source_init(&worker->ids, seed);
  return worker;
}

void worker_rig_record(struct bus_worker *worker, const struct bus_pipeline_actions *actions) {
  for (size_t i = 0; i < actions->count; i++) {
    if (actions->items[i].kind == BUS_DO_COUNT_BATCH)
      spans_batch(worker, &actions->items[i]);
    if (actions->items[i].kind == BUS_DO_COUNT_MESSAGE)
      spans_message(worker, &actions->items[i]);
  }
}

void worker_rig_free(struct bus_worker *worker) {
  free(worker);
}
