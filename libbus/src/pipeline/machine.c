/* A pipeline's life and its step: the reaction to the event, and what follows from it until an event is awaited. */
#include "machine.h"

#include "own.h"

#include <stdlib.h>

#define WORK_LIMIT ((size_t)1 << 30)
enum { ACTIONS_LEAST = 256 };

_Static_assert((int)OWN_STATEMENTS == (int)BUS_OWN_STATEMENTS && (int)OWN_SETTINGS == (int)BUS_OWN_SETTINGS,
               "bus/pipeline.h counts the statements");

/* ---- life ---- */

static bool allocate(struct bus_pipeline *pipeline) {
  const struct bus_pipeline_setup *setup = &pipeline->setup;
  size_t batch_max = (size_t)setup->settings->batch_max;
  size_t unacked = batch_max * 2 * setup->service->queue_count;
  pipeline->batch.room = batch_max;
  pipeline->batch.entries = calloc(batch_max, sizeof(struct entry *));
  pipeline->actions.room = 2 * batch_max + ACTIONS_LEAST;
  pipeline->actions.items = malloc(pipeline->actions.room * sizeof *pipeline->actions.items);
  pipeline->work = bus_arena_new(WORK_LIMIT);
  pipeline->batch.before = bus_arena_new(WORK_LIMIT);
  return pipeline->batch.entries && pipeline->actions.items && pipeline->work && pipeline->batch.before &&
         intake_init(&pipeline->intake) && window_init(&pipeline->window, setup->unconfirmed_max) &&
         acks_init(&pipeline->acks, unacked + 1);
}

struct bus_pipeline *bus_pipeline_new(const struct bus_pipeline_setup *setup) {
  struct bus_pipeline *pipeline = calloc(1, sizeof *pipeline);
  if (!pipeline)
    return NULL;
  pipeline->setup = *setup;
  turn_init(&pipeline->turn, &pipeline->setup, &pipeline->actions);
  bus_uuid_source_init(&pipeline->ids, setup->seed);
  if (!allocate(pipeline)) {
    bus_pipeline_free(pipeline);
    return NULL;
  }
  links_init(&pipeline->links, setup);
  upkeep_init(&pipeline->upkeep, setup, bus_uuid_source_random(&pipeline->ids));
  return pipeline;
}

void bus_pipeline_free(struct bus_pipeline *pipeline) {
  if (!pipeline)
    return;
  acks_free(&pipeline->acks);
  holds_free(&pipeline->holds);
  window_free(&pipeline->window);
  ledger_free(&pipeline->ledger);
  intake_free(&pipeline->intake);
  bus_arena_free(pipeline->work);
  bus_arena_free(pipeline->batch.before);
  free(pipeline->actions.items);
  free(pipeline->batch.entries);
  free(pipeline);
}

void bus_pipeline_set_context(struct bus_pipeline *pipeline, void *context) {
  pipeline->context = context;
}

/* ---- what the parts share ---- */

void machine_turn_arenas(struct bus_pipeline *pipeline) {
  assert(pipeline->batch.before != pipeline->work);
  struct bus_arena *next = pipeline->batch.before;
  pipeline->batch.before = pipeline->work;
  pipeline->work = next;
  bus_arena_reset(next);
}

struct bus_sql *machine_begin_trip(struct bus_pipeline *pipeline) {
  const struct bus_registry registries[BUS_REGISTRIES] = {
      [BUS_REGISTRY_OWN] = {bus_own_statements, BUS_OWN_STATEMENTS},
      [BUS_REGISTRY_SERVICE] = {pipeline->setup.service->statements, pipeline->setup.service->statement_count}};
  return bus_sql_new(pipeline->work, registries);
}

struct bus_pipeline_action *machine_send(struct bus_pipeline *pipeline, struct bus_sql *sql, enum bus_trip_kind purpose,
                                         enum phase phase) {
  assert(sql && pipeline->links.database.state == LINK_UP);
  struct bus_pipeline_action *action = turn_do(&pipeline->turn, BUS_DO_TRIP);
  action->trip.sql = sql;
  action->trip.purpose = purpose;
  action->trip.inputs = pipeline->batch.count > 0;
  action->trip.deadlines = action->trip.completions = false;
  pipeline->waiting.phase = phase;
  pipeline->waiting.since = pipeline->turn.now;
  return action;
}

enum next machine_roll_back(struct bus_pipeline *pipeline, enum next after) {
  assert(after == NEXT_OUTCOME || after == NEXT_KEEP);
  struct bus_sql *sql = machine_begin_trip(pipeline);
  pipeline->waiting.after = after;
  if (!sql) {
    machine_lose_database(pipeline, "out of memory to roll back"); /* the server rolls back by itself */
    return after;
  }
  (void)bus_sql_add_own(sql, OWN_ROLLBACK);
  (void)machine_send(pipeline, sql, BUS_TRIP_ROLLBACK, PHASE_ROLLING_BACK);
  return NEXT_WAIT;
}

void machine_lose_database(struct bus_pipeline *pipeline, const char *why) {
  assert(pipeline->links.database.state == LINK_UP && why);
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_DB_CONNECTION, "%s", why);
  (void)turn_do(&pipeline->turn, BUS_DO_CLOSE_DATABASE);
  links_down(&pipeline->links, &pipeline->turn, &pipeline->links.database, &err,
             bus_uuid_source_random(&pipeline->ids));
}

