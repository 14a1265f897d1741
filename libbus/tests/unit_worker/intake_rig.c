/* The functions of intake_rig.h. */
#include "intake_rig.h"

#include <test.h>

#include <stdlib.h>

static const struct bus_field fields[] = {BUS_FIELD_INT64(struct body, n, 0, 100, BUS_REQUIRED, "a number")};
static const struct bus_schema schema = BUS_SCHEMA("body", struct body, fields);
const struct bus_message_type intake_rig_type = BUS_COMMAND("thing.do.v1", &schema, "owner");
static const struct bus_message_type *const types[] = {&intake_rig_type};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("things", types)};
static const struct bus_topology_part owner = {.user = {.name = "owner", .asks = true}},
                                      other = {.user = {.name = "other", .asks = true}},
                                      operator= {.user = {.name = "operator", .redrives = true}},
                                      thing = BUS_TOPOLOGY_PART("thing", types, queues);
static const struct bus_topology_part *const parts[] = {&owner, &other, &operator, & thing };
static const struct bus_topology topology = {
    .parts = parts, .part_count = BUS_COUNT(parts), .tiers = bus_default_tiers, .tier_count = 3};
static const char *const names[] = {"things"};

static bool store(void *model, struct bus_sql *sql) {
  (void)model;
  (void)sql;
  return true;
}
static const struct bus_service service = {.name = "thing", .queues = names, .queue_count = 1, .store = store};
const struct bus_service intake_rig_query = {.name = "thing", .queues = names, .queue_count = 1};

struct bus_worker *intake_rig_new(void) {
  struct bus_worker *worker = calloc(1, sizeof *worker);
  assert_non_null(worker);
  worker->service = &service;
  worker->topology = &topology;
  worker->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
  assert_true(intake_init(worker) && acks_init(&worker->acks, 100) && metrics_init(worker));
  return worker;
}

void intake_rig_free(struct bus_worker *worker) {
  intake_free(worker);
  acks_free(&worker->acks);
  metrics_free(worker);
  free(worker);
}
