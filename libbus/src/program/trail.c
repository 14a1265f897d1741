/* Queries of a batch are parted: trails are read here, from the tables of libbus, the others by the service. */
#include "trail.h"

#include <bus/column.h>
#include <bus/page.h>

#include <assert.h>

/* Each statement reads a bounded part of its table, by the primary key: a long outbox or years of dead letters cost no
 * more. A bundle is a row of the outbox with the ids of its messages in the body. */
#define OUTBOX                                                                                                         \
  "(SELECT coalesce((e.one ->> 'subject')::uuid, o.correlation_id) AS correlation_id, "                                \
  "coalesce((e.one ->> 'id')::uuid, o.id) AS id, coalesce((e.one ->> 'causationid')::uuid, o.causation_id) "           \
  "AS causation_id, o.type, o.unroutable, o.attempts, o.created_at "                                                   \
  "FROM (SELECT * FROM bus.outbox ORDER BY id LIMIT 500) AS o LEFT JOIN LATERAL "                                      \
  "jsonb_array_elements(CASE WHEN o.messages > 1 THEN o.body::jsonb END) AS e (one) ON true)"
#define PARKED "(SELECT * FROM bus.parked ORDER BY message_id DESC LIMIT 10000)"
#define ASKED "FROM unnest($1) WITH ORDINALITY AS n (id, place) "

enum { OUTGOING, DEAD, OF_IDS, CAUSES = OF_IDS, LISTS };
static const struct bus_statement statements[LISTS] = {
    [OUTGOING] = {"SELECT n.place, o.id, o.causation_id, o.type, o.unroutable, o.attempts, o.created_at " ASKED
                  "JOIN " OUTBOX " AS o ON o.correlation_id = n.id ORDER BY n.place, o.created_at LIMIT 1000",
                  "U"},
    [DEAD] = {"SELECT n.place, p.message_id, left(p.queue, 64), left(p.type, 64), left(p.cause_class, 64), "
              "left(p.cause, 256), p.attempt, p.parked_at " ASKED "JOIN " PARKED
              " AS p ON p.correlation_id = n.id ORDER BY n.place, p.parked_at LIMIT 1000",
              "U"},
    [CAUSES] = {"SELECT 1::int8, left(p.queue, 64), left(p.type, 64), left(p.cause_class, 64), "
                "left(regexp_replace(p.cause, '[0-9a-fA-F-]{8,}', '#', 'g'), 256), count(*), min(p.parked_at), "
                "max(p.parked_at), (array_agg(p.message_id ORDER BY p.parked_at DESC))[1] FROM " PARKED
                " AS p WHERE p.parked_at > now() - interval '7 days' GROUP BY 2, 3, 4, 5 ORDER BY 8 DESC LIMIT 100",
                ""},
};

/* The columns of their rows, behind the place. */
#define TEXT(S, member) BUS_COLUMN_TEXT(S, member, 0, INT64_MAX, BUS_VIEW)
#define NUMBER(S, member) BUS_COLUMN_INT64(S, member, 0, INT64_MAX, BUS_VIEW)
#define TIME(S, member) BUS_COLUMN_TIME(S, member, BUS_VIEW)
#define CAUSE(S) TEXT(S, queue), TEXT(S, type), TEXT(S, error), TEXT(S, cause)
#define O struct bus_trail_outgoing
#define D struct bus_trail_dead
#define C struct bus_trail_cause
static const struct bus_column outgoing_columns[] = {BUS_COLUMN_UUID(O, message_id, BUS_VIEW),
                                                     BUS_COLUMN_UUID(O, causation_id, BUS_VIEW | BUS_NULL),
                                                     TEXT(O, type),
                                                     BUS_COLUMN_BOOL(O, unroutable, BUS_VIEW),
                                                     NUMBER(O, attempts),
                                                     TIME(O, created_at)};
static const struct bus_column dead_columns[] = {BUS_COLUMN_UUID(D, message_id, BUS_VIEW), CAUSE(D), NUMBER(D, attempt),
                                                 TIME(D, at)};
static const struct bus_column cause_columns[] = {CAUSE(C), NUMBER(C, count), TIME(C, first_at), TIME(C, last_at),
                                                  BUS_COLUMN_UUID(C, message_id, BUS_VIEW)};
static const struct bus_table tables[LISTS] = {
    [OUTGOING] = BUS_COLUMN_TABLE("bus.outbox", O, outgoing_columns),
    [DEAD] = BUS_COLUMN_TABLE("bus.parked", D, dead_columns),
    [CAUSES] = BUS_COLUMN_TABLE("causes in bus.parked", C, cause_columns),
};

static const struct bus_service *wrapped; /* one service a process; set before its threads start */

struct trail_model {
  struct bus_arena *arena;
  void *inner;                        /* the service's model */
  size_t inner_count;                 /* statements that the service queued */
  bool has_inner, by_cause;           /* queries of the service are in the batch; trails of no correlation id */
  const struct bus_trail_get **asked; /* trails of a correlation id */
  size_t asked_count;
  struct bus_page *pages[OF_IDS]; /* of each of them */
  struct bus_page causes;
};

