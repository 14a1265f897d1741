/* Statements that run now and then: the service's periodics, the outbox sweeper, the outbox gauges. They ride on a
 * batch's first trip, so that a busy worker makes no round trip for them. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#define PENALTY BUS_SECOND /* a statement that failed waits at least that long */
#define FIRST_SPREAD BUS_SECOND
enum { SWEEP_ROWS = 200, RECALL_ROWS = 1000, RECALL_MARGIN_MS = 5000, PURGE_ROWS = 5000 };

struct swept {
  const struct bus_message_type *type;
  struct bus_envelope envelope;
  struct bus_str body;
  struct swept *next;
};

/* ---- libbus's own statements: parameters and rows ---- */

static void add_sweep(struct bus_worker *worker, struct bus_args *args) {
  BUS_CRASH_POINT("worker.before-sweep");
  bus_args_int64(args, worker->settings.outbox_lease_ms);
  bus_args_int64(args, SWEEP_ROWS);
}

static bool copy_text(struct bus_worker *worker, struct bus_str from, struct bus_str *ret) {
  *ret = bus_arena_copy(worker->work, from);
  return ret->data != NULL;
}

/* False when out of memory: the lease ends and another sweep finds the row. */
static bool copy_row(struct bus_worker *worker, const struct bus_rows *rows, size_t row, struct swept *swept) {
  struct bus_str traceparent = bus_rows_text(rows, row, 4);
  struct bus_str type = bus_rows_text(rows, row, 1);
  swept->type = bus_topology_type(worker->topology, type);
  if (!swept->type) {
    bus_log(BUS_ERROR, "outbox row of a type that this version does not know; it stays", BUS_F_VIEW("type", type));
    return false;
  }
  swept->envelope = (struct bus_envelope){.message_id = bus_rows_uuid(rows, row, 0),
                                          .type = bus_str(swept->type->type),
                                          .correlation_id = bus_rows_uuid(rows, row, 2),
                                          .causation_id = bus_rows_uuid(rows, row, 3),
                                          .timestamp = bus_rows_time(rows, row, 6),
                                          .first_failed_at = BUS_NO_TIME};
  if (traceparent.data && !bus_trace_parse(traceparent, &swept->envelope.trace))
    swept->envelope.trace = (struct bus_trace){0};
  bus_trace_set_state(&swept->envelope.trace, bus_rows_text(rows, row, 7));
  return copy_text(worker, bus_rows_text(rows, row, 5), &swept->body);
}

static bool read_sweep(struct bus_worker *worker, const struct bus_rows *rows) {
  size_t count = bus_rows_count(rows);
  struct swept **tail = &worker->swept;
  for (size_t row = 0; row < count; row++) {
    struct swept *swept = bus_arena_alloc(worker->work, sizeof *swept);
    if (!swept)
      break;
    if (!copy_row(worker, rows, row, swept))
      continue;
    *tail = swept;
    tail = &swept->next;
  }
  return count == SWEEP_ROWS;
}

/* Transactions of other workers may have begun a little later than this one. */
static void add_recall(struct bus_worker *worker, struct bus_args *args) {
  int64_t grace = worker->settings.outbox_grace_ms, lease = worker->settings.outbox_lease_ms;
  bus_args_int64(args, (grace > lease ? grace : lease) + RECALL_MARGIN_MS);
  bus_args_int64(args, RECALL_ROWS);
}

static bool read_recall(struct bus_worker *worker, const struct bus_rows *rows) {
  int64_t count = bus_rows_affected(rows);
  (void)worker;
  if (count > 0)
    bus_log(BUS_WARN, "the database's clock was set back: what was due by its old time is sent now",
            BUS_F_INT("rows", count));
  return false;
}

