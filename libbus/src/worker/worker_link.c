/* The worker's links, Postgres and two AMQP connections, and the one poll set that waits for all of them. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PG_CONNECT_PATIENCE (5 * BUS_SECOND)
#define CONFIRMS_WAIT (20 * BUS_MILLISECOND)
#define STABLE (10 * BUS_SECOND) /* a connection that stood so long: the next outage is a new one */
enum { FDS_MAX = 4 + 128 };

bool worker_stopping(const struct bus_worker *worker) {
  return atomic_load_explicit(&worker->stop_at, memory_order_relaxed) != 0;
}

int64_t worker_bound(const struct bus_worker *worker, int64_t until, int64_t grace) {
  int64_t stop_at = atomic_load_explicit(&worker->stop_at, memory_order_relaxed);
  return stop_at != 0 && stop_at + grace < until ? stop_at + grace : until;
}

/* ---- what AMQP connections say ---- */

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  intake_on_delivery(context, delivery);
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  publish_on_confirm(context, seq, multiple, ack);
}

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  (void)exchange;
  bus_log(BUS_ERROR, "broker returned a message", BUS_F_VIEW("key", key), BUS_F_UUID("message_id", message_id));
  publish_on_return(context, message_id);
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  struct bus_worker *worker = context;
  worker->blocked = blocked;
  atomic_store(&worker->status_blocked, blocked);
  bus_log(BUS_WARN, blocked ? "broker blocks publishers; the outbox keeps what is due" : "broker takes messages again",
          BUS_F_VIEW("reason", reason));
}

static void on_cancelled(void *context, int consumer) {
  struct bus_worker *worker = context;
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_AMQP_CONNECTION, "the broker cancelled the consumer of queue %s",
                 worker->service->queues[consumer]);
  worker_note_amqp_error(worker, &err);
}

static const struct bus_amqp_events events = {.delivery = on_delivery,
                                              .confirm = on_confirm,
                                              .returned = on_returned,
                                              .blocked = on_blocked,
                                              .cancelled = on_cancelled};

void worker_note_amqp_error(struct bus_worker *worker, const struct bus_error *err) {
  if (worker->amqp_lost)
    return;
  worker->amqp_lost = true;
  worker->amqp_error = *err;
}

void worker_lose_amqp(struct bus_worker *worker, const char *why) {
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_NOMEM, "%s", why);
  worker_note_amqp_error(worker, &err);
}

static void pump_amqp(struct bus_worker *worker, struct bus_amqp *amqp) {
  struct bus_error err;
  if (amqp && !worker->amqp_lost && !bus_amqp_pump(amqp, &events, worker, &err))
    worker_note_amqp_error(worker, &err);
}

/* ---- the poll set ---- */

/* The broker events that wake the thread: all; all but confirms, which may be read a little later; or none, during a
 * transaction. Each wake costs about as much as several messages. */
enum attention { ATTEND_ALL, ATTEND_DELIVERIES, ATTEND_NO_BROKER };

struct poll_set {
  enum attention attention;
  struct pollfd fds[FDS_MAX];
  size_t count;
  size_t publishing, consuming, pg; /* indices; FDS_MAX: not there */
  size_t source_at[SOURCES_MAX], source_count[SOURCES_MAX];
  int timeout_ms;
};

static size_t add_fd(struct poll_set *set, int fd, short wanted) {
  if (fd < 0)
    return FDS_MAX;
  set->fds[set->count] = (struct pollfd){.fd = fd, .events = wanted};
  return set->count++;
}

static int milliseconds_until(int64_t until, int64_t now, int most) {
  if (until <= now)
    return 0;
  int64_t wait = (until - now + BUS_MILLISECOND - 1) / BUS_MILLISECOND;
  return wait < most ? (int)wait : most;
}

static int64_t heartbeat_third(const struct bus_worker *worker) {
  return worker->settings.heartbeat_s * BUS_SECOND / 3;
}

static bool amqp_has_buffered(const struct bus_worker *worker) {
  return !worker->amqp_lost && ((worker->publishing && bus_amqp_has_buffered(worker->publishing)) ||
                                (worker->consuming && bus_amqp_has_buffered(worker->consuming)));
}

