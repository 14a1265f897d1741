/* A whole service program: configuration, worker threads, the admin listener, signals. */
#include <bus/alive_measure.h>
#include <bus/bundle.h>
#include <bus/clock.h>
#include <bus/consul.h>
#include <bus/dns_options.h>
#include <bus/log.h>
#include <bus/otlp.h>
#include <bus/pipeline.h>
#include <bus/probe.h>
#include <bus/service.h>
#include <bus/tls.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../pg/complete.h"
#include "../pg/session.h"
#include "trail.h"

enum { WORKERS_MAX = 32, FLUSH_SPANS_MS = 1000 };

struct settings {
  int log_level, access_log;
  const char *bind;
  int64_t port;
  struct bus_tls_files tls;
  struct bus_credential amqp_url, database_url;
  int64_t workers, query_workers, queue_shards;
  const char *consume_shards;
  bool gremlin;
  int64_t gremlin_ms;
  struct bus_trace_options tracing;
  struct bus_consul_options consul;
  struct bus_worker_settings worker;
};
static struct settings settings = {.worker = {BUS_WORKER_DEFAULTS}}; /* also of what no option sets */

static struct bus_option common_options[] = {
    {"LOG_LEVEL", BUS_OPTION_ENUM, offsetof(struct settings, log_level), "info", 0, 0, bus_level_names, false, NULL,
     "least level that is logged"},
    {"ACCESS_LOG", BUS_OPTION_ENUM, offsetof(struct settings, access_log), "all", 0, 0, bus_access_log_names, false,
     NULL, "requests to the admin listener that are logged, whatever the level; answered probes at debug alone"},
    {"BIND", BUS_OPTION_STRING, offsetof(struct settings, bind), "127.0.0.1", 1, 64, NULL, false, NULL,
     "address of the admin listener (health, metrics)"},
    {"PORT", BUS_OPTION_INT, offsetof(struct settings, port), "0", 1, 65535, NULL, false, NULL,
     "port of the admin listener"},
    BUS_TLS_SERVER_ROWS(struct settings, tls),
    {"RABBITMQ_URL", BUS_OPTION_CREDENTIAL, offsetof(struct settings, amqp_url), NULL, 8, 1024, NULL, true, NULL,
     BUS_AMQP_URL_TEXT},
    BUS_TLS_AMQP_ROWS(struct settings, worker.tls),
    {"DATABASE_URL", BUS_OPTION_CREDENTIAL, offsetof(struct settings, database_url), NULL, 8, 1024, NULL, true, NULL,
     "this service's own Postgres database: postgres://user:password@host:port/database; "
     "postgres+srv://user:password@name/database: "
     "the hosts are asked of DNS"},
    BUS_DNS_ROW(struct settings, worker.dns_server),
    {"ALLOW_UNSAFE_DATABASE", BUS_OPTION_BOOL, offsetof(struct settings, worker.allow_unsafe_database), "false", 0, 0,
     NULL, false, NULL,
     "start also where the database runs with fsync or full_page_writes off and may lose what was committed"},
    {"WORKERS", BUS_OPTION_INT, offsetof(struct settings, workers), "1", 1, WORKERS_MAX, NULL, false, NULL,
     "worker threads, each with connections of its own"},
    {"QUERY_WORKERS", BUS_OPTION_INT, offsetof(struct settings, query_workers), "1", 1, WORKERS_MAX, NULL, false, NULL,
     "threads that answer queries"},
    {"BATCH_MAX", BUS_OPTION_INT, offsetof(struct settings, worker.batch_max), "200", 1, 1000, NULL, false, "messages",
     "most messages in one transaction; prefetch is twice that"},
    {"BUNDLE_MAX", BUS_OPTION_INT, offsetof(struct settings, worker.bundle_max), BUS_BUNDLE_DEFAULT, 1, BUS_BUNDLE_MAX,
     NULL, false, "messages", "most messages of one transaction that travel in one AMQP message; 1: each alone"},
    {"QUEUE_SHARDS", BUS_OPTION_INT, offsetof(struct settings, queue_shards), "1", 1, BUS_SHARDS_MAX, NULL, false, NULL,
     "shards of each work queue; the same number in every program and at bus-topology apply"},
    {"CONSUME_SHARDS", BUS_OPTION_STRING, offsetof(struct settings, consume_shards), "all", 1, 100, NULL, false, NULL,
     "shards that this process reads at once, from 0: all, or numbers and ranges such as 0,2-3; its WORKERS share "
     "them"},
    {"SHARD_STANDBY_MS", BUS_OPTION_INT, offsetof(struct settings, worker.standby_ms), "10000", 0, 3600000, NULL, false,
     "ms", "after that it reads the others, too, as a stand-by: each shard has one active reader"},
    {"GATHER_MS", BUS_OPTION_INT, offsetof(struct settings, worker.gather_ms), "20", 0, 100, NULL, false, "ms",
     "under load batches begin at least that far from each other, so that they are worth their cost; 0: at once"},
    {"HEARTBEAT_S", BUS_OPTION_INT, offsetof(struct settings, worker.heartbeat_s), "5", 1, 600, NULL, false, "s",
     "AMQP heartbeat"},
    {"OUTBOX_GRACE_MS", BUS_OPTION_INT, offsetof(struct settings, worker.outbox_grace_ms), "5000", 100, 600000, NULL,
     false, "ms", "until an unconfirmed outbox row is due for the sweeper"},
    {"OUTBOX_LEASE_MS", BUS_OPTION_INT, offsetof(struct settings, worker.outbox_lease_ms), "30000", 100, 3600000, NULL,
     false, "ms", "how long a sweeper's claim on a row holds"},
    {"RETRY_GIVE_UP_MS", BUS_OPTION_INT, offsetof(struct settings, worker.give_up_ms), "86400000", 1000, 604800000,
     NULL, false, "ms", "a message that still fails after that long is parked"},
    {"INBOX_KEEP_H", BUS_OPTION_INT, offsetof(struct settings, worker.inbox_keep_h), "168", 1, 8760, NULL, false, "h",
     "how long a processed message is known again; at least RETRY_GIVE_UP_MS, the retry tiers and PARKING_H"},
    {"PARKING_H", BUS_OPTION_INT, offsetof(struct settings, worker.parking_h), "72", 0, 8760, NULL, false, "h",
     "how long a parked message may lie until someone moves it back under its own id"},
    {"SETTLE_MAX_MS", BUS_OPTION_INT, offsetof(struct settings, worker.settle_max_ms), "60000", 0, 3600000, NULL, false,
     "ms", "deadlines wait at most that long for the queues to be seen empty after a connect"},
    {"GREMLIN_ENABLED", BUS_OPTION_BOOL, offsetof(struct settings, gremlin), "false", 0, 0, NULL, false, NULL,
     "slow every batch down on purpose"},
    {"GREMLIN_LATENCY_MS", BUS_OPTION_INT, offsetof(struct settings, gremlin_ms), "3000", 0, 60000, NULL, false, "ms",
     "by how much"},
    BUS_TRACE_EXPORT_ROWS(struct settings, tracing),
    BUS_CONSUL_ROWS(struct settings, consul),
};

