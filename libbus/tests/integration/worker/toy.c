/* Fixture of the worker's tests around the toy service: its own database and queues, and a publisher. */
#include "toy.h"

#include <bus/clock.h>
#include <bus/log.h>
#include <bus/metrics.h>
#include <test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BUSY = 4 }; /* times as long as on a machine of one's own */

void toy_fill_services(struct toy *toy);

static const struct bus_message_type *const work_types[] = {&toy_add_type};
static const struct bus_message_type *const query_types[] = {&toy_get_type};
static const struct bus_message_type *const request_types[] = {&toy_set_type};
static const struct bus_message_type *const all_types[] = {
    &toy_add_type, &toy_added_type, &toy_unheard_type, &toy_full_type, &toy_get_type, &toy_set_type, &toy_count_type};
static const struct bus_tier tiers[] = {{"50ms", 50}, {"100ms", 100}, {"150ms", 150}};

void toy_sleep_ms(int milliseconds) {
  const struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = (milliseconds % 1000) * 1000000L};
  (void)nanosleep(&pause, NULL);
}

/* ---- database ---- */

static void run_sql(PGconn *conn, const char *sql) {
  PGresult *result = PQexec(conn, sql);
  ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    fail_msg("%s: %s", sql, PQerrorMessage(conn));
  PQclear(result);
}

/* The URL of the server with another database. */
static void name_database(const char *url, const char *database, char *text, size_t size) {
  const char *slash = strrchr(url, '/');
  assert_non_null(slash);
  (void)snprintf(text, size, "%.*s%s", (int)(slash + 1 - url), url, database);
}

static void make_database(struct toy *toy, const char *server) {
  char command[1400];
  PGconn *conn = PQconnectdb(server);
  assert_int_equal(PQstatus(conn), CONNECTION_OK);
  (void)snprintf(toy->database, sizeof toy->database, "toy_%d", (int)getpid());
  (void)snprintf(command, sizeof command, "CREATE DATABASE %s", toy->database);
  run_sql(conn, command);
  PQfinish(conn);
  name_database(server, toy->database, toy->database_url, sizeof toy->database_url);
  toy->admin = PQconnectdb(toy->database_url);
  assert_int_equal(PQstatus(toy->admin), CONNECTION_OK);
  run_sql(toy->admin, "CREATE SCHEMA sqitch; CREATE TABLE sqitch.changes (project text, change text);"
                      "INSERT INTO sqitch.changes VALUES ('toy', 'counters'); CREATE SCHEMA toy;"
                      "CREATE TABLE toy.counters (id uuid PRIMARY KEY, n bigint NOT NULL CHECK (n < 900000))");
  (void)snprintf(command, sizeof command,
                 "cd '%s' && psql -q -X -v ON_ERROR_STOP=1 -v service=postgres -f bus.sql -f bus-2.sql -f bus-3.sql -f "
                 "bus-4.sql '%s'",
                 BUS_SQL, toy->database_url);
  assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own command */
}

static void drop_database(struct toy *toy) {
  char command[128];
  PQfinish(toy->admin);
  PGconn *conn = PQconnectdb(getenv("TEST_DATABASE_URL"));
  (void)snprintf(command, sizeof command, "DROP DATABASE IF EXISTS %s WITH (FORCE)", toy->database);
  run_sql(conn, command);
  PQfinish(conn);
}

void toy_execute(struct toy *toy, const char *sql) {
  PGresult *result = PQexec(toy->admin, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK)
    fail_msg("%s: %s", sql, PQerrorMessage(toy->admin));
  PQclear(result);
}

/* Before a row of that table is written, where `condition` holds of it. */
void toy_on_write(struct toy *toy, const char *table, const char *condition, const char *what) {
  char sql[1024];
  (void)snprintf(sql, sizeof sql,
                 "CREATE SEQUENCE IF NOT EXISTS toy.tries;"
                 "CREATE OR REPLACE FUNCTION toy.on_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                 "IF %s THEN PERFORM nextval('toy.tries'); %s; END IF; RETURN NEW; END $$;"
                 "CREATE TRIGGER on_write BEFORE INSERT OR UPDATE ON %s FOR EACH ROW "
                 "EXECUTE FUNCTION toy.on_write()",
                 condition, what, table);
  toy_execute(toy, sql);
}

