/* The worker's pieces without memory: nothing that was delivered is settled or parked because of it. */
#include "torture.h"

#include "worker_internal.h"

#include <stdlib.h>

#include "test.h"

struct body {
  int64_t n;
  struct bus_str note;
};
static const struct bus_field fields[] = {
    BUS_FIELD_INT64(struct body, n, 0, 100, BUS_REQUIRED, "a number"),
    BUS_FIELD_STRING(struct body, note, BUS_TEXT, 0, 100, BUS_OPTIONAL, "a note"),
};
static const struct bus_schema schema = BUS_SCHEMA("body", struct body, fields);
static const struct bus_message_type known = BUS_COMMAND("thing.do.v1", &schema, "owner");
static const struct bus_message_type *const types[] = {&known};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("things", types)};
static const struct bus_topology_part thing = BUS_TOPOLOGY_PART("thing", types, queues);
static const struct bus_topology_part *const parts[] = {&thing};
static const struct bus_topology topology = {
    .parts = parts, .part_count = 1, .tiers = bus_default_tiers, .tier_count = 3};
static const char *const names[] = {"things"};

static bool lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model) {
  (void)context;
  (void)inputs;
  (void)count;
  (void)arena;
  (void)sql;
  *ret_model = NULL;
  return true;
}
static bool store(void *model, struct bus_sql *sql) {
  (void)model;
  (void)sql;
  return true;
}
static void decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model;
  (void)input;
  (void)effects;
}
static bool load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)model;
  (void)rows;
  (void)count;
  (void)err;
  return true;
}
static const struct bus_service service = {
    .name = "thing", .queues = names, .queue_count = 1, .lock = lock, .load = load, .decide = decide, .store = store};

static bool make(struct bus_arena *arena, const void *context) {
  struct bus_worker_settings settings = {BUS_WORKER_DEFAULTS, .database_url = "postgres://u:p@127.0.0.1/x",
                                         .amqp_url = "amqp://u:p@127.0.0.1/x"};
  struct bus_worker *worker = NULL;
  struct bus_error err = {.code = BUS_OK};
  (void)arena;
  (void)context;
  bool done = bus_worker_new(&service, &topology, &settings, NULL, &worker, &err);
  torture_over();
  assert_int_equal(done, worker != NULL);
  assert_true(done || err.code == BUS_E_NOMEM);
  bus_worker_free(worker);
  return done;
}

TEST(a_worker_is_made_or_not)
{ torture(make, NULL); }

static void deliver(struct bus_worker *worker, uint64_t tag) {
  struct bus_delivery delivery = {.tag = tag, .body = BUS_STR("{\"n\":1,\"note\":\"some\"}")};
  delivery.envelope = (struct bus_envelope){.message_id = {{1, (uint8_t)tag}},
                                            .type = BUS_STR("thing.do.v1"),
                                            .user_id = BUS_STR("owner"),
                                            .first_failed_at = BUS_NO_TIME};
  intake_on_delivery(worker, &delivery);
}

/* Without memory a delivery waits for another try; it is not refused for its contents. */
static bool take_in(struct bus_arena *arena, const void *context) {
  struct bus_worker *worker = calloc(1, sizeof *worker);
  struct entry *entries[8];
  bool done = worker != NULL;
  size_t count = 0;
  const int64_t pushed = 7;
  (void)arena;
  (void)context;
  if (done) {
    worker->service = &service;
    worker->topology = &topology;
    worker->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
    done = intake_init(worker) && acks_init(&worker->acks, 100);
  }
  if (done) {
    for (uint64_t tag = 1; tag <= 3; tag++)
      deliver(worker, tag);
    done = bus_worker_push(worker, BUS_INPUT_COMPLETION, &pushed, sizeof pushed);
    count = intake_take(worker, entries, 8);
    for (size_t i = 0; i < count; i++)
      intake_decode(worker, entries[i]);
  }
  torture_over();
  size_t right = 0;
  for (size_t i = 0; i < count; i++) {
    right += entries[i]->input.body != NULL;
    assert_true(!entries[i]->refused || entries[i]->cause.code == BUS_E_NOMEM);
    assert_true(!entries[i]->refused || entries[i]->verdict == BUS_RETRY);
  }
  if (worker) {
    assert_true(count == 4 || worker->amqp_error.code == BUS_E_NOMEM || !done);
    intake_free(worker);
    acks_free(&worker->acks);
    free(worker);
  }
  return done && right == 4;
}

TEST(deliveries_that_find_no_memory_are_retried)
{ torture(take_in, NULL); }

static bool list(struct bus_arena *arena, const void *context) {
  struct uuid_list list = {.ids = NULL};
  size_t added = 0;
  (void)arena;
  (void)context;
  for (uint8_t i = 0; i < 250; i++)
    added += uuid_list_add(&list, &(struct bus_uuid){{i}});
  torture_over();
  assert_int_equal(list.count, added);
  free(list.ids);
  return added == 250;
}

TEST(lists_of_ids)
{ torture(list, NULL); }

static bool hold(struct bus_arena *arena, const void *context) {
  struct bus_worker *worker = calloc(1, sizeof *worker);
  struct entry entry = {.raw = BUS_STR("{\"n\":1}"), .tag = 5, .verdict = BUS_RETRY, .tier = 1};
  const struct bus_worker *measured = context;
  (void)arena;
  entry.envelope = (struct bus_envelope){.type = BUS_STR("thing.do.v1"), .first_failed_at = BUS_NO_TIME};
  bool done = worker && publish_init(worker);
  if (done) {
    worker->service = &service;
    worker->topology = &topology;
    worker->metrics = measured->metrics;
    publish_hold(worker, &entry);
    done = worker->held != NULL;
  }
  torture_over();
  if (worker) {
    assert_true(done || !worker->slips || worker->amqp_error.code == BUS_E_NOMEM);
    publish_free(worker);
    free(worker);
  }
  return done;
}

TEST(a_message_that_cannot_be_held_stays_the_brokers)
{
  struct bus_worker measured = {.service = &service};
  assert_true(metrics_init(&measured));
  torture(hold, &measured);
  metrics_free(&measured);
}
