/* The pipeline's parts without memory: nothing that was delivered is settled or parked because of it. */
#include "torture.h"

#include "decode.h"
#include "holds.h"
#include "intake.h"
#include "ledger.h"

#include <bus/worker.h>

#include <stdlib.h>

#include "test.h"

struct body {
  int64_t n;
  struct bus_str note;
};
static const struct bus_field body_fields[] = {
    BUS_FIELD_INT64(struct body, n, 0, 100, BUS_REQUIRED, "a number"),
    BUS_FIELD_STRING(struct body, note, BUS_TEXT, 0, 100, BUS_OPTIONAL, "a note"),
};
static const struct bus_schema schema = BUS_SCHEMA("body", struct body, body_fields);
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
                                         .amqp_url = "amqp://thing:p@127.0.0.1/x"};
  struct bus_worker *worker = NULL;
  struct bus_error err = {.code = BUS_OK};
  (void)arena;
  (void)context;
  bool done = bus_worker_new(&service, &topology, &settings, NULL, &worker, &err);
  bus_refusals_over();
  assert_int_equal(done, worker != NULL);
  assert_true(done || err.code == BUS_E_NOMEM);
  bus_worker_free(worker);
  return done;
}

TEST(a_worker_is_made_or_not)
{ torture(make, NULL); }

static void log_nothing(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context, (void)level, (void)msg, (void)fields;
}
static const struct bus_worker_settings settings_of_parts = {BUS_WORKER_DEFAULTS};
static const struct bus_pipeline_setup setup = {
    .service = &service, .topology = &topology, .settings = &settings_of_parts, .log = {.write = log_nothing}};

static bool deliver(struct intake *intake, uint8_t number) {
  struct entry *entry = intake_append(intake);
  if (!entry)
    return false;
  entry->tag = number;
  entry->raw = BUS_STR("{\"n\":1,\"note\":\"some\"}");
  entry->envelope = (struct bus_envelope){.message_id = {{1, number}},
                                          .type = BUS_STR("thing.do.v1"),
                                          .user_id = BUS_STR("owner"),
                                          .first_failed_at = BUS_NO_TIME};
  return true;
}

/* Without memory a delivery waits for another try; it is not refused for its contents. */
static bool take_in(struct bus_arena *arena, const void *context) {
  static struct intake intake;
  struct suspects suspects = {.counted = {{0}}};
  struct bus_pipeline_actions actions = {.count = 0};
  const struct turn turn = {.now = 1, .wall = BUS_HOUR, .actions = &actions, .setup = &setup};
  struct entry *entries[8];
  const int64_t pushed = 7;
  size_t count = 0, right = 0;
  (void)arena;
  (void)context;
  memset(&intake, 0, sizeof intake);
  bool done = intake_init(&intake);
  for (uint8_t number = 1; done && number <= 3; number++)
    done = deliver(&intake, number);
  done = done && intake_push(&intake, BUS_INPUT_COMPLETION, &pushed, sizeof pushed);
  if (done)
    count = intake_take(&intake, &suspects, entries, 8);
  for (size_t i = 0; i < count; i++)
    decode_entry(&turn, entries[i], intake_arena_of(&intake, entries[i]));
  bus_refusals_over();
  for (size_t i = 0; i < count; i++) {
    const struct ruling *ruling = &entries[i]->ruling;
    right += entries[i]->input.body != NULL;
    assert_true(!ruling->refused || ruling->cause.code == BUS_E_NOMEM);
    assert_true(!ruling->refused || ruling->verdict == BUS_RETRY);
  }
  intake_free(&intake);
  return done && right == 4;
}

TEST(deliveries_that_find_no_memory_are_retried)
{ torture(take_in, NULL); }

static bool defer(struct bus_arena *arena, const void *context) {
  static struct intake intake;
  struct entry entry = {.raw = BUS_STR("{\"n\":1}"), .input.kind = BUS_INPUT_DELIVERY};
  (void)arena, (void)context;
  memset(&intake, 0, sizeof intake);
  bus_refusals_pause(true);
  assert_true(intake_init(&intake));
  bus_refusals_pause(false);
  bool done = intake_defer(&intake, &entry);
  bus_refusals_over();
  assert_int_equal(intake_deferred_count(&intake), done);
  intake_free(&intake);
  return done;
}

TEST(an_input_is_kept_for_another_try_or_not_at_all)
{ torture(defer, NULL); }

static bool list(struct bus_arena *arena, const void *context) {
  struct ledger ledger = {.again_at = 0};
  (void)arena;
  (void)context;
  for (uint8_t i = 1; i <= 250; i++)
    ledger_confirmed(&ledger, &(struct bus_uuid){{i}});
  bus_refusals_over();
  size_t count = ledger.confirmed.count;
  assert_true(ledger_is_valid(&ledger));
  ledger_free(&ledger);
  return count == 250;
}

TEST(lists_of_ids)
{ torture(list, NULL); }

static bool hold(struct bus_arena *arena, const void *context) {
  struct bus_pipeline_actions actions = {.count = 0};
  const struct turn turn = {.now = 1, .wall = BUS_HOUR, .actions = &actions, .setup = &setup};
  struct entry entry = {.raw = BUS_STR("{\"n\":1}"),
                        .tag = 5,
                        .ruling = {.verdict = BUS_RETRY, .tier = 1},
                        .input.kind = BUS_INPUT_DELIVERY};
  struct holds holds = {.first = NULL};
  (void)arena;
  (void)context;
  entry.envelope = (struct bus_envelope){.type = BUS_STR("thing.do.v1"), .first_failed_at = BUS_NO_TIME};
  bool done = holds_add(&holds, &turn, &entry);
  bus_refusals_over();
  assert_int_equal(done, holds.first != NULL);
  assert_int_equal(actions.counts[BUS_COUNT_HELD], done);
  holds_free(&holds);
  return done;
}

TEST(a_message_that_cannot_be_held_stays_the_brokers)
{ torture(hold, NULL); }