static bool is_trail(const struct bus_input *input) {
  return input->type && input->type->schema == &bus_trail_get_schema;
}

/* ---- what is asked ---- */

static struct trail_model *new_model(size_t count, struct bus_arena *arena) {
  struct trail_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return NULL;
  *model = (struct trail_model){.arena = arena, .asked = bus_arena_array(arena, count, sizeof *model->asked)};
  bool good = model->asked != NULL;
  for (size_t list = 0; list < OF_IDS; list++) {
    model->pages[list] = bus_arena_array(arena, count, sizeof *model->pages[list]);
    good = good && model->pages[list];
  }
  return good ? model : NULL;
}

/* Returns how many inputs are the service's. */
static size_t part_inputs(const struct bus_input *inputs, size_t count, struct trail_model *model,
                          struct bus_input *others) {
  size_t other_count = 0;
  for (size_t i = 0; i < count; i++) {
    const struct bus_trail_get *get = inputs[i].body;
    if (!is_trail(&inputs[i]))
      others[other_count++] = inputs[i];
    else if (bus_uuid_is_nil(&get->correlation_id))
      model->by_cause = true;
    else
      model->asked[model->asked_count++] = get;
  }
  return other_count;
}

static void ask_trails(const struct trail_model *model, struct bus_sql *sql) {
  for (size_t list = 0; model->asked_count > 0 && list < OF_IDS; list++) {
    struct bus_args *args = bus_sql_add(sql, wrapped->statement_count + list);
    for (size_t i = 0; i < model->asked_count; i++)
      bus_args_uuid(args, &model->asked[i]->correlation_id);
  }
  if (model->by_cause)
    (void)bus_sql_add(sql, wrapped->statement_count + CAUSES);
}

static bool trail_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                       struct bus_sql *sql, void **ret_model) {
  struct trail_model *model = new_model(count, arena);
  struct bus_input *others = bus_arena_array(arena, count, sizeof *others);
  size_t before = bus_sql_count(sql);
  if (!model || !others)
    return false;
  size_t other_count = part_inputs(inputs, count, model, others);
  model->has_inner = other_count > 0;
  if (model->has_inner && !wrapped->lock(context, others, other_count, arena, sql, &model->inner))
    return false;
  model->inner_count = bus_sql_count(sql) - before;
  ask_trails(model, sql);
  *ret_model = model;
  return true;
}

/* ---- what was found, and the answers ---- */

static bool trail_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct trail_model *model = context;
  bool good = !model->has_inner || wrapped->load(model->inner, rows, model->inner_count, err);
  (void)count; /* what trail_lock queued, in its order */
  rows += model->inner_count;
  for (size_t list = 0; good && model->asked_count > 0 && list < OF_IDS; list++) {
    const struct bus_pages pages = {model->pages[list], model->asked_count, sizeof *model->pages[list], model->arena};
    good = bus_pages_load(&pages, &tables[list], BUS_VIEW, *rows++, err);
  }
  const struct bus_pages causes = {&model->causes, 1, sizeof model->causes, model->arena};
  return good && (!model->by_cause || bus_pages_load(&causes, &tables[CAUSES], BUS_VIEW, *rows, err));
}

static size_t shown(const struct bus_page *page) {
  return page->count < BUS_TRAIL_MAX ? page->count : BUS_TRAIL_MAX;
}

static void trail_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct trail_model *model = context;
  const struct bus_page *causes = &model->causes;
  struct bus_trail trail = {.causes = causes->items, .cause_count = shown(causes)};
  size_t i = 0;
  if (!is_trail(input)) {
    wrapped->decide(model->inner, input, effects);
    return;
  }
  while (i < model->asked_count && model->asked[i] != input->body)
    i++;
  if (i < model->asked_count) {
    const struct bus_page *outgoing = &model->pages[OUTGOING][i], *dead = &model->pages[DEAD][i];
    trail = (struct bus_trail){
        .outgoing = outgoing->items, .outgoing_count = shown(outgoing), .dead = dead->items, .dead_count = shown(dead)};
  }
  bus_answer(effects, &bus_trail_type, &trail);
}

/* ---- beside the service's ---- */

static bool takes_trails(const struct bus_topology_part *part) {
  for (size_t i = 0; i < part->queue_count; i++)
    for (size_t k = 0; k < part->queues[i].type_count; k++)
      if (part->queues[i].types[k]->schema == &bus_trail_get_schema)
        return true;
  return false;
}

const struct bus_service *trail_beside(const struct bus_service *given, const struct bus_topology_part *part,
                                       struct trail_service *ret) {
  if (!given || !part || !takes_trails(part))
    return given;
  assert(given->statement_count + LISTS <= TRAIL_STATEMENTS_MAX);
  if (given->statement_count > 0)
    memcpy(ret->statements, given->statements, given->statement_count * sizeof *given->statements);
  memcpy(ret->statements + given->statement_count, statements, sizeof statements);
  wrapped = given;
  ret->service = *given;
  ret->service.statements = ret->statements;
  ret->service.statement_count += LISTS;
  ret->service.lock = trail_lock;
  ret->service.load = trail_load;
  ret->service.decide = trail_decide;
  return &ret->service;
}