struct running {
  const struct bus_program *program;
  struct bus_worker *workers[3 * WORKERS_MAX];
  pthread_t threads[3 * WORKERS_MAX];
  size_t worker_count, thread_count;
  size_t command_count; /* of the workers: the first ones take commands */
  struct bus_admin *admin;
  struct bus_tls *tls;       /* NULL: the admin listener is plain */
  struct bus_otlp *otlp;     /* NULL: no tracing */
  struct bus_consul *consul; /* NULL: not registered */
  char instance[BUS_UUID_TEXT];
  bus_time started_at;
  struct bus_alive_breaker breakers[BUS_ALIVE_BREAKERS_MAX]; /* of the one worker that speaks */
  atomic_bool draining;
  bool failed;
};

/* ---- health ---- */

static bool every_worker(const struct running *running, bool (*holds)(struct bus_worker_status status),
                         int64_t timeout_ms) {
  int64_t until = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  for (size_t i = 0; i < running->worker_count; i++) {
    int64_t left = (until - bus_monotonic()) / BUS_MILLISECOND;
    if (!holds(bus_worker_probe(running->workers[i], left > 0 ? left : 0)))
      return false;
  }
  return true;
}

static bool has_database(struct bus_worker_status status) {
  return status.database == BUS_LINK_UP;
}

static bool has_broker(struct bus_worker_status status) {
  return status.broker == BUS_LINK_UP;
}