void worker_expect_confirms(struct bus_worker *worker) {
  worker->confirms_at = bus_monotonic() + CONFIRMS_WAIT;
}

/* By when both connections must be pumped, whatever is attended to. */
static int64_t pump_at(const struct bus_worker *worker, enum attention attention) {
  int64_t heartbeat_at = worker->amqp_pumped_at + heartbeat_third(worker);
  bool confirms = attention == ATTEND_DELIVERIES && publish_open_count(worker) > 0;
  return confirms && worker->confirms_at < heartbeat_at ? worker->confirms_at : heartbeat_at;
}

static void fill_poll_set(struct bus_worker *worker, struct poll_set *set, int64_t until) {
  bool amqp = worker->publishing && worker->consuming && !worker->amqp_lost;
  bool confirms = amqp && (set->attention == ATTEND_ALL ||
                           (set->attention == ATTEND_DELIVERIES && publish_open_count(worker) == 0));
  if (amqp && pump_at(worker, set->attention) < until)
    until = pump_at(worker, set->attention);
  set->count = 0;
  set->timeout_ms = milliseconds_until(until, bus_monotonic(), (int)(heartbeat_third(worker) / BUS_MILLISECOND));
  (void)add_fd(set, worker->wake_fd, POLLIN);
  set->publishing = add_fd(set, confirms ? bus_amqp_fd(worker->publishing) : -1, POLLIN);
  set->consuming =
      add_fd(set, amqp && set->attention != ATTEND_NO_BROKER ? bus_amqp_fd(worker->consuming) : -1, POLLIN);
  set->pg = add_fd(set, worker->pg ? pg_fd(worker->pg) : -1, worker->pg ? pg_events(worker->pg) : 0);
  for (size_t i = 0; i < worker->source_count; i++) {
    const struct bus_poll_source *source = &worker->sources[i];
    set->source_at[i] = set->count;
    set->source_count[i] =
        source->prepare(source->context, set->fds + set->count, FDS_MAX - set->count, &set->timeout_ms);
    set->count += set->source_count[i];
  }
  if (set->attention != ATTEND_NO_BROKER && amqp_has_buffered(worker))
    set->timeout_ms = 0;
}

static bool has_event(const struct poll_set *set, size_t index) {
  return index < FDS_MAX && set->fds[index].revents != 0;
}

static void pump_both(struct bus_worker *worker, const struct poll_set *set) {
  int64_t now = bus_monotonic();
  bool due = now >= pump_at(worker, set->attention);
  if (due || has_event(set, set->publishing) || has_event(set, set->consuming) ||
      (set->attention != ATTEND_NO_BROKER && amqp_has_buffered(worker))) {
    pump_amqp(worker, worker->publishing);
    pump_amqp(worker, worker->consuming);
    worker->amqp_pumped_at = now;
    worker_expect_confirms(worker);
  }
}

static void take_events(struct bus_worker *worker, struct poll_set *set) {
  if (set->fds[0].revents != 0) {
    uint64_t ignored;
    (void)!read(worker->wake_fd, &ignored, sizeof ignored); /* only resets the eventfd */
  }
  pump_both(worker, set);
  if (worker->pg && has_event(set, set->pg))
    pg_advance(worker->pg);
  for (size_t i = 0; i < worker->source_count; i++)
    worker->sources[i].dispatch(worker->sources[i].context, set->fds + set->source_at[i], set->source_count[i]);
}

static void pump(struct bus_worker *worker, int64_t until, enum attention attention) {
  struct poll_set set = {.attention = attention};
  fill_poll_set(worker, &set, until);
  if (poll(set.fds, (nfds_t)set.count, set.timeout_ms) < 0) {
    if (errno != EINTR)
      bus_log(BUS_ERROR, "poll failed", BUS_F_INT("errno", errno));
    for (size_t i = 0; i < set.count; i++)
      set.fds[i].revents = 0;
  }
  take_events(worker, &set);
}

void worker_pump(struct bus_worker *worker, int64_t until) {
  pump(worker, until, ATTEND_ALL);
}

void worker_pump_idle(struct bus_worker *worker, int64_t until) {
  pump(worker, until, worker->held ? ATTEND_ALL : ATTEND_DELIVERIES);
}

