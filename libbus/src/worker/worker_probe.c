/* Checks of the connections: whether the queues are empty, and whether both servers respond. */
#include "worker_internal.h"

#include <bus/clock.h>

#define SETTLED_QUIET (1 * BUS_SECOND)

bool bus_worker_is_settled(const struct bus_worker *worker) {
  return worker->settled;
}

/* The queues are empty if no delivery came for a second although there was credit. */
static void look_whether_settled(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  bool stalled = worker->stall.since != 0 || worker->deferred.count > 0 || now < worker->deadlines_at;
  if (worker->settled || !worker->attached || stalled)
    return;
  bool credit = acks_open(&worker->acks) < (size_t)worker->settings.batch_max * 2;
  bool quiet = credit && intake_is_empty(worker) && now - worker->last_delivery_at >= SETTLED_QUIET;
  worker->settled = quiet || now - worker->unsettled_at >= worker->settings.settle_max_ms * BUS_MILLISECOND;
}

bool worker_pg_is_idle(const struct bus_worker *worker) {
  return worker->pg && (pg_state(worker->pg) == PG_IDLE || pg_state(worker->pg) == PG_DONE);
}

static bool probe_database(struct bus_worker *worker) {
  struct bus_error err;
  if (!worker_pg_is_idle(worker) || (worker->settings.schema_project && !worker->schema_checked))
    return false;
  bus_arena_reset(worker->work);
  (void)pg_add_own(pg_begin_trip(worker->pg, worker->work), SQL_NOW);
  bool good = batch_trip(worker, &err);
  pg_end_trip(worker->pg);
  return good;
}

bool worker_probe_transaction(struct bus_worker *worker) {
  struct bus_uuid id;
  bus_uuid_v7(&worker->ids, bus_wall_clock(), &id);
  bus_arena_reset(worker->work);
  struct bus_sql *sql = pg_begin_trip(worker->pg, worker->work);
  (void)pg_add_own(sql, SQL_BEGIN);
  bus_args_uuid(pg_add_own(sql, SQL_INBOX_INSERT), &id);
  (void)pg_add_own(sql, SQL_ROLLBACK);
  bool good = batch_trip(worker, NULL);
  if (pg_state(worker->pg) != PG_DEAD)
    transaction_roll_back(worker);
  return good;
}

/* Pings over the consuming connection: while the broker blocks publishers it does not read from the other. */
static bool probe_broker(struct bus_worker *worker) {
  struct bus_error err;
  if (!worker->attached || worker->amqp_lost)
    return false;
  if (bus_amqp_ping(worker->consuming, &err))
    return true;
  worker_note_amqp_error(worker, &err);
  return false;
}

void worker_answer_probe(struct bus_worker *worker) {
  look_whether_settled(worker);
  if (!atomic_exchange(&worker->probe_wanted, false))
    return;
  (void)pthread_mutex_lock(&worker->probe_lock);
  uint64_t asked = worker->probe_asked;
  (void)pthread_mutex_unlock(&worker->probe_lock);
  struct bus_worker_status status = {.database = probe_database(worker) ? BUS_LINK_UP : BUS_LINK_DOWN,
                                     .broker = probe_broker(worker) ? BUS_LINK_UP : BUS_LINK_DOWN};
  status.consuming = atomic_load(&worker->status_consuming);
  status.blocked = atomic_load(&worker->status_blocked);
  (void)pthread_mutex_lock(&worker->probe_lock);
  worker->probe_result = status;
  worker->probe_answered = asked;
  (void)pthread_cond_broadcast(&worker->probe_done);
  (void)pthread_mutex_unlock(&worker->probe_lock);
}
