/* Connections that keep what they saw, and queues of a test's own. */
#include "amqp_fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void skip_test(const char *why) {
  (void)fprintf(stderr, "skipped: %s\n", why);
  exit(77);
}

void run_shell(const char *command) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command, NULL);
    _exit(127);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void require_rabbitmqctl(void) {
  const char *command = getenv("TEST_RABBITMQCTL");
  if (command == NULL || command[0] == '\0')
    skip_test("TEST_RABBITMQCTL is not set");
}

static void set_memory_watermark(const char *fraction) {
  char command[512];
  (void)snprintf(command, sizeof command, "%s -q set_vm_memory_high_watermark %s >/dev/null",
                 getenv("TEST_RABBITMQCTL"), fraction);
  run_shell(command);
}

static void end_alarm(void) {
  set_memory_watermark("0.4");
}

/* A test that fails in between must not leave the alarm to the next one. */
void set_watermark(const char *fraction) {
  static bool ends;
  if (!ends)
    ends = atexit(end_alarm) == 0;
  set_memory_watermark(fraction);
}

const char *test_url(void) {
  const char *url = getenv("TEST_AMQP_URL");
  if (url == NULL || url[0] == '\0')
    skip_test("TEST_AMQP_URL is not set");
  return url;
}

/* ---- what was seen ---- */

static struct seen *add(struct link *link, enum seen_kind kind) {
  assert_true(link->count < SEEN_MAX);
  struct seen *seen = &link->seen[link->count++];
  *seen = (struct seen){.kind = kind};
  return seen;
}

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct seen *seen = add(context, SEEN_DELIVERY);
  seen->delivery = *delivery;
  seen->seq = delivery->tag;
  seen->consumer = delivery->consumer;
  seen->message_id = delivery->envelope.message_id;
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct seen *seen = add(context, ack ? SEEN_ACK : SEEN_NACK);
  seen->seq = seq;
  seen->multiple = multiple;
}

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  (void)exchange;
  (void)key;
  add(context, SEEN_RETURN)->message_id = *message_id;
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  (void)reason;
  add(context, blocked ? SEEN_BLOCKED : SEEN_UNBLOCKED);
}

static void on_cancelled(void *context, int consumer) {
  add(context, SEEN_CANCEL)->consumer = consumer;
}

static const struct bus_amqp_events events = {on_delivery, on_confirm, on_returned, on_blocked, on_cancelled};

size_t link_count(const struct link *link, enum seen_kind kind) {
  size_t count = 0;
  for (size_t i = 0; i < link->count; i++)
    count += link->seen[i].kind == kind;
  return count;
}

const struct seen *link_nth(const struct link *link, enum seen_kind kind, size_t nth) {
  for (size_t i = 0; i < link->count; i++)
    if (link->seen[i].kind == kind && nth-- == 0)
      return &link->seen[i];
  fail_msg("no such event");
  return NULL;
}

/* ---- connections ---- */

struct link *link_open_as(const char *url, const char *name, int64_t heartbeat_s) {
  struct link *link = calloc(1, sizeof *link);
  struct bus_amqp_settings settings = {.url = url, .name = name, .heartbeat_s = heartbeat_s, .open_timeout_ms = 20000};
  link->arena = bus_arena_new(64 << 20);
  if (!bus_amqp_open(&settings, &link->amqp, &link->err))
    fail_msg("%s", link->err.text);
  bus_amqp_set_arena(link->amqp, link->arena);
  return link;
}

struct link *link_open(const char *url) {
  return link_open_as(url, "test", 60);
}

void link_close(struct link *link) {
  bus_amqp_free(link->amqp);
  bus_arena_free(link->arena);
  free(link);
}

static bool pump_once(struct link *link, int timeout_ms) {
  if (!bus_amqp_pump(link->amqp, &events, link, &link->err))
    return false;
  struct pollfd fd = {.fd = bus_amqp_fd(link->amqp), .events = POLLIN};
  if (!bus_amqp_has_buffered(link->amqp))
    (void)poll(&fd, 1, timeout_ms);
  return bus_amqp_pump(link->amqp, &events, link, &link->err);
}

void link_await(struct link *link, enum seen_kind kind, size_t count, int64_t ms) {
  int64_t until = bus_monotonic() + ms * BUS_MILLISECOND;
  while (link_count(link, kind) < count) {
    if (!pump_once(link, 50))
      fail_msg("connection lost: %s", link->err.text);
    if (bus_monotonic() > until)
      fail_msg("%zu of %zu came", link_count(link, kind), count);
  }
}

