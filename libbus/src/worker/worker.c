/* A worker's life: made, run until it is told to stop, drained, freed. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define WORK_LIMIT ((size_t)1 << 30)
/* After a stop, within the 10 s that a program has: the batch in hand, its confirms, the last transaction. */
#define GRACE_BATCH (3 * BUS_SECOND)
#define GRACE_CONFIRMS (5 * BUS_SECOND)
#define GRACE_LAST (7 * BUS_SECOND)

static bool takes_requests(const struct bus_service *service, const struct bus_topology *topology) {
  return bus_topology_queue(topology, service->queues[0])->kind == BUS_QUEUE_REQUEST;
}

static bool service_is_valid(const struct bus_service *service, const struct bus_topology *topology,
                             struct bus_error *err) {
  if (service->queue_count == 0 || service->queue_count > QUEUES_MAX)
    return bus_fail(err, BUS_E_CONFIG, "%s: 1 to %d queues, not %zu", service->name, QUEUES_MAX, service->queue_count);
  if (service->periodic_count > PERIODICS_MAX)
    return bus_fail(err, BUS_E_CONFIG, "%s: at most %d periodics", service->name, PERIODICS_MAX);
  for (size_t i = 0; i < service->queue_count; i++) {
    const struct bus_queue *queue = bus_topology_queue(topology, service->queues[i]);
    if (!queue)
      return bus_fail(err, BUS_E_CONFIG, "%s: queue %s is not in the topology", service->name, service->queues[i]);
    if (queue->kind != bus_topology_queue(topology, service->queues[0])->kind)
      return bus_fail(err, BUS_E_CONFIG, "%s: its queues are of more than one kind", service->name);
  }
  const struct pg_registry registry = {service->statements, service->statement_count};
  return pg_registry_check(&registry, err) || bus_error_wrap(err, "%s", service->name);
}

static bool allocate(struct bus_worker *worker) {
  size_t unacked = (size_t)worker->settings.batch_max * 2 * worker->service->queue_count;
  worker->batch_room = (size_t)worker->settings.batch_max;
  worker->batch = calloc(worker->batch_room, sizeof(struct entry *));
  worker->work = bus_arena_new(WORK_LIMIT);
  worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return worker->batch && worker->work && worker->wake_fd >= 0 && intake_init(worker) && publish_init(worker) &&
         acks_init(&worker->acks, unacked + 1) && metrics_init(worker);
}

static void init_sync(struct bus_worker *worker) {
  bus_cond_init(&worker->probe_done);
  (void)pthread_mutex_init(&worker->probe_lock, NULL);
}

bool bus_worker_new(const struct bus_service *service, const struct bus_topology *topology,
                    const struct bus_worker_settings *settings, const void *program_settings, struct bus_worker **ret,
                    struct bus_error *err) {
  if (!service_is_valid(service, topology, err) || !bus_amqp_url_check(settings->amqp_url, err) ||
      !pg_url_check(settings->database_url, err) ||
      (service->store && !takes_requests(service, topology) && !retention_is_enough(settings, topology, err)))
    return false;
  struct bus_worker *worker = calloc(1, sizeof *worker);
  if (!worker)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker");
  worker->service = service;
  worker->topology = topology;
  worker->settings = *settings;
  worker->requests = takes_requests(service, topology);
  worker->program_settings = program_settings;
  worker->wake_fd = -1;
  worker->pg_backoff = (struct bus_backoff){.first = 100 * BUS_MILLISECOND, .max = 5 * BUS_SECOND};
  worker->amqp_hosts =
      (struct bus_rotation){.backoff = worker->pg_backoff, .hosts = bus_amqp_url_hosts(settings->amqp_url)};
  worker->stop_grace = GRACE_BATCH;
  uint64_t seed[4];
  bus_random_seed(seed);
  bus_uuid_source_init(&worker->ids, seed);
  init_sync(worker);
  if (!allocate(worker)) {
    bus_worker_free(worker);
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker");
  }
  periodic_init(worker);
  *ret = worker;
  return true;
}

