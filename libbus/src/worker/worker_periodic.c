/* Statements that run now and then: the service's periodics, the outbox sweeper, the outbox gauges. They ride on a
 * batch's first trip, so that a busy worker makes no round trip for them. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#define SWEEP_EVERY (1 * BUS_SECOND)
#define RECALL_EVERY (5 * BUS_SECOND)
#define DEPTH_EVERY (5 * BUS_SECOND)
#define PURGE_EVERY (60 * BUS_SECOND)
#define PURGE_AGAIN (1 * BUS_SECOND) /* while more is waiting */
#define PENALTY (1 * BUS_SECOND)     /* at least that long waits what failed */
enum { SWEEP_ROWS = 200, RECALL_ROWS = 1000, RECALL_MARGIN_MS = 5000, PURGE_ROWS = 5000 };

struct swept {
  const struct bus_message_type *type;
  struct bus_envelope envelope;
  struct bus_str body;
  struct swept *next;
};

static bool has_outbox(const struct bus_worker *worker) {
  return worker->service->store != NULL;
}

void periodic_init(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  int64_t spread = (int64_t)(bus_uuid_source_random(&worker->ids) % (uint64_t)SWEEP_EVERY);
  worker->sweep_at = worker->recall_at = worker->depth_at = worker->purge_at = now + spread;
  worker->sweep_index = worker->recall_index = worker->depth_index = worker->purge_index = -1;
  for (size_t i = 0; i < worker->service->periodic_count; i++)
    worker->periodics[i] = (struct periodic_state){.next_at = now + spread % 100000, .trip_index = -1};
}

static bool sweep_is_due(const struct bus_worker *worker, int64_t now) {
  return has_outbox(worker) && worker->sweep_at <= now && publish_is_open(worker);
}

/* When the next of its own is due that needs no broker. */
static int64_t housekeeping_at(const struct bus_worker *worker) {
  int64_t at = worker->depth_at < worker->purge_at ? worker->depth_at : worker->purge_at;
  return worker->recall_at < at ? worker->recall_at : at;
}

static bool service_is_due(const struct bus_worker *worker, size_t i, int64_t now) {
  const struct bus_periodic *periodic = &worker->service->periodics[i];
  return worker->periodics[i].next_at <= now && (!periodic->when_settled || bus_worker_is_settled(worker));
}

