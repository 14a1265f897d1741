/* The toy service itself: a table, four functions, two statements. */
#include "toy.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const struct bus_field add_fields[] = {
    BUS_FIELD_UUID(struct toy_add, counter, BUS_REQUIRED, "which"),
    BUS_FIELD_INT64(struct toy_add, by, 1, 1000000, BUS_REQUIRED, "how much"),
};
static const struct bus_schema add_schema = BUS_SCHEMA("toy.add", struct toy_add, add_fields);

struct bus_message_type toy_add_type = BUS_COMMAND("toy.add.v1", &add_schema, "admin");
struct bus_message_type toy_added_type = {.type = "toy.added.v1",
                                          .exchange = BUS_EXCHANGE_EVENT,
                                          .senders = {"admin"},
                                          .taken_elsewhere = true,
                                          .single = true, /* so that queue depths count messages */
                                          .schema = &add_schema};
struct bus_message_type toy_unheard_type = BUS_COMMAND("toy.unheard.v1", &add_schema, "admin");
/* Also one by one: its queue takes one message. */
struct bus_message_type toy_full_type = {
    .type = "toy.full.v1", .exchange = BUS_EXCHANGE_CMD, .senders = {"admin"}, .single = true, .schema = &add_schema};
struct bus_message_type toy_get_type = BUS_QUERY("toy.get.v1", &add_schema, "admin");
struct bus_message_type toy_set_type = BUS_REQUEST("toy.set.v1", &add_schema, "admin");
struct bus_message_type toy_count_type = BUS_ANSWER("toy.count.v1", &add_schema);
bool toy_crashes;

/* A row that is not there cannot be locked: who inserts second gets 23505, and its whole batch runs again. */
enum { LOCK_COUNTERS, INSERT_COUNTERS, UPDATE_COUNTERS };
static const struct bus_statement statements[] = {
    [LOCK_COUNTERS] = {"SELECT id, n FROM toy.counters WHERE id = ANY($1) ORDER BY id FOR UPDATE", "U"},
    [INSERT_COUNTERS] = {"INSERT INTO toy.counters (id, n) SELECT id, n FROM unnest($1, $2) AS row (id, n) ORDER BY id",
                         "UI"},
    [UPDATE_COUNTERS] = {"UPDATE toy.counters AS old SET n = new.n FROM unnest($1, $2) AS new (id, n) "
                         "WHERE old.id = new.id",
                         "UI"},
};

struct counter {
  struct bus_uuid id;
  int64_t n;
  bool exists, changed;
};
struct model {
  struct counter *counters;
  size_t count;
};

static struct counter *find(struct model *model, const struct bus_uuid *id) {
  for (size_t i = 0; i < model->count; i++)
    if (bus_uuid_equal(&model->counters[i].id, id))
      return &model->counters[i];
  return NULL;
}

static bool lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model) {
  struct model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model || !(model->counters = bus_arena_array(arena, count, sizeof *model->counters)))
    return false;
  struct bus_args *args = bus_sql_add(sql, LOCK_COUNTERS);
  (void)context;
  for (size_t i = 0; i < count; i++) {
    const struct toy_add *add = inputs[i].body;
    if (find(model, &add->counter))
      continue;
    model->counters[model->count++].id = add->counter;
    bus_args_uuid(args, &add->counter);
  }
  *ret_model = model;
  return true;
}

static bool load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct model *model = context;
  (void)count;
  (void)err;
  for (size_t row = 0; row < bus_rows_count(rows[0]); row++) {
    struct bus_uuid id = bus_rows_uuid(rows[0], row, 0);
    struct counter *counter = find(model, &id);
    counter->n = bus_rows_int64(rows[0], row, 1);
    counter->exists = true;
  }
  return true;
}

/* Longer than a reason may be, and cut in the middle of a character. */
static const char long_reason[] = "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé";

static bool is_put_off(const struct bus_input *input, const struct toy_add *add, struct bus_effects *effects) {
  if (add->by == TOY_CRASH && toy_crashes)
    (void)kill(getpid(), SIGKILL); /* no handler, no drain: as the kernel ends it for want of memory */
  if (add->by == TOY_PARK)
    bus_park(effects, "parked on request\xC2\x85:%.*s", (int)sizeof long_reason, long_reason);
  else if (add->by == TOY_RETRY && input->envelope->attempt < 2)
    bus_retry(effects, "not before the second attempt");
  return effects->verdict != BUS_DONE;
}

static void decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct toy_add *add = input->body;
  struct counter *counter = find(context, &add->counter);
  if (is_put_off(input, add, effects) || add->by == TOY_NOTHING)
    return;
  counter->n += add->by;
  counter->changed = true;
  if (add->by == TOY_UNHEARD)
    bus_emit(effects, &toy_unheard_type, &add->counter, add);
  else if (add->by == TOY_FULL)
    bus_emit(effects, &toy_full_type, &add->counter, add);
  else
    bus_emit(effects, &toy_added_type, &add->counter, add);
}

static void store_some(const struct model *model, struct bus_sql *sql, size_t statement, bool exists) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->count; i++) {
    if (!model->counters[i].changed || model->counters[i].exists != exists)
      continue;
    if (!args)
      args = bus_sql_add(sql, statement);
    bus_args_uuid(args, &model->counters[i].id);
    bus_args_int64(args, model->counters[i].n);
  }
}

static bool store(void *context, struct bus_sql *sql) {
  store_some(context, sql, INSERT_COUNTERS, false);
  store_some(context, sql, UPDATE_COUNTERS, true);
  return true;
}

static void answer(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct toy_add *asked = input->body;
  struct counter *counter = find(context, &asked->counter);
  const struct toy_add found = {.counter = asked->counter, .by = counter->n};
  bus_answer(effects, &toy_count_type, &found);
}

/* The counter's id is the request's: who asks again finds what the first try has set. */
static void set(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct toy_add *asked = input->body;
  struct counter *counter = find(context, &asked->counter);
  if (is_put_off(input, asked, effects))
    return;
  if (!counter->exists && !counter->changed) {
    counter->n = asked->by;
    counter->changed = true;
    bus_emit(effects, &toy_added_type, &asked->counter, asked);
  }
  answer(context, input, effects);
}

static const struct bus_statement query_statements[] = {{"SELECT id, n FROM toy.counters WHERE id = ANY($1)", "U"}};

void toy_fill_services(struct toy *toy);
void toy_fill_services(struct toy *toy) {
  toy->service = (struct bus_service){.name = "admin",
                                      .version = "7.8.9",
                                      .queues = toy->service_queues,
                                      .queue_count = 1,
                                      .statements = statements,
                                      .statement_count = BUS_COUNT(statements),
                                      .lock = lock,
                                      .load = load,
                                      .decide = decide,
                                      .store = store};
  toy->query_service = (struct bus_service){.name = "admin",
                                            .queues = toy->query_queues,
                                            .queue_count = 1,
                                            .statements = query_statements,
                                            .statement_count = 1,
                                            .lock = lock,
                                            .load = load,
                                            .decide = answer};
  toy->request_service = toy->service;
  toy->request_service.queues = toy->request_queues;
  toy->request_service.decide = set;
}
