/* The program under test, whole. */
#include "sample.h"

#include <bus/testing.h>
#include <test.h>

static const struct bus_field fields[] = {
    BUS_FIELD_UUID(struct counter_add, counter, BUS_REQUIRED, "which"),
    BUS_FIELD_INT64(struct counter_add, by, 0, SAMPLE_MOST, BUS_OPTIONAL, "how much"),
};
static const struct bus_schema schema = BUS_SCHEMA("counter", struct counter_add, fields);
const struct bus_message_type counter_add_type = BUS_COMMAND("counter.add.v1", &schema, "clerk");
const struct bus_message_type counter_added_type = BUS_EVENT("counter.added.v1", &schema, "counter-svc");
const struct bus_message_type counter_get_type = BUS_QUERY("counter.get.v1", &schema, "clerk");
const struct bus_message_type counter_found_type = BUS_ANSWER("counter.found.v1", &schema);
const struct bus_message_type counter_set_type = BUS_REQUEST("counter.set.v1", &schema, "clerk");
const struct bus_message_type counter_heard_type = {.type = "counter.heard.v1",
                                                    .exchange = BUS_EXCHANGE_EVENT,
                                                    .senders = {"counter-svc"},
                                                    .taken_elsewhere = true,
                                                    .schema = &schema};

static const struct bus_message_type *const types[] = {&counter_add_type,   &counter_added_type, &counter_get_type,
                                                       &counter_found_type, &counter_set_type,   &counter_heard_type};
static const struct bus_message_type *const taken[] = {&counter_add_type};
static const struct bus_message_type *const asked[] = {&counter_get_type};
static const struct bus_message_type *const wanted[] = {&counter_set_type};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("counter-svc", taken),
                                          BUS_QUERY_QUEUE("counter-svc.query", asked),
                                          BUS_REQUEST_QUEUE("counter-svc.request", wanted)};
static const struct bus_topology_part part = BUS_TOPOLOGY_PART("counter-svc", types, queues);
static const struct bus_topology_part clerk = {.user = {.name = "clerk", .asks = true}};
static const struct bus_topology_part *const parts[] = {&part, &clerk};
static const struct bus_topology topology = {.parts = parts,
                                             .part_count = BUS_COUNT(parts),
                                             .tiers = bus_default_tiers,
                                             .tier_count = BUS_COUNT(bus_default_tiers),
                                             .query_ttl_ms = 5000};

/* ---- the table ---- */

static const struct bus_column columns[] = {
    BUS_COLUMN_UUID(struct counter, id, BUS_KEY),
    BUS_COLUMN_INT64(struct counter, n, 0, SAMPLE_MOST, BUS_CHANGING),
    BUS_COLUMN_CHARS(struct counter, tag, 0, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_TIME(struct counter, reset_at, BUS_CHANGING | BUS_NULL),
};

static bool is_valid(const void *row) {
  return ((const struct counter *)row)->n != SAMPLE_REFUSED;
}

const struct bus_table counter_table = {.name = "counters.counters",
                                        .size = sizeof(struct counter),
                                        .columns = columns,
                                        .column_count = BUS_COUNT(columns),
                                        .is_valid = is_valid};
static const struct bus_recipe recipes[COUNTER_STATEMENTS] = {
    [COUNTER_LOCK] = BUS_LOCK(&counter_table),
    [COUNTER_INSERT] = BUS_INSERT(&counter_table),
    [COUNTER_UPDATE] = BUS_UPDATE(&counter_table),
    [COUNTER_DUE] = BUS_STATEMENT("SELECT id FROM counters.counters WHERE reset_at <= now() LIMIT 10", ""),
};
struct bus_statement counter_statements[COUNTER_STATEMENTS];

/* ---- a batch ---- */

static const struct bus_uuid *counter_of(const struct bus_input *input) {
  return input->kind == BUS_INPUT_DEADLINE ? input->body : &((const struct counter_add *)input->body)->counter;
}

static bool lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model) {
  struct bus_set *set = bus_arena_alloc(arena, sizeof *set);
  (void)context;
  if (!set)
    return false;
  bus_set_init(set, &counter_table, 0, arena);
  for (size_t i = 0; i < count; i++)
    bus_set_add(set, counter_of(&inputs[i]));
  if (!bus_set_open(set))
    return false;
  bus_set_lock(set, sql, COUNTER_LOCK);
  *ret_model = set;
  return true;
}

static bool load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count;
  return bus_set_load(model, rows[0], err);
}

static bool store(void *model, struct bus_sql *sql) {
  bus_set_store(model, sql, COUNTER_INSERT, COUNTER_UPDATE);
  return true;
}

static void reset(struct bus_set *set, struct counter *counter) {
  counter->n = 0;
  counter->reset_at = BUS_NO_TIME;
  bus_set_change(set, counter);
}

