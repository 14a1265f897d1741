/* The functions of machine_rig.h. */
#include "machine_rig.h"

#include "args.h"
#include "own.h"
#include "rows.h"
#include "trip.h"

#include <bus/bundle.h>
#include <test.h>

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS_MAX = 32, UUID_TYPE = 2950, TIME_TYPE = 1184 };

static const struct bus_statement statements[] = {{"SELECT 1", ""}};

static bool lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model) {
  (void)context, (void)inputs, (void)count, (void)arena;
  *ret_model = NULL;
  return bus_sql_add(sql, 0) != NULL;
}

static bool load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)model, (void)rows, (void)err;
  assert_int_equal(count, 1);
  return true;
}

static void decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model;
  if (input->kind == BUS_INPUT_DELIVERY)
    bus_emit(effects, &part_rig_happened, &input->envelope->message_id, input->body);
}

static bool store(void *model, struct bus_sql *sql) {
  (void)model;
  return bus_sql_add(sql, 0) != NULL;
}

static const char *const queues[] = {"things"};
static const struct bus_service service = {.name = "thing",
                                           .queues = queues,
                                           .queue_count = 1,
                                           .statements = statements,
                                           .statement_count = 1,
                                           .lock = lock,
                                           .load = load,
                                           .decide = decide,
                                           .store = store};

static void log_nothing(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context, (void)level, (void)msg, (void)fields;
}

struct machine *machine_new(void) {
  struct machine *machine = calloc(1, sizeof *machine);
  assert_non_null(machine);
  machine->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
  machine->now = BUS_HOUR;
  const struct bus_pipeline_setup setup = {.service = &service,
                                           .topology = &part_rig_topology,
                                           .settings = &machine->settings,
                                           .log = {.write = log_nothing},
                                           .spans = true,
                                           .broker_hosts = 1,
                                           .seed = {1, 2, 3, 4},
                                           .now = machine->now};
  machine->pipeline = bus_pipeline_new(&setup);
  assert_non_null(machine->pipeline);
  return machine;
}

const struct bus_service *machine_service(void) {
  return &service;
}

void machine_free(struct machine *machine) {
  bus_pipeline_free(machine->pipeline);
  free(machine);
}

/* ---- events ---- */

static void look_at_trip(struct machine *machine, const struct bus_sql *sql) {
  size_t at = 0;
  machine->now_at = machine->inbox_at = 0;
  machine->unsent = sql->failed;
  for (const struct bus_args *args = sql->first; args; args = args->after, at++) {
    bool own = args->registry == BUS_REGISTRY_OWN;
    machine->unsent = machine->unsent || args->failed;
    if (own && args->index == OWN_NOW)
      machine->now_at = at;
    else if (own && args->index == OWN_INBOX_INSERT)
      machine->inbox_at = at;
  }
  machine->statements = at;
}

void machine_step(struct machine *machine, struct bus_pipeline_event event) {
  event.now = ++machine->now;
  event.wall = machine->now;
  bus_pipeline_step(machine->pipeline, &event, &machine->actions);
  const struct bus_pipeline_action *trip = machine_action(machine, BUS_DO_TRIP, 0);
  if (trip)
    look_at_trip(machine, trip->trip.sql);
  assert_true(bus_pipeline_is_valid(machine->pipeline));
}

void machine_tick(struct machine *machine, int64_t later) {
  machine->now += later;
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TICK});
}

void machine_connect(struct machine *machine) {
  machine_tick(machine, 0);
  assert_non_null(machine_action(machine, BUS_DO_OPEN_DATABASE, 0));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
  machine_tick(machine, 0);
  assert_non_null(machine_action(machine, BUS_DO_OPEN_BROKER, 0));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_UP});
  const struct bus_pipeline_action *consume = machine_action(machine, BUS_DO_CONSUME, 0);
  assert_non_null(consume);
  assert_int_equal(consume->consume.prefetch, 400);
}

static struct bus_uuid numbered(uint8_t id) {
  return (struct bus_uuid){{1, id}};
}

struct bus_delivery machine_delivery(uint64_t tag, uint8_t id) {
  struct bus_delivery delivery = {.tag = tag, .body = BUS_STR("{\"n\":1}")};
  delivery.envelope = (struct bus_envelope){.message_id = numbered(id),
                                            .type = BUS_STR("thing.do.v1"),
                                            .user_id = BUS_STR("owner"),
                                            .first_failed_at = BUS_NO_TIME};
  return delivery;
}

void machine_deliver_as(struct machine *machine, const struct bus_delivery *delivery) {
  struct bus_pipeline_event event = {.kind = BUS_ON_DELIVERY};
  event.delivery = delivery;
  event.fails = machine->fails;
  machine_step(machine, event);
}

void machine_deliver(struct machine *machine, uint64_t tag, uint8_t id) {
  struct bus_delivery delivery = machine_delivery(tag, id);
  if (machine->body.data)
    delivery.body = machine->body;
  machine_deliver_as(machine, &delivery);
}