/* Milliseconds of CPU that the process uses while so many milliseconds pass; the test's own threads sleep. */
int64_t toy_cpu_in(int milliseconds) {
  struct timespec before, after;
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  toy_sleep_ms(milliseconds);
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
}

int64_t toy_number(struct toy *toy, const char *sql) {
  PGresult *result = PQexec(toy->admin, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK)
    fail_msg("%s: %s", sql, PQerrorMessage(toy->admin));
  int64_t number = PQntuples(result) ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
  PQclear(result);
  return number;
}

void toy_await(struct toy *toy, const char *sql, int64_t number, int seconds) {
  int64_t until = bus_monotonic() + BUSY * seconds * BUS_SECOND, last = 0;
  while ((last = toy_number(toy, sql)) != number && bus_monotonic() < until)
    toy_sleep_ms(20);
  if (last != number)
    fail_msg("%s gives %lld, not %lld", sql, (long long)last, (long long)number);
}

/* ---- broker ---- */

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct toy *toy = context;
  (void)ack;
  toy->confirmed = multiple ? seq : toy->confirmed + 1;
}

static const struct bus_amqp_events events = {.confirm = on_confirm};

static void open_broker(struct toy *toy) {
  struct bus_error err;
  const struct bus_amqp_settings amqp = {
      .url = toy->amqp_url, .name = "toy test", .heartbeat_s = 60, .open_timeout_ms = 20000};
  if (!bus_amqp_open(&amqp, &toy->amqp, &err) || !bus_amqp_confirm(toy->amqp, &err))
    fail_msg("%s", err.text);
  bus_amqp_set_arena(toy->amqp, toy->arena);
  toy->published = toy->confirmed = 0;
}

/* A busy broker's channel may die of a time-out of its own (541); the same declaration is made on the next one. */
static bool declare(void *context, const struct bus_declaration *declaration) {
  struct toy *toy = context;
  struct bus_error err;
  for (int tries = 0; !bus_amqp_declare(toy->amqp, declaration, false, &err); tries++) {
    if (err.code != BUS_E_AMQP_CONNECTION || tries == 3)
      fail_msg("declare %s: %s", declaration->name, err.text);
    bus_amqp_free(toy->amqp);
    open_broker(toy);
  }
  return true;
}

static void declare_plain(struct toy *toy, const char *queue, const char *exchange, const char *key, bool full) {
  struct bus_declaration declaration = {.kind = BUS_DECLARE_QUEUE};
  (void)snprintf(declaration.name, sizeof declaration.name, "%s", queue);
  declaration.arguments[0] = (struct bus_declare_argument){"x-overflow", "reject-publish", 0, false};
  declaration.arguments[1] = (struct bus_declare_argument){"x-max-length", NULL, full ? 1 : 1000000, false};
  declaration.argument_count = 2;
  (void)declare(toy, &declaration);
  declaration = (struct bus_declaration){.kind = BUS_DECLARE_BINDING};
  (void)snprintf(declaration.name, sizeof declaration.name, "%s", queue);
  (void)snprintf(declaration.exchange, sizeof declaration.exchange, "%s", exchange);
  (void)snprintf(declaration.key, sizeof declaration.key, "%s", key);
  (void)declare(toy, &declaration);
}

static void name_types(struct toy *toy, int pid) {
  static struct bus_message_type *const types[] = {&toy_add_type, &toy_added_type, &toy_unheard_type, &toy_full_type,
                                                   &toy_get_type, &toy_set_type,   &toy_count_type};
  static const char *const verbs[] = {"add", "added", "unheard", "full", "get", "set", "count"};
  for (size_t i = 0; i < BUS_COUNT(types); i++) {
    (void)snprintf(toy->names[i], sizeof toy->names[i], "toy-%d.%s.v1", pid, verbs[i]);
    types[i]->type = toy->names[i];
  }
}