static void decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct counter *counter = bus_set_find(model, counter_of(input));
  if (input->kind == BUS_INPUT_DEADLINE) {
    reset(model, counter);
    return;
  }
  const struct counter_add *add = input->body;
  if (add->by == SAMPLE_PARKED)
    bus_park(effects, "an unlucky number");
  else if (add->by == SAMPLE_RETRIED && input->envelope->attempt == 0)
    bus_retry(effects, "not yet");
  if (effects->verdict != BUS_DONE)
    return;
  counter->n += add->by;
  counter->reset_at = effects->now + SAMPLE_RESET_AFTER;
  memcpy(counter->tag, "new", sizeof "new");
  bus_set_change(model, counter);
  if (counter->n == SAMPLE_MOST)
    BUS_EMIT(effects, counter_heard, &counter->id, add);
  BUS_EMIT(effects, counter_added, &counter->id, add);
}

static void answer(void *model, const struct bus_input *input, struct bus_effects *effects) {
  const struct counter *counter = bus_set_find(model, counter_of(input));
  BUS_REPLY(effects, counter_found, &(struct counter_add){.counter = counter->id, .by = counter->n});
}

static void set_and_answer(void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct counter *counter = bus_set_find(model, counter_of(input));
  counter->n = ((const struct counter_add *)input->body)->by;
  bus_set_change(model, counter);
  answer(model, input, effects);
}

static const struct bus_periodic periodics[] = {
    {.statement = COUNTER_DUE, .interval_ms = 1000, .when_settled = true, .rows = bus_worker_push_due}};
#define BATCH                                                                                                          \
  .statements = counter_statements, .statement_count = COUNTER_STATEMENTS, .open = bus_worker_is_context,              \
  .lock = lock, .load = load
static const struct bus_service commands = {BATCH, .periodics = periodics, .periodic_count = BUS_COUNT(periodics),
                                            .decide = decide, .store = store};
static const struct bus_service requests = {BATCH, .decide = set_and_answer, .store = store};
static const struct bus_service queries = {BATCH, .decide = answer};

const struct bus_program counter_program = {.summary = "Counts.",
                                            .version = "3.2.1",
                                            .part = &part,
                                            .topology = &topology,
                                            .commands = &commands,
                                            .requests = &requests,
                                            .queries = &queries};

/* ---- the same by an aggregate ---- */

static const void *key_of(const struct bus_input *input) {
  return counter_of(input);
}

static const struct bus_statement due[] = {{"SELECT id FROM counters.counters WHERE reset_at <= now() LIMIT 10", ""}};
static const struct bus_periodic short_periodics[] = {
    {.statement = BUS_AGGREGATE_STATEMENTS, .interval_ms = 1000, .when_settled = true, .rows = bus_worker_push_due}};
static const struct bus_aggregate counters = {.table = &counter_table, .key_of = key_of};
static const struct bus_service short_commands = {.aggregate = &counters,
                                                  .statements = due,
                                                  .statement_count = BUS_COUNT(due),
                                                  .periodics = short_periodics,
                                                  .periodic_count = BUS_COUNT(short_periodics),
                                                  .decide = decide};
static const struct bus_service short_requests = {.aggregate = &counters, .decide = set_and_answer};
static const struct bus_service short_queries = {.aggregate = &counters, .decide = answer};
const struct bus_program counter_short_program = {.part = &part,
                                                  .topology = &topology,
                                                  .commands = &short_commands,
                                                  .requests = &short_requests,
                                                  .queries = &short_queries};

/* ---- their tests ---- */

static void find_due(void *context, struct bus_test *test, const struct bus_args *args, struct bus_arena *arena,
                     struct bus_rows *ret) {
  (void)context, (void)args;
  for (size_t i = 0; i < bus_test_row_count(test, &counter_table); i++) {
    const struct counter *counter = bus_test_row_at(test, &counter_table, i);
    if (counter->reset_at == BUS_NO_TIME || counter->reset_at > bus_test_now(test))
      continue;
    struct bus_memory_value *cell = bus_memory_rows_add(ret, 1, arena);
    if (cell)
      *cell = (struct bus_memory_value){.uuid = counter->id};
  }
}

struct bus_test *sample_test(void) {
  struct bus_test *test = NULL;
  if (!bus_recipes_make(recipes, COUNTER_STATEMENTS, counter_statements) ||
      !bus_test_new(&counter_program, &test, NULL))
    return NULL;
  bus_test_reads(test, &counter_statements[COUNTER_LOCK], &counter_table);
  bus_test_inserts(test, &counter_statements[COUNTER_INSERT], &counter_table);
  bus_test_updates(test, &counter_statements[COUNTER_UPDATE], &counter_table);
  bus_test_answers(test, &counter_statements[COUNTER_DUE], find_due, NULL);
  return test;
}

struct bus_test *sample_short_test(void) {
  struct bus_test *test = NULL;
  if (!bus_test_new(&counter_short_program, &test, NULL))
    return NULL;
  bus_test_answers(test, &due[0], find_due, NULL);
  return test;
}