void machine_deliver_bundle(struct machine *machine, uint64_t tag, const uint8_t *ids, size_t count) {
  enum { MOST = 16, ROOM = 1 << 16 };
  static char text[ROOM];
  struct bus_envelope envelopes[MOST];
  struct bus_bundle_item items[MOST];
  struct bus_uuid id = numbered((uint8_t)(100 + ids[0]));
  struct bus_delivery delivery = {.tag = tag};
  size_t len = 1;
  assert_true(count <= MOST);
  text[0] = '[';
  for (size_t i = 0; i < count; i++) {
    envelopes[i] = (struct bus_envelope){.message_id = numbered(ids[i]), .first_failed_at = BUS_NO_TIME};
    items[i] = (struct bus_bundle_item){&part_rig_type, &envelopes[i], BUS_STR("{\"n\":1}"), 0};
    char hex[BUS_UUID_TEXT];
    bus_uuid_format(&envelopes[i].message_id, hex);
    len += (size_t)snprintf(text + len, ROOM - len,
                            "%s{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/owner\",\"type\":\"thing.do.v1\","
                            "\"data\":{\"n\":1}}",
                            i ? "," : "", hex);
  }
  text[len++] = ']';
  bus_bundle_envelope(items, count, &id, &delivery.envelope);
  delivery.envelope.user_id = BUS_STR("owner");
  delivery.body = (struct bus_str){text, len};
  machine_deliver_as(machine, &delivery);
}

/* Rows (message_id, now()) as the inbox returns them, in Postgres's binary form. */
static PGresult *inbox_rows(const uint8_t *ids, size_t count) {
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  char message_id[] = "message_id", now[] = "now";
  PGresAttDesc columns[] = {{.name = message_id, .format = 1, .typid = UUID_TYPE, .typlen = 16, .atttypmod = -1},
                            {.name = now, .format = 1, .typid = TIME_TYPE, .typlen = 8, .atttypmod = -1}};
  uint64_t time = htobe64(1000);
  assert_true(result && PQsetResultAttrs(result, 2, columns));
  for (size_t i = 0; i < count; i++) {
    struct bus_uuid id = numbered(ids[i]);
    assert_true(PQsetvalue(result, (int)i, 0, (char *)id.bytes, 16));
    assert_true(PQsetvalue(result, (int)i, 1, (char *)&time, 8));
  }
  return result;
}

/* As SELECT now() returns it. */
static PGresult *time_row(void) {
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  char now[] = "now";
  PGresAttDesc column = {.name = now, .format = 1, .typid = TIME_TYPE, .typlen = 8, .atttypmod = -1};
  uint64_t time = htobe64(1000);
  assert_true(result && PQsetResultAttrs(result, 1, &column) && PQsetvalue(result, 0, 0, (char *)&time, 8));
  return result;
}

void machine_done(struct machine *machine, const uint8_t *ids, size_t count) {
  const struct bus_rows inbox = {inbox_rows(ids, count)}, none = {PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK)};
  const struct bus_rows now = {machine->now_at ? time_row() : NULL};
  const struct bus_rows *rows[ROWS_MAX];
  for (size_t i = 0; i < ROWS_MAX; i++)
    rows[i] = i > 0 && i == machine->inbox_at ? &inbox : i > 0 && i == machine->now_at ? &now : &none;
  const struct bus_trip_result trip = {.rows = rows, .count = ROWS_MAX, .tag = "SELECT"};
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_DONE, .trip = &trip});
  PQclear(inbox.result);
  PQclear(now.result);
  PQclear(none.result);
}

void machine_committed(struct machine *machine) {
  const struct bus_trip_result trip = {.tag = "COMMIT"};
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_DONE, .trip = &trip});
}

void machine_failed(struct machine *machine, enum bus_errc code, bool in_transaction, bool dead) {
  struct bus_trip_result trip = {.tag = "", .failed_at = -1, .in_transaction = in_transaction, .dead = dead};
  (void)bus_fail(&trip.error, code, "%s", machine->failure ? machine->failure : "as the test wants it");
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_FAILED, .trip = &trip});
}

void machine_confirm(struct machine *machine, uint64_t seq, bool ack) {
  struct bus_pipeline_event event = {.kind = BUS_ON_CONFIRM};
  event.confirm.seq = seq;
  event.confirm.ack = ack;
  machine_step(machine, event);
}

/* ---- what follows ---- */

const struct bus_pipeline_action *machine_action(const struct machine *machine, enum bus_pipeline_action_kind kind,
                                                 size_t n) {
  for (size_t i = 0; i < machine->actions.count; i++)
    if (machine->actions.items[i].kind == kind && n-- == 0)
      return &machine->actions.items[i];
  return NULL;
}

void machine_expect_trip(const struct machine *machine, enum bus_trip_kind purpose) {
  const struct bus_pipeline_action *trip = machine_action(machine, BUS_DO_TRIP, 0);
  assert_non_null(trip);
  assert_int_equal(trip->trip.purpose, purpose);
  assert_null(machine_action(machine, BUS_DO_TRIP, 1));
}

void machine_expect_phase(const struct machine *machine, const char *phase) {
  assert_string_equal(bus_pipeline_phase(machine->pipeline), phase);
}