bool periodic_is_due(const struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  if (sweep_is_due(worker, now) || (has_outbox(worker) && housekeeping_at(worker) <= now))
    return true;
  for (size_t i = 0; i < worker->service->periodic_count; i++)
    if (service_is_due(worker, i, now))
      return true;
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
static void add_purge(struct bus_worker *worker, struct bus_sql *sql) {
  struct bus_uuid before = uuid_from(bus_wall_clock() - worker->settings.inbox_keep_h * BUS_HOUR);
  worker->purge_index = (long)pg_trip_count(sql);
  struct bus_args *args = pg_add_own(sql, SQL_PURGE);
  bus_args_uuid(args, &before);
  bus_args_int64(args, PURGE_ROWS);
  bus_args_int64(args, worker->settings.inbox_keep_h);
}

/* Transactions of other workers may have begun a little later than this one. */
static void add_recall(struct bus_worker *worker, struct bus_sql *sql) {
  const struct bus_worker_settings *settings = &worker->settings;
  worker->recall_index = (long)pg_trip_count(sql);
  struct bus_args *args = pg_add_own(sql, SQL_OUTBOX_RECALL);
  int64_t longest =
      settings->outbox_grace_ms > settings->outbox_lease_ms ? settings->outbox_grace_ms : settings->outbox_lease_ms;
  bus_args_int64(args, longest + RECALL_MARGIN_MS);
  bus_args_int64(args, RECALL_ROWS);
}

static void add_own(struct bus_worker *worker, struct bus_sql *sql, int64_t now) {
  worker->sweep_index = worker->recall_index = worker->depth_index = worker->purge_index = -1;
  if (sweep_is_due(worker, now)) {
    worker->sweep_index = (long)pg_trip_count(sql);
    worker->sweep_full = false;
    BUS_CRASH_POINT("worker.before-sweep");
    struct bus_args *args = pg_add_own(sql, SQL_OUTBOX_SWEEP);
    bus_args_int64(args, worker->settings.outbox_lease_ms);
    bus_args_int64(args, SWEEP_ROWS);
  }
  if (has_outbox(worker) && worker->recall_at <= now)
    add_recall(worker, sql);
  if (has_outbox(worker) && worker->depth_at <= now) {
    worker->depth_index = (long)pg_trip_count(sql);
    (void)pg_add_own(sql, SQL_OUTBOX_DEPTH);
  }
  if (has_outbox(worker) && worker->purge_at <= now)
    add_purge(worker, sql);
}

void periodic_add(struct bus_worker *worker, struct bus_sql *sql) {
  bool none = worker->bare || worker_stopping(worker); /* nothing new for one that is to end */
  int64_t now = none ? INT64_MIN : bus_monotonic();
  add_own(worker, sql, now);
  for (size_t i = 0; i < worker->service->periodic_count; i++) {
    const struct bus_periodic *periodic = &worker->service->periodics[i];
    worker->periodics[i].trip_index = -1;
    if (!service_is_due(worker, i, now))
      continue;
    worker->periodics[i].trip_index = (long)pg_trip_count(sql);
    struct bus_args *args = bus_sql_add(sql, periodic->statement);
    if (periodic->args && args)
      periodic->args(worker->context, args);
  }
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

static void read_sweep(struct bus_worker *worker) {
  const struct bus_rows *rows = pg_rows(worker->pg, (size_t)worker->sweep_index);
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
  worker->sweep_full = count == SWEEP_ROWS;
}

static void read_depth(struct bus_worker *worker) {
  const struct bus_rows *rows = pg_rows(worker->pg, (size_t)worker->depth_index);
  if (bus_rows_count(rows) == 0)
    return;
  bus_time oldest = bus_rows_time(rows, 0, 1);
  int64_t age = oldest == BUS_NO_TIME ? 0 : bus_rows_time(rows, 0, 2) - oldest;
  metrics_outbox(worker, bus_rows_int64(rows, 0, 0), age, bus_rows_int64(rows, 0, 3));
}

static void log_recall(int64_t count) {
  if (count > 0)
    bus_log(BUS_WARN, "the database's clock was set back: what was due by its old time is sent now",
            BUS_F_INT("rows", count));
}

void periodic_read(struct bus_worker *worker) {
  worker->swept = NULL;
  if (worker->sweep_index >= 0)
    read_sweep(worker);
  if (worker->depth_index >= 0)
    read_depth(worker);
  if (worker->recall_index >= 0)
    log_recall(bus_rows_affected(pg_rows(worker->pg, (size_t)worker->recall_index)));
  if (worker->purge_index >= 0)
    worker->purge_full = bus_rows_affected(pg_rows(worker->pg, (size_t)worker->purge_index)) == PURGE_ROWS;
  for (size_t i = 0; i < worker->service->periodic_count; i++) {
    long index = worker->periodics[i].trip_index;
    if (index >= 0 && worker->service->periodics[i].rows)
      worker->service->periodics[i].rows(worker->context, worker, pg_rows(worker->pg, (size_t)index));
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
  metrics_swept(worker, count);
  BUS_CUT_POINT("worker.swept-published", worker_fd(worker->publishing));
}

static int64_t interval_of(const struct bus_worker *worker, size_t i) {
  return worker->service->periodics[i].interval_ms * BUS_MILLISECOND;
}

void periodic_committed(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  if (worker->sweep_index >= 0)
    worker->sweep_at = worker->sweep_full ? now : now + SWEEP_EVERY;
  if (worker->recall_index >= 0)
    worker->recall_at = now + RECALL_EVERY;
  if (worker->depth_index >= 0)
    worker->depth_at = now + DEPTH_EVERY;
  if (worker->purge_index >= 0)
    worker->purge_at = now + (worker->purge_full ? PURGE_AGAIN : PURGE_EVERY);
  for (size_t i = 0; i < worker->service->periodic_count; i++)
    if (worker->periodics[i].trip_index >= 0)
      worker->periodics[i].next_at = now + interval_of(worker, i);
  publish_swept(worker);
}

static bool blame(long index, long failed, int64_t *at, int64_t pause, const char *what, size_t statement) {
  if (index < 0 || index != failed)
    return false;
  *at = bus_monotonic() + (pause > PENALTY ? pause : PENALTY);
  bus_log(BUS_ERROR, "a statement that runs now and then failed; its next turn comes later", BUS_F_STR("what", what),
          BUS_F_INT("statement", statement));
  return true;
}

bool periodic_is_guilty(struct bus_worker *worker, long failed) {
  bool guilty =
      blame(worker->sweep_index, failed, &worker->sweep_at, SWEEP_EVERY, "outbox sweeper", SQL_OUTBOX_SWEEP) ||
      blame(worker->recall_index, failed, &worker->recall_at, RECALL_EVERY, "outbox recall", SQL_OUTBOX_RECALL) ||
      blame(worker->depth_index, failed, &worker->depth_at, DEPTH_EVERY, "outbox gauges", SQL_OUTBOX_DEPTH) ||
      blame(worker->purge_index, failed, &worker->purge_at, PURGE_EVERY, "inbox purge", SQL_PURGE);
  for (size_t i = 0; i < worker->service->periodic_count && !guilty; i++)
    guilty = blame(worker->periodics[i].trip_index, failed, &worker->periodics[i].next_at, interval_of(worker, i),
                   worker->service->name, worker->service->periodics[i].statement);
  return guilty;
}

int64_t periodic_next(const struct bus_worker *worker) {
  int64_t next = INT64_MAX;
  if (has_outbox(worker)) {
    next = housekeeping_at(worker);
    if (publish_is_open(worker) && worker->sweep_at < next)
      next = worker->sweep_at;
  }
  for (size_t i = 0; i < worker->service->periodic_count; i++) {
    bool counts = !worker->service->periodics[i].when_settled || bus_worker_is_settled(worker);
    if (counts && worker->periodics[i].next_at < next)
      next = worker->periodics[i].next_at;
  }
  return next;
}