bool link_pump_for(struct link *link, int64_t ms) {
  int64_t until = bus_monotonic() + ms * BUS_MILLISECOND;
  while (bus_monotonic() < until)
    if (!pump_once(link, 20))
      return false;
  return true;
}

enum bus_errc link_await_failure(struct link *link, int64_t ms) {
  if (link_pump_for(link, ms))
    fail_msg("the connection stands");
  return link->err.code;
}

/* ---- messages ---- */

struct bus_uuid next_id(void) {
  static _Thread_local struct bus_uuid_source source;
  struct bus_uuid id;
  uint64_t seed[4];
  if (source.last_ms == 0) {
    bus_random_seed(seed);
    bus_uuid_source_init(&source, seed);
  }
  bus_uuid_v7(&source, bus_wall_clock(), &id);
  return id;
}

uint64_t link_publish(struct link *link, enum bus_exchange exchange, const char *key, bool mandatory,
                      struct bus_uuid *ret_id) {
  struct bus_envelope envelope = {
      .type = BUS_STR("test.thing.v1"), .message_id = next_id(), .timestamp = bus_wall_clock()};
  struct bus_publication publication = {
      .exchange = exchange, .key = bus_str(key), .mandatory = mandatory, .envelope = &envelope, .body = BUS_STR("{}")};
  uint64_t seq;
  if (!bus_amqp_publish(link->amqp, &publication, &seq, &link->err))
    fail_msg("%s", link->err.text);
  if (ret_id)
    *ret_id = envelope.message_id;
  return seq;
}

void link_consume(struct link *link, const char *queue, int consumer, int prefetch) {
  if (!bus_amqp_consume(link->amqp, queue, consumer, prefetch, false, &link->err))
    fail_msg("%s", link->err.text);
}

/* ---- topology ---- */

const char *fresh_name(const char *stem) {
  static char names[16][64];
  static unsigned count;
  char *name = names[count++ % 16];
  (void)snprintf(name, sizeof names[0], "%s-%d-%u", stem, (int)getpid(), count);
  return name;
}

struct bus_declaration exchange_of(enum bus_exchange exchange) {
  struct bus_declaration d = {.kind = BUS_DECLARE_EXCHANGE};
  (void)snprintf(d.name, sizeof d.name, "%s", bus_exchange_name(exchange));
  return d;
}

struct bus_declaration queue_of(const char *name) {
  struct bus_declaration d = {
      .kind = BUS_DECLARE_QUEUE, .arguments = {{.name = "x-expires", .number = 120000}}, .argument_count = 1};
  (void)snprintf(d.name, sizeof d.name, "%s", name);
  return d;
}

struct bus_declaration binding_of(enum bus_exchange exchange, const char *key, const char *queue) {
  struct bus_declaration d = {.kind = BUS_DECLARE_BINDING};
  (void)snprintf(d.name, sizeof d.name, "%s", queue);
  (void)snprintf(d.exchange, sizeof d.exchange, "%s", bus_exchange_name(exchange));
  (void)snprintf(d.key, sizeof d.key, "%s", key);
  return d;
}

void declare(struct link *link, const struct bus_declaration *declaration) {
  if (!bus_amqp_declare(link->amqp, declaration, false, &link->err))
    fail_msg("%s", link->err.text);
}

void declare_exchanges(struct link *link) {
  for (int e = BUS_EXCHANGE_CMD; e <= BUS_EXCHANGE_BACK; e++) {
    struct bus_declaration d = exchange_of((enum bus_exchange)e);
    declare(link, &d);
  }
}

static void declare_and_bind(struct link *link, enum bus_exchange exchange, const struct bus_declaration *queue) {
  struct bus_declaration binding = binding_of(exchange, queue->name, queue->name);
  declare_exchanges(link);
  declare(link, queue);
  declare(link, &binding);
}

void declare_bound_queue(struct link *link, enum bus_exchange exchange, const char *name) {
  struct bus_declaration queue = queue_of(name);
  declare_and_bind(link, exchange, &queue);
}

void declare_quorum_queue(struct link *link, enum bus_exchange exchange, const char *name) {
  struct bus_declaration queue = queue_of(name);
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-queue-type", "quorum", 0, false};
  declare_and_bind(link, exchange, &queue);
}

static bool apply_one(void *context, const struct bus_declaration *declaration) {
  struct link *link = context;
  return bus_amqp_declare(link->amqp, declaration, false, &link->err);
}

bool apply_topology(struct link *link, const struct bus_topology *topology) {
  return bus_topology_each(topology, apply_one, link);
}
