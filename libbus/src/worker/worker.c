/* A worker's life: made, run until it is told to stop, drained, freed. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/dns_options.h>
#include <bus/log.h>
#include <bus/pong.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static void write_log(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context;
  bus_log_write(level, msg, fields);
}

static bool takes_requests(const struct bus_service *service, const struct bus_topology *topology) {
  return bus_topology_queue(topology, service->queues[0])->kind == BUS_QUEUE_REQUEST;
}

/* The broker knows the service by its user alone: permissions, senders and relays go by that name. */
static bool user_is_right(const struct bus_service *service, const struct bus_topology *topology, const char *amqp_url,
                          struct bus_error *err) {
  char user[BUS_NAME_MAX];
  const char *owner = bus_topology_owner(topology, bus_topology_queue(topology, service->queues[0]))->user.name;
  if (strcmp(service->name, owner) != 0)
    return bus_fail(err, BUS_E_CONFIG,
                    "service %s: queue %s belongs to the user %s in the topology: name the service %s", service->name,
                    service->queues[0], owner, owner);
  if (!bus_amqp_url_user(amqp_url, user, err))
    return false;
  return strcmp(user, service->name) == 0 ||
         bus_fail(
             err, BUS_E_CONFIG,
             "RABBITMQ_URL logs in as %s, but the topology gives the queues and permissions of this service to the "
             "user %s: give the URL that user",
             user, service->name);
}

static bool service_is_valid(const struct bus_service *service, const struct bus_topology *topology,
                             struct bus_error *err) {
  if (service->queue_count == 0 || service->queue_count > QUEUES_MAX)
    return bus_fail(err, BUS_E_CONFIG, "%s: 1 to %d queues, not %zu", service->name, QUEUES_MAX, service->queue_count);
  if (service->periodic_count > BUS_PERIODICS_MAX)
    return bus_fail(err, BUS_E_CONFIG, "%s: at most %d periodics", service->name, BUS_PERIODICS_MAX);
  for (size_t i = 0; i < service->queue_count; i++) {
    const struct bus_queue *queue = bus_topology_queue(topology, service->queues[i]);
    if (!queue)
      return bus_fail(err, BUS_E_CONFIG, "%s: queue %s is not in the topology", service->name, service->queues[i]);
    if (queue->kind != bus_topology_queue(topology, service->queues[0])->kind)
      return bus_fail(err, BUS_E_CONFIG, "%s: its queues are of more than one kind", service->name);
  }
  const struct bus_registry registry = {service->statements, service->statement_count};
  return pg_registry_check(&registry, err) || bus_error_wrap(err, "%s", service->name);
}

static bool make_pipeline(struct bus_worker *worker) {
  struct bus_pipeline_setup setup = {
      .service = worker->service,
      .topology = worker->topology,
      .settings = &worker->settings,
      .worker = worker,
      .log = {.write = write_log, .debug = bus_log_enabled(BUS_DEBUG)},
      .spans = worker->settings.tracer != NULL,
      .broker_hosts = bus_amqp_url_hosts(worker->settings.amqp_url),
      .now = bus_monotonic(),
  };
  bus_random_seed(setup.seed);
  worker->pipeline = bus_pipeline_new(&setup);
  return worker->pipeline != NULL;
}

