/* One table of periodics: libbus's own, then the service's. */
#include "upkeep.h"

#include "own.h"

#define PENALTY BUS_SECOND /* a statement that failed waits at least that long */
#define FIRST_SPREAD BUS_SECOND
#define FIRST_SPREAD_SERVICE (100 * BUS_MILLISECOND)
enum { SWEEP_ROWS = 200, RECALL_ROWS = 1000, RECALL_MARGIN_MS = 5000, PURGE_ROWS = 5000 };

/* ---- libbus's own: parameters and rows ---- */

static void add_sweep(const struct turn *turn, struct bus_args *args) {
  turn_point(turn, BUS_POINT_BEFORE_SWEEP);
  bus_args_int64(args, turn->setup->settings->outbox_lease_ms);
  bus_args_int64(args, SWEEP_ROWS);
}

/* False when out of memory, or for a type that this version does not know: the lease ends and another sweep finds the
 * row. */
static bool copy_row(const struct turn *turn, const struct bus_rows *rows, size_t row, struct bus_arena *arena,
                     struct swept *swept) {
  struct bus_str traceparent = bus_rows_text(rows, row, 4), tracestate = bus_rows_text(rows, row, 7);
  struct bus_str type = bus_rows_text(rows, row, 1);
  swept->type = bus_topology_type(turn->setup->topology, type);
  if (!swept->type) {
    turn_log(turn, BUS_ERROR, "outbox row of a type that this version does not know; it stays",
             BUS_F_VIEW("type", type));
    return false;
  }
  swept->envelope = (struct bus_envelope){.message_id = bus_rows_uuid(rows, row, 0),
                                          .type = bus_str(swept->type->type),
                                          .correlation_id = bus_rows_uuid(rows, row, 2),
                                          .causation_id = bus_rows_uuid(rows, row, 3),
                                          .timestamp = bus_rows_time(rows, row, 6),
                                          .first_failed_at = BUS_NO_TIME,
                                          .bundle = bus_rows_int64(rows, row, 8) > 1};
  swept->envelope.bundle_count = swept->envelope.bundle ? bus_rows_int64(rows, row, 8) : 0;
  if (traceparent.data && !bus_trace_parse(traceparent, &swept->envelope.trace))
    swept->envelope.trace = (struct bus_trace){0};
  if (tracestate.data)
    bus_trace_set_state(&swept->envelope.trace, bus_arena_copy(arena, tracestate));
  swept->body = bus_arena_copy(arena, bus_rows_text(rows, row, 5));
  return swept->body.data != NULL;
}

/* A planted bug's. */
static bool is_passed(struct upkeep *upkeep, const struct bus_rows *rows, size_t row) {
  const struct bus_uuid id = bus_rows_uuid(rows, row, 0);
  bool passed = bus_uuid_compare(&id, &upkeep->high_water) <= 0;
  if (!passed)
    upkeep->high_water = id;
  return passed;
}

static bool read_sweep(struct upkeep *upkeep, const struct turn *turn, const struct bus_rows *rows,
                       struct bus_arena *arena) {
  size_t count = bus_rows_count(rows);
  struct swept **tail = &upkeep->swept;
  for (size_t row = 0; row < count; row++) {
    if (BUS_BUG("sweeper-high-water", "the sweeper takes only ids above the last that it took") &&
        is_passed(upkeep, rows, row))
      continue;
    struct swept *swept = bus_arena_alloc(arena, sizeof *swept);
    if (!swept || !copy_row(turn, rows, row, arena, swept))
      continue;
    *tail = swept;
    tail = &swept->next;
  }
  return count == SWEEP_ROWS;
}

/* Transactions of other workers may have begun a little later than this one. */
static void add_recall(const struct turn *turn, struct bus_args *args) {
  int64_t grace = turn->setup->settings->outbox_grace_ms, lease = turn->setup->settings->outbox_lease_ms;
  bus_args_int64(args, (grace > lease ? grace : lease) + RECALL_MARGIN_MS);
  bus_args_int64(args, RECALL_ROWS);
}