static void key_of(const struct bus_message_type *type, char key[BUS_KEY_MAX]) {
  struct bus_str text = bus_message_key(type);
  (void)snprintf(key, BUS_KEY_MAX, "%.*s", (int)text.len, text.data);
}

static void declare_for(struct toy *toy, const char *queue, const struct bus_message_type *type, bool full) {
  char key[BUS_KEY_MAX];
  key_of(type, key);
  declare_plain(toy, queue, bus_exchange_name(type->exchange), key, full);
}

void toy_declare_queues(struct toy *toy) {
  assert_true(bus_topology_each(&toy->topology, declare, toy));
}

static void make_queues(struct toy *toy) {
  int pid = (int)getpid();
  name_types(toy, pid);
  (void)snprintf(toy->queue, sizeof toy->queue, "toy-%d", pid);
  (void)snprintf(toy->queries, sizeof toy->queries, "toy-%d.query", pid);
  (void)snprintf(toy->requests, sizeof toy->requests, "toy-%d.request", pid);
  (void)snprintf(toy->events, sizeof toy->events, "toy-%d.events", pid);
  (void)snprintf(toy->full, sizeof toy->full, "toy-%d.full", pid);
  toy->service_queues[0] = toy->queue;
  toy->query_queues[0] = toy->queries;
  toy->request_queues[0] = toy->requests;
  toy->queues[0] = (struct bus_queue){.name = toy->queue, .types = work_types, .type_count = 1};
  toy->queues[1] =
      (struct bus_queue){.name = toy->queries, .kind = BUS_QUEUE_QUERY, .types = query_types, .type_count = 1};
  toy->queues[2] =
      (struct bus_queue){.name = toy->requests, .kind = BUS_QUEUE_REQUEST, .types = request_types, .type_count = 1};
  toy->part = (struct bus_topology_part){.user = {.name = "admin", .asks = true},
                                         .types = all_types,
                                         .type_count = BUS_COUNT(all_types),
                                         .queues = toy->queues,
                                         .queue_count = 3};
  toy->parts[0] = &toy->part;
  toy->topology = (struct bus_topology){
      .parts = toy->parts, .part_count = 1, .tiers = tiers, .tier_count = BUS_COUNT(tiers), .query_ttl_ms = 5000};
  toy_declare_queues(toy);
  declare_for(toy, toy->events, &toy_added_type, false);
  declare_for(toy, toy->full, &toy_full_type, true);
}

/* Queues of tests run at the same time share the exchanges, so each deletes its own; there is no call for it in
 * bus/amqp.h, because services never delete. names: separated by blanks. */
static void delete_named(const char *names) {
  char command[2048];
  (void)snprintf(command, sizeof command,
                 "python3 -c 'import sys,urllib.request as u,urllib.parse as p\n"
                 "a=p.urlsplit(sys.argv[1]);m=u.HTTPPasswordMgrWithDefaultRealm();"
                 "b=\"http://%%s:%%d\"%%(a.hostname,a.port);m.add_password(None,b,a.username,a.password)\n"
                 "for name in sys.argv[2:]:\n"
                 "  try: u.build_opener(u.HTTPBasicAuthHandler(m)).open(u.Request(b+\"/api/queues/test/\"+name,"
                 "method=\"DELETE\"))\n"
                 "  except OSError: pass' '%s' %s 2>/dev/null",
                 getenv("TEST_MGMT_URL"), names);
  (void)!system(command); /* NOLINT(cert-env33-c): tidying up; the whole broker goes after the run anyway */
}

void toy_delete_queue(struct toy *toy, const char *suffix) {
  char name[2 * BUS_KEY_MAX];
  (void)snprintf(name, sizeof name, "%s%s", toy->queue, suffix);
  delete_named(name);
}

