/* Takes the rows of each database into a story. */
#include "story_read.h"

#include "story_fields.h"
#include "story_rows.h"
#include "story_statements.h"
#include "verdict.h"

#include <bus/clock.h>

#include <stdio.h>

enum { TIMEOUT_MS = 5000 };

/* One database's part of one story. */
struct reading {
  struct story *story;
  struct bus_arena *arena;
  enum story_place place;
  bool failed; /* out of memory */
};

/* Member of the story that takes the rows of a statement: an array, a single row, or a time (value). */
struct target {
  const struct bus_schema *schema;
  size_t array, count;
  bool single, value;
};

#define MANY(table, member, number)                                                                                    \
  { .schema = (table), .array = offsetof(struct story, member), .count = offsetof(struct story, number) }
#define ONE(table, member)                                                                                             \
  { .schema = (table), .array = offsetof(struct story, member), .single = true }
#define TIME(member)                                                                                                   \
  { .array = offsetof(struct story, member), .value = true }
#define COMMON                                                                                                         \
  [STORY_SQL_OUTGOING] = MANY(&story_outgoing_schema, outgoing, outgoing_count), [STORY_SQL_PARKED] =                  \
                                                                                     MANY(&story_parked_schema,        \
                                                                                          parked, parked_count)

enum { TARGETS_MAX = STORY_SQL_PLACE + 1 };
static const struct target targets[STORY_BROKER][TARGETS_MAX] = {
    [STORY_ORDERS] = {COMMON, [STORY_SQL_ORDER] = ONE(&story_order_schema, order),
                      [STORY_SQL_EVENTS] = MANY(&story_event_schema, events, event_count),
                      [STORY_SQL_CANCEL] = TIME(cancel_first_at),
                      [STORY_SQL_PLACE] = MANY(&story_taken_schema, taken, taken_count), [STORY_SQL_NOW] = TIME(now)},
    [STORY_INVENTORY] = {COMMON, [STORY_SQL_RESERVATION] = ONE(&story_reservation_schema, reservation)},
    [STORY_PAYMENTS] = {COMMON, [STORY_SQL_PAYMENTS] = MANY(&story_payment_schema, payments, payment_count),
                        [STORY_SQL_LEDGER] = MANY(&story_movement_schema, movements, movement_count),
                        [STORY_SQL_REFUNDS] = MANY(&story_refund_schema, refunds, refund_count),
                        [STORY_SQL_COMMANDS] = MANY(&story_taken_schema, taken, taken_count)},
};

/* Behind the rows that another database has given. */
static bool take_rows(struct reading *reading, const struct target *target, const struct bus_rows *rows) {
  void **array = (void **)(void *)((char *)reading->story + target->array);
  size_t none = 0, *count = target->single ? &none : (size_t *)(void *)((char *)reading->story + target->count);
  return story_rows_append(target->schema, rows, reading->place, reading->arena, array, count);
}

/* ---- one database ---- */

static bool is_of_a_story(enum story_place place, size_t statement) {
  return statement < TARGETS_MAX && (targets[place][statement].schema || targets[place][statement].value);
}

/* The index-th of those that belong to a story. */
static const struct target *asked(enum story_place place, size_t index) {
  size_t statement = 0;
  while (!is_of_a_story(place, statement) || index-- > 0)
    statement++;
  return &targets[place][statement];
}

static void ask_all(void *context, struct bus_sql *sql) {
  const struct reading *reading = context;
  const struct bus_registry *registry = &story_statements[reading->place];
  for (size_t i = 0; i < registry->count; i++) {
    if (!is_of_a_story(reading->place, i))
      continue;
    struct bus_args *args = bus_sql_add(sql, i);
    if (registry->statements[i].params[0] != '\0')
      bus_args_uuid(args, &reading->story->order_id);
  }
}

static void take_all(void *context, size_t index, const struct bus_rows *rows) {
  struct reading *reading = context;
  const struct target *target = asked(reading->place, index);
  if (target->value)
    *(bus_time *)(void *)((char *)reading->story + target->array) = bus_rows_time(rows, 0, 0);
  else
    reading->failed = !take_rows(reading, target, rows) || reading->failed;
}

static bool read_place(struct story_places *places, enum story_place place, struct bus_arena *arena,
                       struct story *story) {
  struct reading reading = {.story = story, .arena = arena, .place = place};
  const struct bus_reader_calls calls = {.ask = ask_all, .take = take_all, .context = &reading};
  struct bus_error *problem = &places->problems[place];
  if (problem->code == BUS_OK && !bus_reader_run(places->readers[place], arena, &calls, problem)) {
    bus_reader_free(places->readers[place]); /* of no further use */
    places->readers[place] = NULL;
  }
  return !reading.failed;
}

/* ---- a story ---- */