static bool read_recall(struct upkeep *upkeep, const struct turn *turn, const struct bus_rows *rows,
                        struct bus_arena *arena) {
  int64_t count = bus_rows_affected(rows);
  (void)upkeep, (void)arena;
  if (count > 0)
    turn_log(turn, BUS_WARN, "the database's clock was set back: what was due by its old time is sent now",
             BUS_F_INT("rows", count));
  return false;
}

static bool read_depth(struct upkeep *upkeep, const struct turn *turn, const struct bus_rows *rows,
                       struct bus_arena *arena) {
  (void)upkeep, (void)arena;
  if (bus_rows_count(rows) == 0)
    return false;
  bus_time oldest = bus_rows_time(rows, 0, 1);
  turn->actions->outbox.known = true;
  turn->actions->outbox.rows = bus_rows_int64(rows, 0, 0);
  turn->actions->outbox.oldest_age = oldest == BUS_NO_TIME ? 0 : bus_rows_time(rows, 0, 2) - oldest;
  turn->actions->outbox.unroutable = bus_rows_int64(rows, 0, 3);
  return false;
}

/* The least id that was given out at that time. */
static struct bus_uuid uuid_from(bus_time at) {
  struct bus_uuid id = {{0}};
  int64_t ms = at / BUS_MILLISECOND;
  for (int i = 5; i >= 0; i--, ms >>= 8)
    id.bytes[i] = (uint8_t)ms;
  return id;
}

/* Purge inbox rows older than INBOX_KEEP_H. */
static void add_purge(const struct turn *turn, struct bus_args *args) {
  int64_t keep_h = turn->setup->settings->inbox_keep_h;
  struct bus_uuid before = uuid_from(turn->wall - keep_h * BUS_HOUR);
  bus_args_uuid(args, &before);
  bus_args_int64(args, PURGE_ROWS);
  bus_args_int64(args, keep_h);
}

static bool read_purge(struct upkeep *upkeep, const struct turn *turn, const struct bus_rows *rows,
                       struct bus_arena *arena) {
  (void)upkeep, (void)turn, (void)arena;
  return bus_rows_affected(rows) == PURGE_ROWS;
}

/* Only for services with an outbox. */
static const struct own_periodic {
  enum own_statement statement;
  const char *what;
  int64_t interval, interval_of_more;                          /* of_more: while more rows wait */
  bool publishes;                                              /* runs while the broker takes messages */
  void (*add)(const struct turn *turn, struct bus_args *args); /* NULL: no parameters */
  bool (*read)(struct upkeep *upkeep, const struct turn *turn, const struct bus_rows *rows,
               struct bus_arena *arena); /* True: more rows wait than one turn takes. */
} own[PERIODICS_OWN] = {
    {OWN_OUTBOX_SWEEP, "outbox sweeper", BUS_SECOND, 0, true, add_sweep, read_sweep},
    {OWN_OUTBOX_RECALL, "outbox recall", 5 * BUS_SECOND, 0, false, add_recall, read_recall},
    {OWN_OUTBOX_DEPTH, "outbox gauges", 5 * BUS_SECOND, 0, false, NULL, read_depth},
    {OWN_PURGE, "inbox purge", BUS_MINUTE, BUS_SECOND, false, add_purge, read_purge},
};

/* ---- all of them ---- */

static size_t count_all(const struct bus_pipeline_setup *setup) {
  return PERIODICS_OWN + setup->service->periodic_count;
}

/* NULL: one of libbus's own. */
static const struct bus_periodic *of_service(const struct bus_pipeline_setup *setup, size_t i) {
  return i < PERIODICS_OWN ? NULL : &setup->service->periodics[i - PERIODICS_OWN];
}

static bool may_run(const struct bus_pipeline_setup *setup, size_t i, struct upkeep_facts facts) {
  const struct bus_periodic *periodic = of_service(setup, i);
  if (periodic)
    return !periodic->when_settled || facts.settled;
  if (i == 0 && BUS_BUG("no-sweeper", "outbox rows are published once, from memory"))
    return false;
  return setup->service->store && (!own[i].publishes || facts.publishes);
}

static int64_t interval_of(const struct bus_pipeline_setup *setup, size_t i) {
  const struct bus_periodic *periodic = of_service(setup, i);
  return periodic ? periodic->interval_ms * BUS_MILLISECOND : own[i].interval;
}