/* As the workers know it: the thread that asks must go on answering queries. */
static bool commands_are_up(void *context) {
  const struct running *running = context;
  for (size_t i = 0; i < running->command_count; i++) {
    struct bus_worker_status status = bus_worker_status(running->workers[i]);
    if (!has_database(status) || !has_broker(status))
      return false;
  }
  return true;
}

static bool database_is_up(void *context, int64_t timeout_ms) {
  return every_worker(context, has_database, timeout_ms);
}

static bool broker_is_up(void *context, int64_t timeout_ms) {
  return every_worker(context, has_broker, timeout_ms);
}

static bool is_ready(void *context) {
  struct running *running = context;
  if (atomic_load(&running->draining))
    return false;
  for (size_t i = 0; i < running->worker_count; i++) {
    struct bus_worker_status status = bus_worker_status(running->workers[i]);
    if (!status.consuming || status.database != BUS_LINK_UP)
      return false;
  }
  return true;
}

static void say_alive(void *context, struct bus_alive *ret) {
  struct running *running = context;
  *ret = (struct bus_alive){.instance = bus_str(running->instance),
                            .version = bus_str(running->program->version),
                            .started_at = running->started_at,
                            .state = is_ready(running) ? BUS_ALIVE_READY : BUS_ALIVE_NOT_READY};
  if (atomic_load(&running->draining))
    ret->state = BUS_ALIVE_DRAINING;
  bus_alive_measure(ret, running->breakers);
}

static void name_instance(struct running *running) {
  uint64_t seed[4];
  struct bus_uuid_source ids;
  struct bus_uuid id;
  bus_random_seed(seed);
  bus_uuid_source_init(&ids, seed);
  running->started_at = bus_wall_clock();
  bus_uuid_v7(&ids, running->started_at, &id);
  bus_uuid_format(&id, running->instance);
}

static bool start_admin(struct running *running, struct bus_error *err) {
  static const struct bus_health_check checks[] = {{.name = "database", .is_up = database_is_up},
                                                   {.name = "message_queue", .is_up = broker_is_up}};
  if (!bus_tls_new(&settings.tls, &running->tls, err))
    return false;
  const struct bus_admin_settings admin = {.bind = settings.bind,
                                           .port = (int)settings.port,
                                           .tls = running->tls,
                                           .access_log = (enum bus_access_log)settings.access_log,
                                           .checks = checks,
                                           .check_count = BUS_COUNT(checks),
                                           .is_ready = is_ready,
                                           .context = running};
  return bus_admin_start(&admin, &running->admin, err);
}

static bool start_consul(struct running *running, struct bus_error *err) {
  const struct bus_consul_service service = {.name = running->program->name,
                                             .version = running->program->version,
                                             .address = settings.bind,
                                             .port = (int)settings.port,
                                             .health_port = (int)settings.port,
                                             .tls = running->tls != NULL,
                                             .is_ready = is_ready,
                                             .context = running};
  return bus_consul_start(&settings.consul, &service, &running->consul, err);
}

static void stop_consul(struct running *running) {
  bus_consul_stop(running->consul);
  running->consul = NULL;
}

/* New traces begin at the edge. */
static bool start_tracing(struct running *running, struct bus_error *err) {
  const struct bus_span_resource resource = {
      .service = running->program->name, .instance = running->instance, .version = running->program->version};
  if (!bus_otlp_start(&settings.tracing, &resource, &running->otlp, err))
    return false;
  settings.worker.tracer = bus_otlp_tracer(running->otlp);
  return true;
}

/* ---- workers ---- */

static void *run_worker(void *context) {
  struct bus_worker *worker = context;
  struct bus_error err = {.code = BUS_OK};
  if (!bus_worker_run(worker, &err)) {
    bus_log(BUS_ERROR, "worker ended", BUS_F_STR("error", bus_error_name(err.code)), BUS_F_STR("cause", err.text));
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&ending)) /* a second signal would cut the others' drain short */
      (void)kill(getpid(), SIGTERM);        /* no retry heals it: log it and end */
    return context;
  }
  return NULL;
}

/* The index-th of `count` threads reads every count-th of the process's shards at once. */
static uint32_t share_of(uint32_t shards, int64_t index, int64_t count) {
  uint32_t own = 0;
  int64_t nth = 0;
  for (size_t i = 0; i < BUS_SHARDS_MAX; i++)
    if (shards >> i & 1 && nth++ % count == index)
      own |= UINT32_C(1) << i;
  return own;
}