void worker_pump_busy(struct bus_worker *worker, int64_t until) {
  if (publish_is_open(worker))
    bus_amqp_flush(worker->publishing);
  pump(worker, until, ATTEND_NO_BROKER);
}

/* ---- Postgres ---- */

void worker_drop_pg(struct bus_worker *worker, const struct bus_error *why) {
  pg_free(worker->pg);
  worker->pg = NULL;
  if (atomic_exchange(&worker->status_database, BUS_LINK_DOWN) == BUS_LINK_UP &&
      bus_monotonic() - worker->pg_up_at >= STABLE)
    bus_backoff_reset(&worker->pg_backoff);
  int64_t delay = bus_backoff_next(&worker->pg_backoff, bus_uuid_source_random(&worker->ids));
  worker->pg_again_at = bus_monotonic() + delay;
  metrics_add(worker, METRIC_DATABASE_RECONNECTS, 1);
  bus_log(BUS_WARN, "database is away; trying again", BUS_F_STR("cause", why ? why->text : "unknown"),
          BUS_F_INT("again_in_ms", delay / BUS_MILLISECOND));
}

static void connect_pg(struct bus_worker *worker) {
  char name[BUS_NAME_MAX];
  struct pg_settings settings = {.url = worker->settings.database_url,
                                 .application_name = name,
                                 .first_host = worker->pg_first_host,
                                 .allow_unsafe = worker->settings.allow_unsafe_database};
  struct bus_error err;
  (void)snprintf(name, sizeof name, "%s", worker->service->name);
  if (worker->pg_up_at > 0 && WORKER_ERROR_POINT(worker, "reconnect-database")) {
    (void)bus_fail(&err, BUS_E_DB_CONNECTION, "failpoint");
    worker_drop_pg(worker, &err);
    return;
  }
  bool check = !worker->schema_checked && worker->settings.schema_project;
  settings.registries[PG_OWN] = check ? (struct pg_registry){&worker_statements[SQL_SCHEMA_CHANGE], 1}
                                      : (struct pg_registry){worker_statements, SQL_OWN_COUNT};
  if (!check)
    settings.registries[PG_SERVICE] =
        (struct pg_registry){worker->service->statements, worker->service->statement_count};
  if (!pg_new(&settings, &worker->pg, &err)) {
    worker_drop_pg(worker, &err);
    return;
  }
  worker->pg_deadline = bus_monotonic() + PG_CONNECT_PATIENCE;
}

static void schema_is_missing(struct bus_worker *worker, const char *what) {
  (void)bus_fail(&worker->fatal, BUS_E_SCHEMA,
                 "database of %s: migration %s of project %s is missing (%s): deploy it "
                 "with sqitch before this version starts",
                 worker->service->name, worker->settings.schema_change, worker->settings.schema_project, what);
}

/* On a connection of its own, before anything is prepared that an older schema would not know. */
static void check_schema(struct bus_worker *worker) {
  struct bus_error err = {.code = BUS_OK};
  bus_arena_reset(worker->work);
  struct bus_sql *sql = pg_begin_trip(worker->pg, worker->work);
  struct bus_args *args = pg_add_own(sql, 0);
  bus_args_text(args, bus_str(worker->settings.schema_project));
  bus_args_text(args, bus_str(worker->settings.schema_change));
  if (!batch_trip(worker, &err)) {
    if (worker->pg)
      worker_drop_pg(worker, &err);
    return;
  }
  if (!bus_rows_bool(pg_rows(worker->pg, 0), 0, 0))
    schema_is_missing(worker, "the database is older");
  worker->schema_checked = true;
  pg_free(worker->pg);
  worker->pg = NULL;
}

/* Messages that waited for a connection come before deadlines that passed meanwhile. */
void worker_unsettle(struct bus_worker *worker) {
  worker->settled = false;
  worker->unsettled_at = worker->last_delivery_at = bus_monotonic();
}