static void delete_queues(struct toy *toy) {
  char names[1024];
  const char *queue = toy->queue;
  (void)snprintf(
      names, sizeof names,
      "%s %s.query %s.request %s.events %s.full %s.dead bus.retry.50ms.%s bus.retry.100ms.%s bus.retry.150ms.%s", queue,
      queue, queue, queue, queue, queue, queue, queue, queue);
  delete_named(names);
}

int64_t toy_queue_depth(struct toy *toy, const char *queue) {
  char command[1024];
  (void)toy;
  (void)snprintf(command, sizeof command,
                 "python3 -c 'import sys,json,urllib.request as u,urllib.parse as p;"
                 "a=p.urlsplit(sys.argv[1]);m=u.HTTPPasswordMgrWithDefaultRealm();"
                 "b=\"http://%%s:%%d\"%%(a.hostname,a.port);m.add_password(None,b,a.username,a.password);"
                 "print(len(json.load(u.build_opener(u.HTTPBasicAuthHandler(m)).open(u.Request("
                 "b+\"/api/queues/test/%s/get\",method=\"POST\",data=json.dumps(dict(count=5000,"
                 "ackmode=\"ack_requeue_true\",encoding=\"auto\")).encode(),"
                 "headers={\"content-type\":\"application/json\"})))))' '%s'",
                 queue, getenv("TEST_MGMT_URL"));
  FILE *pipe = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own command */
  long long depth = -1;
  assert_non_null(pipe);
  assert_int_equal(fscanf(pipe, "%lld", &depth), 1); /* NOLINT(cert-err34-c): printed by the line above */
  (void)pclose(pipe);
  return depth;
}

void toy_await_depth(struct toy *toy, const char *queue, int64_t depth, int seconds) {
  int64_t until = bus_monotonic() + BUSY * seconds * BUS_SECOND, last = 0;
  while ((last = toy_queue_depth(toy, queue)) != depth && bus_monotonic() < until)
    toy_sleep_ms(50);
  if (last != depth)
    fail_msg("%s holds %lld, not %lld", queue, (long long)last, (long long)depth);
}

static void pump(struct toy *toy) {
  struct bus_error err;
  if (!bus_amqp_pump(toy->amqp, &events, toy, &err))
    fail_msg("%s", err.text);
}

void toy_flush(struct toy *toy) {
  int64_t until = bus_monotonic() + 20 * BUS_SECOND;
  while (toy->confirmed < toy->published && bus_monotonic() < until) {
    pump(toy);
    toy_sleep_ms(1);
  }
  assert_true(toy->confirmed == toy->published);
}

void toy_publish_raw(struct toy *toy, const struct bus_envelope *envelope, const char *body) {
  struct bus_error err;
  uint64_t seq;
  const struct bus_publication publication = {.exchange = BUS_EXCHANGE_RETRY,
                                              .key = bus_str(toy->queue),
                                              .mandatory = true,
                                              .envelope = envelope,
                                              .body = bus_str(body)};
  struct bus_publication direct = publication;
  char key[BUS_KEY_MAX];
  (void)snprintf(key, sizeof key, "50ms.%s", toy->queue);
  direct.exchange = BUS_EXCHANGE_BACK; /* straight to this test's queue; its siblings share the type's key */
  direct.key = bus_str(key);
  if (!bus_amqp_publish(toy->amqp, &direct, &seq, &err))
    fail_msg("%s", err.text);
  toy->published = seq;
  if (toy->published - toy->confirmed > 500)
    toy_flush(toy);
}

struct bus_uuid toy_counter(unsigned number) {
  struct bus_uuid id = {{0x70, 0x6f, 0x79, 0, 0, 0, 0x40, 0, 0x80}};
  id.bytes[14] = (uint8_t)(number >> 8);
  id.bytes[15] = (uint8_t)number;
  return id;
}

