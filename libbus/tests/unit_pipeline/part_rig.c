/* The functions of part_rig.h. */
#include "part_rig.h"

#include <test.h>

#include <bus/clock.h>

#include <stdlib.h>

static const struct bus_field body_fields[] = {BUS_FIELD_INT64(struct body, n, 0, 100, BUS_REQUIRED, "a number")};
static const struct bus_schema schema = BUS_SCHEMA("body", struct body, body_fields);
const struct bus_message_type part_rig_type = BUS_COMMAND("thing.do.v1", &schema, "owner");
const struct bus_message_type part_rig_happened = {.type = "thing.happened.v1",
                                                   .exchange = BUS_EXCHANGE_EVENT,
                                                   .senders = {"thing"},
                                                   .taken_elsewhere = true,
                                                   .schema = &schema};
const struct bus_message_type part_rig_answer = BUS_ANSWER("thing.done.v1", &schema);
static const struct bus_message_type *const types[] = {&part_rig_type, &part_rig_happened, &part_rig_answer};
static const struct bus_message_type *const takes[] = {&part_rig_type};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("things", takes), BUS_REQUEST_QUEUE("asked", takes)};
static const struct bus_topology_part owner = {.user = {.name = "owner", .asks = true}},
                                      other = {.user = {.name = "other", .asks = true}},
                                      operator= {.user = {.name = "operator", .redrives = true}},
                                      thing = BUS_TOPOLOGY_PART("thing", types, queues);
static const struct bus_topology_part *const topology_parts[] = {&owner, &other, &operator, & thing };
const struct bus_topology part_rig_topology = {
    .parts = topology_parts, .part_count = BUS_COUNT(topology_parts), .tiers = bus_default_tiers, .tier_count = 3};
static const char *const names[] = {"things", "things"}, *const asked_names[] = {"asked"};

static bool store(void *model, struct bus_sql *sql) {
  (void)model;
  (void)sql;
  return true;
}
static const struct bus_service service = {.name = "thing", .queues = names, .queue_count = 2, .store = store};
const struct bus_service part_rig_query = {.name = "thing", .queues = names, .queue_count = 1};

const struct bus_service part_rig_request = {.name = "thing", .queues = asked_names, .queue_count = 1, .store = store};

static void log_nothing(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context, (void)level, (void)msg, (void)fields;
}

struct parts *parts_new(void) {
  struct parts *parts = calloc(1, sizeof *parts);
  assert_non_null(parts);
  parts->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
  parts->setup = (struct bus_pipeline_setup){
      .topology = &part_rig_topology, .settings = &parts->settings, .log = {.write = log_nothing}};
  parts_serve(parts, &service);
  assert_true(intake_init(&parts->intake));
  return parts;
}

void parts_serve(struct parts *parts, const struct bus_service *served) {
  parts->setup.service = served;
  parts->setup.now = bus_monotonic();
  turn_init(&parts->turn, &parts->setup, &parts->actions);
  parts->turn.wall = bus_wall_clock();
}

void parts_free(struct parts *parts) {
  assert_true(intake_is_valid(&parts->intake));
  intake_free(&parts->intake);
  free(parts);
}

void parts_deliver(struct parts *parts, const struct bus_delivery *delivery) {
  struct entry *entry = intake_append(&parts->intake);
  assert_non_null(entry);
  entry->input.kind = BUS_INPUT_DELIVERY;
  entry->envelope = delivery->envelope;
  entry->raw = delivery->body;
  entry->tag = delivery->tag;
  entry->consumer = delivery->consumer;
  suspects_see(&parts->suspects, entry);
}

size_t parts_take(struct parts *parts, struct entry **entries, size_t max) {
  return intake_take(&parts->intake, &parts->suspects, entries, max);
}

void parts_decode(struct parts *parts, struct entry *entry) {
  decode_entry(&parts->turn, entry, intake_arena_of(&parts->intake, entry));
}