static bool pg_is_up(struct bus_worker *worker) {
  struct bus_error err = {.code = BUS_OK};
  if (!worker->pg) {
    if (bus_monotonic() >= worker->pg_again_at)
      connect_pg(worker);
    return false;
  }
  switch (pg_state(worker->pg)) {
  case PG_CONNECTING:
    if (bus_monotonic() > worker->pg_deadline) {
      (void)bus_fail(&err, BUS_E_DB_CONNECTION, "no connection within 5 s");
      worker->pg_first_host++; /* libpq would wait for the same one again */
      worker_drop_pg(worker, &err);
    }
    return false;
  case PG_DEAD:
    pg_error(worker->pg, &err);
    if (!worker->schema_checked && worker->settings.schema_project && err.code == BUS_E_DB_SCHEMA)
      schema_is_missing(worker, err.text);
    else if (worker->pg_up_at == 0 && bus_error_class(err.code) == BUS_CLASS_FATAL)
      worker->fatal = err;
    worker_drop_pg(worker, &err);
    return false;
  default:
    break;
  }
  if (!worker->schema_checked && worker->settings.schema_project) {
    check_schema(worker);
    return false;
  }
  if (atomic_exchange(&worker->status_database, BUS_LINK_UP) == BUS_LINK_DOWN) {
    worker->pg_up_at = bus_monotonic();
    worker_unsettle(worker);
    bus_log(BUS_INFO, "database connected");
  }
  return true;
}

/* ---- RabbitMQ ---- */

static void detach(struct bus_worker *worker) {
  bus_amqp_free(worker->consuming);
  bus_amqp_free(worker->publishing);
  worker->consuming = worker->publishing = NULL;
  worker->attached = false;
  worker->epoch++;
  memset(worker->consumer_running, 0, sizeof worker->consumer_running);
  atomic_store(&worker->status_consuming, false);
  atomic_store(&worker->status_broker, BUS_LINK_DOWN);
  atomic_store(&worker->status_blocked, false);
  publish_reset(worker);
  acks_reset(&worker->acks);
  worker->ack_at = 0;
  intake_forget_deliveries(worker);
}

void worker_drop_amqp(struct bus_worker *worker) {
  if (worker->attached && bus_monotonic() - worker->attached_at >= STABLE)
    bus_rotation_reset(&worker->amqp_hosts);
  detach(worker);
  worker->amqp_lost = false;
  int64_t delay = bus_rotation_next(&worker->amqp_hosts, bus_uuid_source_random(&worker->ids));
  worker->amqp_again_at = bus_monotonic() + delay;
  metrics_add(worker, METRIC_BROKER_RECONNECTS, 1);
  bus_log(BUS_WARN, "broker is away; trying again", BUS_F_STR("cause", worker->amqp_error.text),
          BUS_F_INT("again_in_ms", delay / BUS_MILLISECOND));
}

void worker_disconnect(struct bus_worker *worker) {
  detach(worker);
  pg_free(worker->pg);
  worker->pg = NULL;
  atomic_store(&worker->status_database, BUS_LINK_DOWN);
}

BUS_PRINTF(3, 4)
static bool check_queue(struct bus_worker *worker, struct bus_error *err, const char *format, ...) {
  struct bus_declaration queue = {.kind = BUS_DECLARE_QUEUE};
  va_list args;
  va_start(args, format);
  (void)vsnprintf(queue.name, sizeof queue.name, format, args); /* NOLINT(clang-analyzer-valist.Uninitialized) */
  va_end(args);
  return bus_amqp_declare(worker->consuming, &queue, true, err) ||
         bus_error_wrap(err, "queue %s: apply the topology", queue.name);
}

/* Without its tiers and its dead queue a worker would come to a stand with the first message that it cannot process. */
static bool check_queues(struct bus_worker *worker, struct bus_error *err) {
  bool retries = worker_retries(worker);
  for (size_t i = 0; i < worker->service->queue_count; i++) {
    const char *queue = worker->service->queues[i];
    if (!check_queue(worker, err, "%s", queue) || (retries && !check_queue(worker, err, "%s.dead", queue)))
      return false;
    for (size_t t = 0; t < worker->topology->tier_count && retries; t++)
      if (!check_queue(worker, err, "bus.retry.%s.%s", worker->topology->tiers[t].name, queue))
        return false;
  }
  worker->topology_checked = true;
  return true;
}