void bus_worker_free(struct bus_worker *worker) {
  if (!worker)
    return;
  if (worker->wake_fd >= 0)
    (void)close(worker->wake_fd);
  acks_free(&worker->acks);
  publish_free(worker);
  intake_free(worker);
  bus_arena_free(worker->work);
  free(worker->batch);
  metrics_free(worker); /* the others count what they give back */
  (void)pthread_cond_destroy(&worker->probe_done);
  (void)pthread_mutex_destroy(&worker->probe_lock);
  free(worker);
}

/* ---- running ---- */

static void run_once(struct bus_worker *worker) {
  worker_answer_probe(worker);
  alive_announce(worker);
  if (!worker_connect(worker)) {
    if (worker->fatal.code == BUS_OK)
      worker_pump(worker, worker_next_deadline(worker));
    return;
  }
  worker_apply_pauses(worker);
  batch_gather(worker);
  size_t count = stall_take(worker, worker->batch, worker->batch_room);
  if (count > 0) {
    batch_process(worker, worker->batch, count);
    return;
  }
  batch_idle(worker);
  int64_t batch_at = stall_next(worker), idle_at = batch_next_deadline(worker);
  if (bus_monotonic() < batch_at && !worker_stopping(worker))
    worker_pump_idle(worker, batch_at < idle_at ? batch_at : idle_at);
}

/* Drain: wait, within the time given, until publications are confirmed and their outbox rows deleted. The broker
 * requeues unprocessed deliveries when the channel closes. */
static void drain(struct bus_worker *worker) {
  int64_t until = worker_bound(worker, INT64_MAX, GRACE_CONFIRMS);
  WORKER_CUT_POINT(worker, "draining", worker_fd(worker->publishing));
  while (publish_is_open(worker) && (publish_open_count(worker) > 0 || worker->held) && bus_monotonic() < until) {
    publish_held(worker, bus_monotonic());
    worker_pump(worker, until);
  }
  worker->stop_grace = GRACE_LAST;
  batch_drain(worker);
  WORKER_CRASH_POINT(worker, "drained");
}

bool bus_worker_run(struct bus_worker *worker, struct bus_error *err) {
  if (worker->service->open && !worker->service->open(worker->program_settings, worker, &worker->context, err))
    return false;
  while (!worker_stopping(worker) && worker->fatal.code == BUS_OK)
    run_once(worker);
  if (worker_stopping(worker))
    drain(worker);
  worker_disconnect(worker);
  if (worker->service->close)
    worker->service->close(worker->context);
  if (worker->fatal.code != BUS_OK && err)
    *err = worker->fatal;
  return worker->fatal.code == BUS_OK;
}

/* ---- from other threads ---- */

static void wake(struct bus_worker *worker) {
  uint64_t one = 1;
  (void)!write(worker->wake_fd, &one, sizeof one); /* full means that it is awake already */
}

void bus_worker_stop(struct bus_worker *worker) {
  long long not_yet = 0;
  (void)atomic_compare_exchange_strong(&worker->stop_at, &not_yet, bus_monotonic()); /* the first one counts */
  wake(worker);
}

struct bus_worker_status bus_worker_status(const struct bus_worker *worker) {
  return (struct bus_worker_status){.database = (enum bus_link_state)atomic_load(&worker->status_database),
                                    .broker = (enum bus_link_state)atomic_load(&worker->status_broker),
                                    .consuming = atomic_load(&worker->status_consuming),
                                    .blocked = atomic_load(&worker->status_blocked)};
}

bool bus_worker_commands_are_up(const struct bus_worker *worker) {
  return !worker->settings.commands_are_up || worker->settings.commands_are_up(worker->settings.commands_context);
}

bool bus_worker_is_context(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  (void)settings, (void)err; /* it cannot fail */
  *ret_context = worker;
  return true;
}

struct bus_worker_status bus_worker_probe(struct bus_worker *worker, int64_t timeout_ms) {
  int64_t until = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  struct bus_worker_status status = {.database = BUS_LINK_DOWN, .broker = BUS_LINK_DOWN};
  (void)pthread_mutex_lock(&worker->probe_lock);
  uint64_t mine = ++worker->probe_asked;
  atomic_store(&worker->probe_wanted, true);
  wake(worker);
  while (worker->probe_answered < mine && bus_cond_wait(&worker->probe_done, &worker->probe_lock, until))
    continue;
  if (worker->probe_answered >= mine)
    status = worker->probe_result;
  (void)pthread_mutex_unlock(&worker->probe_lock);
  return status;
}