static bool add_workers(struct running *running, const struct bus_service *service, int64_t count,
                        struct bus_error *err) {
  uint32_t shards;
  if (!bus_shards_parse(settings.consume_shards, bus_topology_shards(running->program->topology), &shards, err))
    return false;
  settings.worker.reads_all_shards = false;
  for (int64_t i = 0; service && i < count; i++) {
    settings.worker.own_shards = share_of(shards, i, count);
    struct bus_worker **slot = &running->workers[running->worker_count];
    settings.worker.alive = running->worker_count == 0 ? say_alive : NULL; /* one speaks for all */
    settings.worker.alive_context = running;
    if (!bus_worker_new(service, running->program->topology, &settings.worker, running->program->settings, slot, err))
      return false;
    running->worker_count++;
  }
  return true;
}

static bool start_threads(struct running *running, struct bus_error *err) {
  for (size_t i = 0; i < running->worker_count; i++) {
    if (pthread_create(&running->threads[i], NULL, run_worker, running->workers[i]) != 0)
      return bus_fail(err, BUS_E_SYSTEM, "cannot start thread %zu", i);
    running->thread_count++;
  }
  return true;
}

static void stop_all(struct running *running) {
  stop_consul(running);
  for (size_t i = 0; i < running->worker_count; i++)
    bus_worker_stop(running->workers[i]);
  for (size_t i = 0; i < running->thread_count; i++) {
    void *failed = NULL;
    (void)pthread_join(running->threads[i], &failed);
    running->failed = running->failed || failed != NULL;
  }
  bus_admin_stop(running->admin);
  bus_tls_free(running->tls);
  for (size_t i = 0; i < running->worker_count; i++)
    bus_worker_free(running->workers[i]);
  bus_otlp_stop(running->otlp, FLUSH_SPANS_MS);
}

/* ---- the program ---- */

static void fill_worker_settings(const struct bus_program *program) {
  settings.worker.database_url = settings.database_url.text;
  settings.worker.database_url_file = settings.database_url.file;
  settings.worker.amqp_url = settings.amqp_url.text;
  settings.worker.amqp_url_file = settings.amqp_url.file;
  settings.worker.latency_ms = settings.gremlin ? settings.gremlin_ms : 0;
  settings.worker.schema_project = program->schema_project;
  settings.worker.schema_change = program->schema_change;
}