static bool read_depth(struct bus_worker *worker, const struct bus_rows *rows) {
  if (bus_rows_count(rows) == 0)
    return false;
  bus_time oldest = bus_rows_time(rows, 0, 1);
  metrics_set(worker, METRIC_OUTBOX_DEPTH, bus_rows_int64(rows, 0, 0));
  metrics_set(worker, METRIC_OUTBOX_AGE, oldest == BUS_NO_TIME ? 0 : bus_rows_time(rows, 0, 2) - oldest);
  metrics_set(worker, METRIC_OUTBOX_UNROUTABLE, bus_rows_int64(rows, 0, 3));
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
static void add_purge(struct bus_worker *worker, struct bus_args *args) {
  struct bus_uuid before = uuid_from(bus_wall_clock() - worker->settings.inbox_keep_h * BUS_HOUR);
  bus_args_uuid(args, &before);
  bus_args_int64(args, PURGE_ROWS);
  bus_args_int64(args, worker->settings.inbox_keep_h);
}

static bool read_purge(struct bus_worker *worker, const struct bus_rows *rows) {
  (void)worker;
  return bus_rows_affected(rows) == PURGE_ROWS;
}

/* Only for services with an outbox. */
static const struct own_periodic {
  size_t statement;
  const char *what;
  int64_t interval, interval_of_more;                               /* of_more: while more rows wait */
  bool publishes;                                                   /* runs while the broker takes messages */
  void (*add)(struct bus_worker *worker, struct bus_args *args);    /* NULL: no parameters */
  bool (*read)(struct bus_worker *worker, const struct bus_rows *); /* True: more rows wait than one turn takes. */
} own[PERIODICS_OWN] = {
    {SQL_OUTBOX_SWEEP, "outbox sweeper", BUS_SECOND, 0, true, add_sweep, read_sweep},
    {SQL_OUTBOX_RECALL, "outbox recall", 5 * BUS_SECOND, 0, false, add_recall, read_recall},
    {SQL_OUTBOX_DEPTH, "outbox gauges", 5 * BUS_SECOND, 0, false, NULL, read_depth},
    {SQL_PURGE, "inbox purge", BUS_MINUTE, BUS_SECOND, false, add_purge, read_purge},
};

/* ---- all of them: libbus's own, then the service's ---- */

static size_t count_all(const struct bus_worker *worker) {
  return PERIODICS_OWN + worker->service->periodic_count;
}

/* NULL: one of libbus's own. */
static const struct bus_periodic *of_service(const struct bus_worker *worker, size_t i) {
  return i < PERIODICS_OWN ? NULL : &worker->service->periodics[i - PERIODICS_OWN];
}

static bool may_run(const struct bus_worker *worker, size_t i) {
  const struct bus_periodic *periodic = of_service(worker, i);
  if (periodic)
    return !periodic->when_settled || bus_worker_is_settled(worker);
  return worker->service->store && (!own[i].publishes || publish_is_open(worker));
}

static int64_t interval_of(const struct bus_worker *worker, size_t i) {
  const struct bus_periodic *periodic = of_service(worker, i);
  return periodic ? periodic->interval_ms * BUS_MILLISECOND : own[i].interval;
}

void periodic_init(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  int64_t spread = (int64_t)(bus_uuid_source_random(&worker->ids) % (uint64_t)FIRST_SPREAD);
  for (size_t i = 0; i < count_all(worker); i++)
    worker->periodics[i] =
        (struct periodic_state){.next_at = now + (i < PERIODICS_OWN ? spread : spread % 100000), .trip_index = -1};
}

int64_t periodic_next(const struct bus_worker *worker) {
  int64_t next = INT64_MAX;
  for (size_t i = 0; i < count_all(worker); i++)
    if (worker->periodics[i].next_at < next && may_run(worker, i))
      next = worker->periodics[i].next_at;
  return next;
}

static void add_statement(struct bus_worker *worker, struct bus_sql *sql, size_t i) {
  const struct bus_periodic *periodic = of_service(worker, i);
  worker->periodics[i].trip_index = (long)pg_trip_count(sql);
  struct bus_args *args = periodic ? bus_sql_add(sql, periodic->statement) : pg_add_own(sql, own[i].statement);
  if (!periodic && own[i].add)
    own[i].add(worker, args);
  else if (periodic && periodic->args && args)
    periodic->args(worker->context, args);
}

void periodic_add(struct bus_worker *worker, struct bus_sql *sql) {
  bool none = worker->bare || worker_stopping(worker); /* nothing new for one that is to end */
  int64_t now = none ? INT64_MIN : bus_monotonic();
  for (size_t i = 0; i < count_all(worker); i++) {
    worker->periodics[i].trip_index = -1;
    if (worker->periodics[i].next_at <= now && may_run(worker, i))
      add_statement(worker, sql, i);
  }
}

void periodic_read(struct bus_worker *worker) {
  worker->swept = NULL;
  for (size_t i = 0; i < count_all(worker); i++) {
    struct periodic_state *state = &worker->periodics[i];
    const struct bus_periodic *periodic = of_service(worker, i);
    if (state->trip_index < 0)
      continue;
    const struct bus_rows *rows = pg_rows(worker->pg, (size_t)state->trip_index);
    if (!periodic)
      state->more = own[i].read(worker, rows);
    else if (periodic->rows)
      periodic->rows(worker->context, worker, rows);
  }
}

static void publish_swept(struct bus_worker *worker) {
  size_t count = 0;
  if (worker->swept)
    BUS_CUT_POINT("worker.swept", worker_fd(worker->publishing));
  for (const struct swept *swept = worker->swept; swept; swept = swept->next, count++)
    publish_outbox_row(worker, swept->type, &swept->envelope, swept->body);
  worker->swept = NULL;
  if (count == 0)
    return;
  metrics_add(worker, METRIC_SWEPT, (int64_t)count);
  BUS_CUT_POINT("worker.swept-published", worker_fd(worker->publishing));
}

void periodic_committed(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  for (size_t i = 0; i < count_all(worker); i++) {
    struct periodic_state *state = &worker->periodics[i];
    if (state->trip_index >= 0)
      state->next_at = now + (state->more ? own[i].interval_of_more : interval_of(worker, i));
  }
  publish_swept(worker);
}

bool periodic_is_guilty(struct bus_worker *worker, long failed) {
  size_t i = 0;
  while (i < count_all(worker) && worker->periodics[i].trip_index != failed)
    i++;
  if (failed < 0 || i == count_all(worker))
    return false;
  const struct bus_periodic *periodic = of_service(worker, i);
  int64_t pause = interval_of(worker, i);
  worker->periodics[i].next_at = bus_monotonic() + (pause > PENALTY ? pause : PENALTY);
  bus_log(BUS_ERROR, "a statement that runs now and then failed; its next turn comes later",
          BUS_F_STR("what", periodic ? worker->service->name : own[i].what),
          BUS_F_INT("statement", periodic ? periodic->statement : own[i].statement));
  return true;
}