static void init(struct bus_worker *worker) {
  uint64_t seed[4];
  bus_random_seed(seed);
  bus_uuid_source_init(&worker->ids, seed);
  memcpy(worker->database.own, bus_own_statements, sizeof worker->database.own);
  worker->database.own[BUS_OWN_SETTINGS].sql = pg_session_set_local;
  shards_init(worker);
  bus_cond_init(&worker->probing.done);
  (void)pthread_mutex_init(&worker->probing.lock, NULL);
  worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

bool bus_worker_new(const struct bus_service *service, const struct bus_topology *topology,
                    const struct bus_worker_settings *settings, const void *program_settings, struct bus_worker **ret,
                    struct bus_error *err) {
  if (!service_is_valid(service, topology, err) || !bus_amqp_url_check(settings->amqp_url, err) ||
      !user_is_right(service, topology, settings->amqp_url, err) || !pg_url_check(settings->database_url, err) ||
      !bus_dns_server_check(settings->dns_server, err) ||
      (service->store && !takes_requests(service, topology) && !retention_is_enough(settings, topology, err)))
    return false;
  struct bus_worker *worker = calloc(1, sizeof *worker);
  if (!worker)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker");
  worker->service = service;
  worker->topology = topology;
  worker->settings = *settings;
  worker->program_settings = program_settings;
  worker->context = service_context(service);
  init(worker);
  if (worker->wake_fd < 0 || !metrics_init(worker) || !make_pipeline(worker)) {
    bus_worker_free(worker);
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker");
  }
  *ret = worker;
  return true;
}

void bus_worker_free(struct bus_worker *worker) {
  if (!worker)
    return;
  if (worker->wake_fd >= 0)
    (void)close(worker->wake_fd);
  bus_pipeline_free(worker->pipeline);
  metrics_free(worker);
  (void)pthread_cond_destroy(&worker->probing.done);
  (void)pthread_mutex_destroy(&worker->probing.lock);
  free(worker);
}

/* ---- running ---- */

bool bus_worker_run(struct bus_worker *worker, struct bus_error *err) {
  if (worker->service->open && !worker->service->open(worker->program_settings, worker, &worker->context, err))
    return false;
  bus_pipeline_set_context(worker->pipeline, worker->context);
  while (!worker->stopped && worker->fatal.code == BUS_OK)
    loop_turn(worker);
  broker_close(worker);
  database_close(worker);
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
  (void)atomic_compare_exchange_strong(&worker->seen.stop_at, &not_yet, bus_monotonic()); /* the first one counts */
  wake(worker);
}

struct bus_worker_status bus_worker_status(const struct bus_worker *worker) {
  return (struct bus_worker_status){.database = (enum bus_link_state)atomic_load(&worker->seen.database),
                                    .broker = (enum bus_link_state)atomic_load(&worker->seen.broker),
                                    .consuming = atomic_load(&worker->seen.consuming),
                                    .blocked = atomic_load(&worker->seen.blocked)};
}

bool bus_worker_commands_are_up(const struct bus_worker *worker) {
  return !worker->settings.commands_are_up || worker->settings.commands_are_up(worker->settings.commands_context);
}

bool bus_worker_is_context(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  (void)settings, (void)err; /* it cannot fail */
  *ret_context = worker;
  return true;
}

bool bus_worker_pong_lock(void *worker, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct bus_sql *sql, void **ret_model) {
  struct bus_pong *pong = bus_arena_alloc(arena, sizeof *pong);
  (void)inputs, (void)count, (void)sql; /* a ping asks for nothing */
  if (!pong)
    return false;
  *pong = (struct bus_pong){!bus_worker_commands_are_up(worker)};
  *ret_model = pong;
  return true;
}

bool bus_worker_pong_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)model, (void)rows, (void)count, (void)err; /* nothing was asked */
  return true;
}

struct bus_worker_status bus_worker_probe(struct bus_worker *worker, int64_t timeout_ms) {
  struct probing *probing = &worker->probing;
  int64_t until = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  struct bus_worker_status status = {.database = BUS_LINK_DOWN, .broker = BUS_LINK_DOWN};
  (void)pthread_mutex_lock(&probing->lock);
  uint64_t mine = ++probing->asked;
  atomic_store(&probing->wanted, true);
  wake(worker);
  while (probing->answered < mine && bus_cond_wait(&probing->done, &probing->lock, until))
    continue;
  if (probing->answered >= mine)
    status = probing->result;
  (void)pthread_mutex_unlock(&probing->lock);
  return status;
}

/* ---- from the service's functions ---- */

bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  return bus_pipeline_push(worker->pipeline, kind, body, size);
}

size_t bus_worker_pushed(const struct bus_worker *worker) {
  return bus_pipeline_pushed(worker->pipeline);
}

void bus_worker_pause(struct bus_worker *worker, size_t queue, bool paused) {
  bus_pipeline_pause(worker->pipeline, queue, paused);
}

struct bus_tracer *bus_worker_tracer(const struct bus_worker *worker) {
  return worker->settings.tracer;
}

int64_t bus_worker_inbox_keep_h(const struct bus_worker *worker) {
  return worker->settings.inbox_keep_h;
}

bool bus_worker_is_settled(const struct bus_worker *worker) {
  return bus_pipeline_is_settled(worker->pipeline);
}

bool bus_worker_add_source(struct bus_worker *worker, struct bus_poll_source source) {
  if (worker->source_count == SOURCES_MAX)
    return false;
  worker->sources[worker->source_count++] = source;
  return true;
}