static int run_service(const struct bus_program *program) {
  struct running running = {.program = program};
  struct bus_error err = {.code = BUS_OK};
  name_instance(&running);
  settings.worker.commands_are_up = commands_are_up;
  settings.worker.commands_context = &running;
  bus_tls_show_client(&settings.worker.tls);
  bool good = bus_topology_set_shards(program->topology, settings.queue_shards, &err) &&
              bus_topology_is_valid(program->topology, &err) && start_tracing(&running, &err) &&
              add_workers(&running, program->commands, settings.workers, &err);
  good = good && add_workers(&running, program->requests, settings.workers, &err);
  running.command_count = running.worker_count;
  good = good && add_workers(&running, program->queries, settings.query_workers, &err) && start_admin(&running, &err) &&
         start_consul(&running, &err) && start_threads(&running, &err);
  if (good) {
    bus_log(BUS_INFO, "started", BUS_F_INT("port", settings.port), BUS_F_INT("workers", settings.workers),
            BUS_F_STR("version", program->version));
    bus_tls_follow_hangup(running.tls);
    int signal_number = bus_process_wait(0);
    stop_consul(&running); /* while it still serves */
    atomic_store(&running.draining, true);
    bus_log(BUS_INFO, "draining", BUS_F_INT("signal", signal_number));
  } else {
    bus_log(BUS_ERROR, "cannot start", BUS_F_STR("error", bus_error_name(err.code)), BUS_F_STR("cause", err.text));
  }
  stop_all(&running);
  bus_log(BUS_INFO, "stopped");
  return good && !running.failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Prints statements with their parameters' letters, for EXPLAIN in tests. Form feeds separate name, letters and SQL,
 * because JSON would need an encoder for SQL. */
static void print_statements(const struct bus_service *service, const char *kind) {
  for (size_t i = 0; service && i < service->statement_count; i++)
    printf("%s%zu\n%s\n%s\n\f\n", kind, i, service->statements[i].params ? service->statements[i].params : "",
           service->statements[i].sql);
}

static void print_text(void *context, const char *text) {
  (void)context;
  (void)fputs(text, stdout);
}

static void print_columns(const struct bus_table *const *tables) {
  for (; tables && *tables; tables++)
    bus_table_print(*tables, print_text, NULL);
}

enum { FLAG_HEALTH, FLAG_SQL, FLAG_COLUMNS, FLAG_METRICS, FLAG_PIPELINE, FLAG_OWN };

static int print_parts(const struct bus_program *program) {
  printf("session\n\n%s\n\f\n", pg_session_set);
  print_statements(program->commands, "command");
  print_statements(program->requests, "request");
  print_statements(program->queries, "query");
  return EXIT_SUCCESS;
}

static int print_metrics(const struct bus_program *program) {
  if (program->register_metrics)
    program->register_metrics();
  bus_worker_metrics_register();
  return bus_admin_print_metrics();
}

static int carry_out(const struct bus_program *program, int flag) {
  switch (flag) {
  case FLAG_HEALTH:
    return bus_probe_main(program->name, settings.bind, settings.port, bus_tls_path(settings.tls.cert) != NULL,
                          "/health/ready");
  case FLAG_SQL:
    return print_parts(program);
  case FLAG_COLUMNS:
    print_columns(program->tables);
    return EXIT_SUCCESS;
  case FLAG_METRICS:
    return print_metrics(program);
  case FLAG_PIPELINE:
    bus_pipeline_print(print_text, NULL);
    break;
  default:
    if (program->saga && flag == FLAG_OWN)
      bus_saga_print(program->saga, print_text, NULL);
    else
      program->print(print_text, NULL);
  }
  return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool complete_services(const struct bus_program *given, struct bus_program *ret, struct bus_error *err) {
  static struct completed commands, requests, queries;
  static struct trail_service trails;
  const struct bus_topology_part *part = given->part;
  bool good =
      service_complete(given->commands, part, BUS_QUEUE_WORK, ret->version, &commands, &ret->commands, err) &&
      service_complete(given->requests, part, BUS_QUEUE_REQUEST, ret->version, &requests, &ret->requests, err) &&
      service_complete(given->queries, part, BUS_QUEUE_QUERY, ret->version, &queries, &ret->queries, err);
  if (good)
    ret->queries = trail_beside(ret->queries, part, &trails);
  return good;
}

int bus_service_main(int argc, char **argv, const struct bus_program *given) {
  struct bus_program completed = *given;
  const struct bus_program *program = &completed;
  completed.name = given->part ? given->part->user.name : given->name;
  completed.version = given->version ? given->version : ORDERBUS_VERSION;
  struct bus_error err = {.code = BUS_OK};
  if (!complete_services(given, &completed, &err) || (given->saga && !bus_saga_check(given->saga, &err))) {
    fprintf(stderr, "%s: %s\n", program->name, err.text);
    return EXIT_FAILURE;
  }
  const char *const flags[] = {[FLAG_HEALTH] = BUS_FLAG_HEALTH,
                               [FLAG_SQL] = "--print-sql",
                               [FLAG_COLUMNS] = "--print-columns",
                               [FLAG_METRICS] = BUS_FLAG_METRICS,
                               [FLAG_PIPELINE] = "--print-pipeline",
                               [FLAG_OWN] = program->saga ? "--print-saga" : program->print_flag,
                               [FLAG_OWN + 1] = program->saga ? program->print_flag : NULL,
                               [FLAG_OWN + 2] = NULL};
  common_options[3].fallback = program->default_port;
  const struct bus_option_table tables[] = {
      {common_options, BUS_COUNT(common_options), &settings},
      {program->options, program->option_count, program->settings},
  };
  int flag = -1;
  int status = bus_config_main(argc, argv, program->name, program->version, program->summary, tables, BUS_COUNT(tables),
                               flags, &flag);
  if (status >= 0)
    return status;
  if (flag >= 0)
    return carry_out(program, flag);
  bus_process_init();
  bus_log_init(program->name, (enum bus_level)settings.log_level);
  fill_worker_settings(program);
  status = run_service(program);
  bus_config_done(tables, BUS_COUNT(tables));
  return status;
}