void upkeep_init(struct upkeep *upkeep, const struct bus_pipeline_setup *setup, uint64_t random) {
  assert(setup->service->periodic_count <= BUS_PERIODICS_MAX);
  int64_t spread = (int64_t)(random % (uint64_t)FIRST_SPREAD);
  for (size_t i = 0; i < count_all(setup); i++)
    upkeep->states[i] = (struct periodic_state){
        .next_at = setup->now + (i < PERIODICS_OWN ? spread : spread % FIRST_SPREAD_SERVICE), .trip_index = -1};
}

int64_t upkeep_next(const struct upkeep *upkeep, const struct bus_pipeline_setup *setup, struct upkeep_facts facts) {
  int64_t next = INT64_MAX;
  for (size_t i = 0; i < count_all(setup); i++)
    if (upkeep->states[i].next_at < next && may_run(setup, i, facts))
      next = upkeep->states[i].next_at;
  return next;
}

static void add_statement(struct periodic_state *state, const struct turn *turn, size_t i, void *context,
                          struct bus_sql *sql) {
  assert(state->trip_index < 0 && state->next_at <= turn->now);
  const struct bus_periodic *periodic = of_service(turn->setup, i);
  state->trip_index = (long)bus_sql_count(sql);
  struct bus_args *args =
      periodic ? bus_sql_add(sql, periodic->statement) : bus_sql_add_own(sql, (size_t)own[i].statement);
  if (!periodic && own[i].add)
    own[i].add(turn, args);
  else if (periodic && periodic->args)
    periodic->args(context, args);
}

void upkeep_add(struct upkeep *upkeep, const struct turn *turn, struct upkeep_facts facts, bool none, void *context,
                struct bus_sql *sql) {
  for (size_t i = 0; i < count_all(turn->setup); i++) {
    struct periodic_state *state = &upkeep->states[i];
    state->trip_index = -1;
    if (!none && state->next_at <= turn->now && may_run(turn->setup, i, facts))
      add_statement(state, turn, i, context, sql);
  }
}

void upkeep_read(struct upkeep *upkeep, const struct turn *turn, void *context, const struct bus_trip_result *trip,
                 struct bus_arena *arena) {
  upkeep->swept = NULL;
  for (size_t i = 0; i < count_all(turn->setup); i++) {
    struct periodic_state *state = &upkeep->states[i];
    const struct bus_periodic *periodic = of_service(turn->setup, i);
    if (state->trip_index < 0)
      continue;
    assert((size_t)state->trip_index < trip->count);
    const struct bus_rows *rows = trip->rows[state->trip_index];
    if (!periodic)
      state->more = own[i].read(upkeep, turn, rows, arena);
    else if (periodic->rows)
      periodic->rows(context, turn->setup->worker, rows);
  }
}

void upkeep_committed(struct upkeep *upkeep, const struct turn *turn) {
  for (size_t i = 0; i < count_all(turn->setup); i++) {
    struct periodic_state *state = &upkeep->states[i];
    if (state->trip_index < 0)
      continue;
    assert(i < PERIODICS_OWN || !state->more);
    state->next_at = turn->now + (state->more ? own[i].interval_of_more : interval_of(turn->setup, i));
    state->trip_index = -1;
  }
}

bool upkeep_is_guilty(struct upkeep *upkeep, const struct turn *turn, long index) {
  assert(index >= 0);
  size_t i = 0;
  while (i < count_all(turn->setup) && upkeep->states[i].trip_index != index)
    i++;
  if (i == count_all(turn->setup))
    return false;
  const struct bus_periodic *periodic = of_service(turn->setup, i);
  int64_t pause = interval_of(turn->setup, i);
  upkeep->states[i].next_at = turn->now + (pause > PENALTY ? pause : PENALTY);
  turn_log(turn, BUS_ERROR, "a statement that runs now and then failed; its next turn comes later",
           BUS_F_STR("what", periodic ? turn->setup->service->name : own[i].what),
           BUS_F_INT("statement", periodic ? periodic->statement : (size_t)own[i].statement));
  return true;
}
