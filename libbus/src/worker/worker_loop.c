/* The one poll loop: waits for sockets, timers and other threads, and turns what has come into events. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { FDS_MAX = 4 + 128 };

void loop_step(struct bus_worker *worker, struct bus_pipeline_event *event) {
  struct bus_pipeline_actions actions;
  event->now = bus_monotonic();
  event->wall = bus_wall_clock();
  bus_pipeline_step(worker->pipeline, event, &actions);
  worker->wake_at = actions.wake_at;
  worker->attend = actions.attend;
  if (event->kind == BUS_ON_TRIP_DONE || event->kind == BUS_ON_TRIP_FAILED)
    pg_end_trip(worker->database.pg); /* its rows have been read */
  metrics_step(worker, &actions);
  actions_carry_out(worker, &actions);
}

/* ---- the poll set ---- */

struct poll_set {
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

static bool has_buffered(const struct broker *broker) {
  return broker_stands(broker) &&
         (bus_amqp_has_buffered(broker->publishing) || bus_amqp_has_buffered(broker->consuming));
}

/* By when both connections must be pumped, whatever is attended to. */
static int64_t pump_at(const struct bus_worker *worker) {
  int64_t heartbeat_at = worker->broker.pumped_at + heartbeat_third(worker);
  bool confirms = worker->attend == BUS_ATTEND_DELIVERIES && bus_pipeline_unconfirmed(worker->pipeline) > 0;
  return confirms && worker->broker.confirms_at < heartbeat_at ? worker->broker.confirms_at : heartbeat_at;
}

static int64_t wake_at(const struct bus_worker *worker) {
  int64_t until = worker->wake_at;
  if (broker_stands(&worker->broker) && pump_at(worker) < until)
    until = pump_at(worker);
  if (worker->database.pg && worker->database.stage != DATABASE_UP && worker->database.deadline < until)
    until = worker->database.deadline;
  if (shards_next(worker) < until)
    until = shards_next(worker);
  return alive_next(worker) < until ? alive_next(worker) : until;
}

static void add_broker(const struct bus_worker *worker, struct poll_set *set) {
  const struct broker *broker = &worker->broker;
  bool stands = broker_stands(broker), deliveries = stands && worker->attend != BUS_ATTEND_NO_BROKER;
  bool confirms = stands && (worker->attend == BUS_ATTEND_ALL || (worker->attend == BUS_ATTEND_DELIVERIES &&
                                                                  bus_pipeline_unconfirmed(worker->pipeline) == 0));
  set->publishing = add_fd(set, confirms ? bus_amqp_fd(broker->publishing) : -1, POLLIN);
  set->consuming = add_fd(set, deliveries ? bus_amqp_fd(broker->consuming) : -1, POLLIN);
}

static void fill_poll_set(struct bus_worker *worker, struct poll_set *set) {
  set->count = 0;
  set->timeout_ms =
      milliseconds_until(wake_at(worker), bus_monotonic(), (int)(heartbeat_third(worker) / BUS_MILLISECOND));
  (void)add_fd(set, worker->wake_fd, POLLIN);
  add_broker(worker, set);
  struct pg *pg = worker->database.pg;
  set->pg = add_fd(set, pg ? pg_fd(pg) : -1, pg ? pg_events(pg) : 0);
  for (size_t i = 0; i < worker->source_count; i++) {
    const struct bus_poll_source *source = &worker->sources[i];
    set->source_at[i] = set->count;
    set->source_count[i] =
        source->prepare(source->context, set->fds + set->count, FDS_MAX - set->count, &set->timeout_ms);
    set->count += set->source_count[i];
  }
  if (worker->attend != BUS_ATTEND_NO_BROKER && has_buffered(&worker->broker))
    set->timeout_ms = 0;
}

static bool has_event(const struct poll_set *set, size_t index) {
  return index < FDS_MAX && set->fds[index].revents != 0;
}

static void wait(struct bus_worker *worker, struct poll_set *set) {
  if (worker->attend == BUS_ATTEND_NO_BROKER && broker_stands(&worker->broker))
    bus_amqp_flush(worker->broker.publishing);
  fill_poll_set(worker, set);
  if (poll(set->fds, (nfds_t)set->count, set->timeout_ms) >= 0)
    return;
  if (errno != EINTR)
    bus_log(BUS_ERROR, "poll failed", BUS_F_INT("errno", errno));
  for (size_t i = 0; i < set->count; i++)
    set->fds[i].revents = 0;
}

/* ---- a turn ---- */

static void listen_to_threads(struct bus_worker *worker, const struct poll_set *set) {
  if (set->fds[0].revents != 0) {
    uint64_t ignored;
    (void)!read(worker->wake_fd, &ignored, sizeof ignored); /* only resets the eventfd */
  }
  if (!worker->told_to_stop && atomic_load_explicit(&worker->seen.stop_at, memory_order_relaxed) != 0) {
    worker->told_to_stop = true;
    loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_STOP});
  }
  probe_ask(worker);
}

static void read_sockets(struct bus_worker *worker, const struct poll_set *set) {
  if (broker_stands(&worker->broker) &&
      (bus_monotonic() >= pump_at(worker) || has_event(set, set->publishing) || has_event(set, set->consuming) ||
       (worker->attend != BUS_ATTEND_NO_BROKER && has_buffered(&worker->broker))))
    broker_pump(worker);
  if (worker->database.pg && has_event(set, set->pg))
    pg_advance(worker->database.pg);
}

/* True: the pipeline was told something. */
static bool tell(struct bus_worker *worker) {
  return worker->fatal.code == BUS_OK && (broker_tell(worker) || database_tell(worker));
}

void loop_turn(struct bus_worker *worker) {
  struct poll_set set;
  alive_announce(worker);
  shards_stand_by(worker);
  wait(worker, &set);
  listen_to_threads(worker, &set);
  read_sockets(worker, &set);
  while (tell(worker))
    continue;
  for (size_t i = 0; i < worker->source_count; i++)
    worker->sources[i].dispatch(worker->sources[i].context, set.fds + set.source_at[i], set.source_count[i]);
  do
    loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_TICK});
  while (!worker->stopped && tell(worker));
}