void toy_publish_as(struct toy *toy, const struct bus_uuid *message_id, unsigned counter, int64_t by) {
  const struct toy_add add = {.counter = toy_counter(counter), .by = by};
  struct bus_str body;
  bus_arena_reset(toy->arena);
  assert_true(bus_encode(toy_add_type.schema, &add, toy->arena, &body));
  const struct bus_envelope envelope = {.message_id = *message_id,
                                        .type = bus_str(toy_add_type.type),
                                        .correlation_id = add.counter,
                                        .timestamp = bus_wall_clock(),
                                        .first_failed_at = BUS_NO_TIME};
  char *text = strndup(body.data, body.len);
  toy_publish_raw(toy, &envelope, text);
  free(text);
}

struct bus_uuid toy_publish(struct toy *toy, unsigned counter, int64_t by) {
  struct bus_uuid id;
  bus_uuid_v7(&toy->ids, bus_wall_clock(), &id);
  toy_publish_as(toy, &id, counter, by);
  return id;
}

/* ---- metrics ---- */

enum { METRICS_ROOM = 65536 };

static void append_text(void *context, struct bus_str piece) {
  char *text = context;
  size_t len = strlen(text);
  assert_true(len + piece.len < METRICS_ROOM);
  memcpy(text + len, piece.data, piece.len);
  text[len + piece.len] = '\0';
}

int64_t toy_metric(const char *series) {
  char *text = calloc(1, METRICS_ROOM);
  assert_non_null(text);
  bus_metrics_print(BUS_METRICS_TEXT, append_text, text);
  const char *at = strstr(text, series);
  while (at && at > text && at[-1] != '\n') /* in a comment */
    at = strstr(at + 1, series);
  int64_t value = at ? strtoll(at + strlen(series), NULL, 10) : 0;
  free(text);
  return value;
}

/* ---- the whole ---- */

void toy_setup(struct toy *toy) {
  const char *server = getenv("TEST_DATABASE_URL"), *broker = getenv("TEST_AMQP_URL");
  uint64_t seed[4];
  *toy = (struct toy){0};
  if (!server || !broker || !getenv("TEST_MGMT_URL"))
    exit(77); /* skipped: CTest's SKIP_RETURN_CODE */
  bus_log_init("toy", getenv("TOY_LOG") ? BUS_DEBUG : BUS_ERROR);
  bus_random_seed(seed);
  bus_uuid_source_init(&toy->ids, seed);
  toy->arena = bus_arena_new(1 << 24);
  make_database(toy, server);
  (void)snprintf(toy->amqp_url, sizeof toy->amqp_url, "%s", broker);
  open_broker(toy);
  make_queues(toy);
  toy_fill_services(toy);
  toy->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
  toy->settings.database_url = toy->database_url;
  toy->settings.amqp_url = toy->amqp_url;
  toy->settings.schema_project = "toy";
  toy->settings.schema_change = "counters";
}

void toy_teardown(struct toy *toy) {
  bus_amqp_free(toy->amqp);
  delete_queues(toy);
  drop_database(toy);
  bus_arena_free(toy->arena);
}

static void *run_thread(void *context) {
  struct toy_run *run = context;
  run->good = bus_worker_run(run->worker, &run->err);
  return NULL;
}

static void start(struct toy *toy, const struct bus_service *service, struct toy_run *run) {
  *run = (struct toy_run){.toy = toy};
  if (!bus_worker_new(service, &toy->topology, &toy->settings, NULL, &run->worker, &run->err))
    fail_msg("%s", run->err.text);
  assert_int_equal(pthread_create(&run->thread, NULL, run_thread, run), 0);
}

void toy_start(struct toy *toy, struct toy_run *run) {
  start(toy, &toy->service, run);
}

void toy_start_queries(struct toy *toy, struct toy_run *run) {
  start(toy, &toy->query_service, run);
}

void toy_start_requests(struct toy *toy, struct toy_run *run) {
  start(toy, &toy->request_service, run);
}

void toy_stop(struct toy_run *run) {
  bus_worker_stop(run->worker);
  assert_int_equal(pthread_join(run->thread, NULL), 0);
  bus_worker_free(run->worker);
  if (!run->good)
    fail_msg("worker: %s", run->err.text);
}