void machine_note_dead(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  if (trip->dead)
    machine_lose_database(pipeline, trip->error.text);
}

/* Until BROKER_DOWN comes, nothing is published, settled or acked. */
void machine_lose_broker(struct bus_pipeline *pipeline, const char *why) {
  if (!pipeline->window.up)
    return;
  turn_do(&pipeline->turn, BUS_DO_CLOSE_BROKER)->why = why;
  window_reset(&pipeline->window, false);
}

void machine_ack(struct bus_pipeline *pipeline, bool now) {
  struct acks *acks = &pipeline->acks;
  size_t enough = (links_prefetch(&pipeline->links, &pipeline->turn) + 3) / 4; /* the broker is to send more */
  bool due = acks_are_due(acks, pipeline->turn.now, enough);
  if (!pipeline->window.up || acks_pending(acks) == 0 || (!now && !due))
    return;
  turn_do(&pipeline->turn, BUS_DO_ACK)->tag = acks_take(acks);
}

struct upkeep_facts machine_upkeep_facts(const struct bus_pipeline *pipeline) {
  return (struct upkeep_facts){.settled = pipeline->links.settling.settled,
                               .publishes = window_is_open(&pipeline->window)};
}

/* ---- the step ---- */

static enum next keep_for_later(struct bus_pipeline *pipeline) {
  return failure_answered(pipeline, false);
}

static enum next (*const continuations[NEXTS])(struct bus_pipeline *pipeline) = {
    [NEXT_SEGMENT] = batch_segment,   [NEXT_ATTEMPT] = attempt_start, [NEXT_DECIDE] = attempt_decide,
    [NEXT_OUTCOME] = failure_outcome, [NEXT_DIVIDE] = failure_divide, [NEXT_JUDGE] = failure_judge,
    [NEXT_KEEP] = keep_for_later,     [NEXT_PUBLISH] = publish_next,  [NEXT_SETTLE] = publish_settle,
    [NEXT_FINISH] = batch_finish,     [NEXT_REST] = batch_rest,
};

void bus_pipeline_step(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event,
                       struct bus_pipeline_actions *ret) {
  struct bus_pipeline_actions *actions = &pipeline->actions;
  assert(event->now >= pipeline->turn.now);
  pipeline->turn.now = event->now;
  pipeline->turn.wall = event->wall;
  actions->count = 0;
  memset(actions->counts, 0, sizeof actions->counts);
  actions->outbox.known = false;
  enum next next = phase_react(pipeline, event);
  while (next != NEXT_WAIT) {
    assert(next < NEXTS && continuations[next]);
    next = continuations[next](pipeline);
  }
  if (event->kind == BUS_ON_TICK)
    rest_plan(pipeline);
  *ret = *actions;
}

/* ---- beside the steps ---- */

struct bus_arena *bus_pipeline_arena(const struct bus_pipeline *pipeline) {
  return pipeline->intake.filling->arena;
}

bool bus_pipeline_push(struct bus_pipeline *pipeline, enum bus_input_kind kind, const void *body, size_t size) {
  return intake_push(&pipeline->intake, kind, body, size);
}

void bus_pipeline_push_due(struct bus_pipeline *pipeline, const struct bus_rows *rows) {
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    const struct bus_uuid due = bus_rows_uuid(rows, row, 0);
    if (!bus_pipeline_waits(pipeline, &due) && !bus_pipeline_push(pipeline, BUS_INPUT_DEADLINE, &due, sizeof due))
      return;
  }
}

size_t bus_pipeline_pushed(const struct bus_pipeline *pipeline) {
  return pipeline->intake.pushed;
}

bool bus_pipeline_waits(const struct bus_pipeline *pipeline, const struct bus_uuid *due) {
  return pipeline->turn.now < pipeline->stall.due_at || intake_waits(&pipeline->intake, due);
}

void bus_pipeline_pause(struct bus_pipeline *pipeline, size_t queue, bool paused) {
  if (queue < pipeline->setup.service->queue_count)
    pipeline->links.paused[queue] = paused;
}

bool bus_pipeline_is_settled(const struct bus_pipeline *pipeline) {
  return pipeline->links.settling.settled;
}

size_t bus_pipeline_unconfirmed(const struct bus_pipeline *pipeline) {
  return window_count(&pipeline->window);
}

const char *bus_pipeline_phase(const struct bus_pipeline *pipeline) {
  return phase_names[pipeline->waiting.phase];
}

static bool batch_is_valid(const struct bus_pipeline *pipeline) {
  bool between = pipeline->waiting.phase == PHASE_IDLE || pipeline->waiting.phase == PHASE_GATHERING ||
                 pipeline->waiting.phase == PHASE_DRAINING || pipeline->waiting.phase == PHASE_STOPPED;
  return pipeline->batch.count <= pipeline->batch.room && bus_implies(between, pipeline->batch.count == 0) &&
         bisect_is_valid(&pipeline->batch.bisect);
}

bool bus_pipeline_is_valid(const struct bus_pipeline *pipeline) {
  return batch_is_valid(pipeline) && acks_is_valid(&pipeline->acks) && intake_is_valid(&pipeline->intake) &&
         window_is_valid(&pipeline->window) && holds_is_valid(&pipeline->holds) && ledger_is_valid(&pipeline->ledger) &&
         links_is_valid(&pipeline->links) && pace_is_valid(&pipeline->pace) && stall_is_valid(&pipeline->stall);
}