static bool add_dead(const struct story_places *places, struct bus_arena *arena, struct story *story) {
  story->dead = bus_arena_array(arena, places->dead_count + 1, sizeof *story->dead);
  if (!story->dead)
    return false;
  for (size_t i = 0; i < places->dead_count; i++)
    if (bus_uuid_equal(&places->dead_orders[i], &story->order_id))
      story->dead[story->dead_count++] = places->dead[i];
  return true;
}

static bool note_sources(struct story_places *places, struct bus_arena *arena, struct story *story) {
  bool good = true;
  for (int i = 0; i < STORY_PLACES; i++) {
    const struct bus_error *problem = &places->problems[i];
    story->sources[i].place = i;
    if (problem->code == BUS_OK)
      continue;
    story->sources[i].problem = bus_arena_copy(arena, bus_str(problem->text));
    good = good && story->sources[i].problem.data;
  }
  return good;
}

bool story_read(struct story_places *places, const struct bus_uuid *order_id, struct bus_arena *arena,
                struct story *ret, struct bus_error *err) {
  *ret = (struct story){.order_id = *order_id, .now = bus_wall_clock(), .cancel_first_at = BUS_NO_TIME};
  bool good = true;
  for (int place = 0; place < STORY_BROKER; place++)
    good = good && read_place(places, (enum story_place)place, arena, ret);
  ret->queues = places->queues;
  ret->queue_count = places->queue_count;
  good = good && add_dead(places, arena, ret) && note_sources(places, arena, ret);
  if (!good || !story_make_steps(ret, arena))
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the story of an order");
  verdict_of(ret, &ret->verdict);
  return true;
}

/* ---- all places ---- */

struct bus_reader_settings story_reader(const struct story_settings *settings, const char *url,
                                        const struct bus_registry *registry, int64_t timeout_ms) {
  return (struct bus_reader_settings){.url = url,
                                      .dns_server = settings->broker.dns_server,
                                      .name = "orderctl",
                                      .statements = registry->statements,
                                      .count = registry->count,
                                      .timeout_ms = timeout_ms};
}

void story_reader_open(const struct story_settings *settings, const char *url, const struct bus_registry *registry,
                       struct bus_reader **ret, struct bus_error *ret_problem) {
  const struct bus_reader_settings reader = story_reader(settings, url, registry, TIMEOUT_MS);
  if (!url || !url[0])
    (void)bus_fail(ret_problem, BUS_E_CONFIG, "no URL of it is set");
  else if (bus_reader_open(&reader, ret, ret_problem))
    *ret_problem = (struct bus_error){.code = BUS_OK};
}

bool story_places_open(const struct story_settings *settings, const struct bus_uuid *only, struct story_places *ret,
                       struct bus_error *err) {
  *ret = (struct story_places){.arena = bus_arena_new((size_t)256 << 20)};
  if (!ret->arena)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for dead letters");
  for (int place = 0; place < STORY_BROKER; place++)
    story_reader_open(settings, settings->urls[place], &story_statements[place], &ret->readers[place],
                      &ret->problems[place]);
  if (story_broker_read(&settings->broker, only, ret, err))
    return true;
  story_places_close(ret);
  return false;
}

void story_places_close(struct story_places *places) {
  for (int place = 0; place < STORY_BROKER; place++)
    bus_reader_free(places->readers[place]);
  bus_arena_free(places->arena);
  *places = (struct story_places){0};
}

/* ---- which orders are stuck ---- */

struct stuck_asking {
  int64_t older_s, limit;
  struct bus_uuid *ids;
  size_t count;
};

static void ask_stuck(void *context, struct bus_sql *sql) {
  const struct stuck_asking *asking = context;
  struct bus_args *args = bus_sql_add(sql, STORY_SQL_STUCK);
  bus_args_int64(args, asking->older_s);
  bus_args_int64(args, asking->limit);
}

static void take_stuck(void *context, size_t index, const struct bus_rows *rows) {
  struct stuck_asking *asking = context;
  (void)index;
  for (size_t i = 0; i < bus_rows_count(rows); i++)
    asking->ids[asking->count++] = bus_rows_uuid(rows, i, 0);
}

bool story_find_stuck(struct story_places *places, int64_t older_s, int64_t limit, struct bus_uuid **ret,
                      size_t *ret_count, struct bus_error *err) {
  struct stuck_asking asking = {.older_s = older_s, .limit = limit};
  const struct bus_reader_calls calls = {ask_stuck, take_stuck, &asking};
  if (places->problems[STORY_ORDERS].code != BUS_OK) {
    *err = places->problems[STORY_ORDERS];
    return bus_error_wrap(err, "orders database");
  }
  asking.ids = bus_arena_array(places->arena, (size_t)limit, sizeof *asking.ids);
  if (!asking.ids)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for %lld orders", (long long)limit);
  if (!bus_reader_run(places->readers[STORY_ORDERS], places->arena, &calls, err))
    return false;
  *ret = asking.ids;
  *ret_count = asking.count;
  return true;
}