static bool run_consumer(struct bus_worker *worker, size_t i, struct bus_error *err) {
  int prefetch = (int)worker->settings.batch_max * 2;
  if (!bus_amqp_consume(worker->consuming, worker->service->queues[i], (int)i, prefetch, false, err))
    return false;
  worker->consumer_running[i] = true;
  return true;
}

static bool attach(struct bus_worker *worker, struct bus_error *err) {
  if (worker->was_connected && WORKER_ERROR_POINT(worker, "reconnect-broker"))
    return bus_fail(err, BUS_E_AMQP_CONNECTION, "failpoint");
  const struct bus_amqp_settings settings = {.url = worker->settings.amqp_url,
                                             .host = worker->amqp_hosts.host,
                                             .name = worker->service->name,
                                             .ca_file = worker->settings.ca_file,
                                             .heartbeat_s = worker->settings.heartbeat_s};
  if (!bus_amqp_open_pair(&settings, "consume", &worker->publishing, &worker->consuming, err) ||
      (!worker->topology_checked && !check_queues(worker, err)))
    return false;
  bus_amqp_set_arena(worker->consuming, worker->filling->arena);
  bus_amqp_set_arena(worker->publishing, worker->filling->arena);
  for (size_t i = 0; i < worker->service->queue_count; i++)
    if (!worker->paused[i] && !run_consumer(worker, i, err))
      return false;
  return true;
}

static bool amqp_is_up(struct bus_worker *worker) {
  if (worker->amqp_lost)
    worker_drop_amqp(worker);
  if (worker->attached)
    return true;
  int64_t now = bus_monotonic();
  if (now < worker->amqp_again_at)
    return false;
  if (!attach(worker, &worker->amqp_error)) {
    if (!worker->was_connected && bus_error_class(worker->amqp_error.code) == BUS_CLASS_FATAL)
      worker->fatal = worker->amqp_error;
    worker_drop_amqp(worker);
    return false;
  }
  worker->attached = worker->was_connected = true;
  worker->attached_at = worker->amqp_pumped_at = bus_monotonic();
  worker_unsettle(worker);
  atomic_store(&worker->status_broker, BUS_LINK_UP);
  atomic_store(&worker->status_consuming, true);
  bus_log(BUS_INFO, "attached to the broker", BUS_F_STR("queue", worker->service->queues[0]),
          BUS_F_STR("node", bus_amqp_peer(worker->consuming)));
  return true;
}

bool worker_connect(struct bus_worker *worker) {
  bool database = pg_is_up(worker);
  if (worker->fatal.code != BUS_OK)
    return false;
  /* Consume only while deliveries can be processed, but keep the broker's connections while the database is away. */
  bool broker = (database || worker->attached) && amqp_is_up(worker);
  return database && broker;
}

int64_t worker_next_deadline(const struct bus_worker *worker) {
  if (!worker->pg)
    return worker->pg_again_at; /* the broker's turn comes after it */
  if (pg_state(worker->pg) == PG_CONNECTING)
    return worker->pg_deadline;
  return worker_pg_is_idle(worker) && !worker->attached ? worker->amqp_again_at : 0;
}

/* ---- pausing ---- */

void bus_worker_pause(struct bus_worker *worker, size_t queue, bool paused) {
  if (queue < worker->service->queue_count)
    worker->paused[queue] = paused;
}

void worker_apply_pauses(struct bus_worker *worker) {
  struct bus_error err;
  for (size_t i = 0; i < worker->service->queue_count && worker->attached && !worker->amqp_lost; i++) {
    if (worker->paused[i] == !worker->consumer_running[i])
      continue;
    bool good = worker->paused[i] ? bus_amqp_cancel(worker->consuming, (int)i, &err) : run_consumer(worker, i, &err);
    if (worker->paused[i])
      worker->consumer_running[i] = false;
    if (!good)
      worker_note_amqp_error(worker, &err);
    bus_log(BUS_INFO, worker->paused[i] ? "queue paused" : "queue resumed",
            BUS_F_STR("queue", worker->service->queues[i]));
  }
}

bool bus_worker_add_source(struct bus_worker *worker, struct bus_poll_source source) {
  if (worker->source_count == SOURCES_MAX)
    return false;
  worker->sources[worker->source_count++] = source;
  return true;
}
