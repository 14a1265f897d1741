/* Everything that the handlers call, played from the script. */
#include "fake_bus.h"

#include <bus/alive_measure.h>
#include <bus/amqp.h>
#include <bus/breaker_metrics.h>
#include <bus/clock.h>
#include <bus/log.h>

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct fake fake;
const struct fake_script fake_silence = {.confirm_at = NEVER,
                                         .refused_at = NEVER,
                                         .unroutable_at = NEVER,
                                         .lost_at = NEVER,
                                         .answers = {{.at = NEVER}, {.at = NEVER}}};

void fake_begin(const char *body) {
  fake_end();
  fake.arena = bus_arena_new(1 << 20);
  fake.body = bus_arena_copy(fake.arena, bus_str(body)); /* handlers may erase it */
  fake.status = 0;
  fake.header_count = 0;
  fake.notes[0] = '\0';
  fake.json = BUS_NO_STR;
}

void fake_end(void) {
  bus_arena_free(fake.arena);
  fake.arena = NULL;
}

struct bus_str fake_header(const char *name) {
  for (size_t i = 0; i < fake.header_count; i++)
    if (bus_str_is(fake.names[i], name))
      return fake.values[i];
  return BUS_NO_STR;
}

/* ---- clock, log, metrics ---- */
bus_time bus_wall_clock(void) {
  return fake.now;
}

int64_t bus_monotonic(void) {
  return fake.now;
}

void bus_log_write(enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  fake.logged++;
  (void)level;
  (void)msg;
  (void)fields;
}

void bus_series_add(struct bus_series *series, int64_t n) {
  (void)series;
  (void)n;
}

void bus_series_set(struct bus_series *series, int64_t value) {
  (void)series;
  (void)value;
}

void bus_breaker_metrics_init(struct bus_breaker_metrics *metrics, const char *dependency) {
  (void)metrics;
  (void)dependency;
}

void bus_breaker_metrics_add(struct bus_breaker_metrics *metrics) {
  (void)metrics;
}

void bus_breaker_metrics_move(struct bus_breaker_metrics *metrics, enum bus_breaker_state from,
                              enum bus_breaker_state to) {
  (void)metrics;
  (void)from;
  fake.breaker_changes[to]++;
}

void bus_alive_measure(struct bus_alive *alive, struct bus_alive_breaker room[BUS_ALIVE_BREAKERS_MAX]) {
  bus_set_absent(&bus_alive_figures_schema, &alive->figures);
  alive->breakers = room;
}

/* ---- a connection of its own ---- */
bool bus_amqp_open_any(const struct bus_amqp_settings *settings, struct bus_amqp **ret, struct bus_error *err) {
  (void)settings;
  *ret = NULL;
  fake.opened++;
  return !fake.script.is_down || bus_fail(err, BUS_E_AMQP_CONNECTION, "no broker");
}

void bus_amqp_free(struct bus_amqp *amqp) {
  (void)amqp;
}

bool bus_amqp_queue_depths(struct bus_amqp *amqp, const struct bus_topology *topology, const struct bus_queue *queue,
                           struct bus_queue_depths *ret, struct bus_error *err) {
  (void)amqp, (void)topology;
  *ret = (struct bus_queue_depths){.ready = fake.ready, .consumers = 1, .retrying = 2, .dead = 3};
  return !fake.missing_queue || strcmp(queue->name, fake.missing_queue) != 0 ||
         bus_fail(err, BUS_E_TOPOLOGY, "no queue %s", queue->name);
}

/* ---- requests ---- */
struct bus_pending {
  int64_t begun;
  int taken;
};

bool bus_requester_is_up(const struct bus_requester *requester) {
  (void)requester;
  return !fake.script.is_down;
}

bool bus_requester_is_blocked(const struct bus_requester *requester) {
  (void)requester;
  return fake.script.is_blocked;
}

bool bus_requester_blocked_for(struct bus_requester *requester, char reason[BUS_REQUESTER_REASON]) {
  (void)requester;
  (void)snprintf(reason, BUS_REQUESTER_REASON, "%s", fake.script.is_blocked ? "low on disk" : "");
  return fake.script.is_blocked;
}

struct bus_pending *bus_request_begin(struct bus_requester *requester, const struct bus_request *request) {
  (void)requester;
  fake.begun++;
  if (!bus_encode(request->type->schema, request->body, fake.arena, &fake.sent))
    abort();
  fake.sent_id = request->message_id ? *request->message_id : (struct bus_uuid){{0}};
  struct bus_pending *pending = fake.script.no_memory ? NULL : calloc(1, sizeof *pending);
  if (pending)
    pending->begun = fake.now;
  return pending;
}

static bool has_come(const struct bus_pending *pending, int64_t at) {
  return at != NEVER && pending->begun + at <= fake.now;
}

static enum bus_request_state state_of(const struct bus_pending *pending) {
  const struct fake_script *script = &fake.script;
  if (pending->taken < FAKE_ANSWERS && has_come(pending, script->answers[pending->taken].at))
    return BUS_REQUEST_ANSWERED;
  if (script->is_down || script->is_blocked || script->is_full)
    return BUS_REQUEST_UNAVAILABLE;
  if (has_come(pending, script->refused_at))
    return BUS_REQUEST_REFUSED;
  if (has_come(pending, script->unroutable_at))
    return BUS_REQUEST_UNROUTABLE;
  if (has_come(pending, script->lost_at))
    return BUS_REQUEST_LOST;
  return has_come(pending, script->confirm_at) ? BUS_REQUEST_CONFIRMED : BUS_REQUEST_SENT;
}

/* The clock goes on in milliseconds: every script's times are whole ones. */
enum bus_request_state bus_request_wait(struct bus_pending *pending, int64_t until, bool confirm_is_enough) {
  for (;; fake.now += BUS_MILLISECOND) {
    enum bus_request_state state = state_of(pending);
    bool open = state == BUS_REQUEST_SENT || (state == BUS_REQUEST_CONFIRMED && !confirm_is_enough);
    if (!open || fake.now >= until)
      return state;
  }
}

enum bus_request_state bus_request_wait_long(struct bus_pending *pending, int64_t until) {
  int64_t hurried_at = fake.hurried_at > fake.now ? fake.hurried_at : fake.now;
  return bus_request_wait(pending, fake.hurried_at && hurried_at < until ? hurried_at : until, false);
}

bool bus_request_answer(struct bus_pending *pending, const struct bus_message_type *const *types, size_t type_count,
                        struct bus_arena *arena, const struct bus_message_type **ret_type, const void **ret_body) {
  const struct fake_answer *answer = &fake.script.answers[pending->taken++];
  (void)arena;
  if (fake.script.by_type && answer->type != types[0]) /* answers to two kinds of requests */
    answer = &fake.script.answers[1];
  for (size_t i = 0; i < type_count; i++) {
    if (types[i] != answer->type || answer->body == NULL)
      continue;
    *ret_type = answer->type;
    *ret_body = answer->body;
    return true;
  }
  return false;
}

void bus_request_end(struct bus_pending *pending) {
  free(pending);
}

/* ---- the exchange ---- */
struct bus_arena *bus_http_arena(struct bus_http_exchange *exchange) {
  (void)exchange;
  return fake.arena;
}

bool bus_http_hold(struct bus_http_exchange *exchange) {
  (void)exchange;
  return !fake.no_place;
}

bool fake_take(const struct bus_http_route *route) {
  static struct bus_problems problems;
  const struct bus_http_given given = {
      .segments = &fake.segment, .query = bus_str(fake.query), .body = fake.body, .key = fake.idempotency_key};
  fake.route = route;
  fake.request = NULL;
  if (!route->input)
    return true;
  fake.request = bus_http_decode(route->input, &given, fake.arena, &problems);
  if (problems.count > 0)
    bus_http_problem(NULL, 400, "%s", problems.items[0].path);
  else if (fake.request == NULL)
    bus_http_problem(NULL, 404, "%s", route->input->no_such);
  return fake.request != NULL;
}

const void *bus_http_request(const struct bus_http_exchange *exchange) {
  (void)exchange;
  return fake.request;
}

const void *bus_http_caller(const struct bus_http_exchange *exchange) {
  (void)exchange;
  return fake.caller;
}

struct bus_str bus_http_body(const struct bus_http_exchange *exchange) {
  (void)exchange;
  return fake.body;
}

struct bus_str bus_http_client(const struct bus_http_exchange *exchange) {
  (void)exchange;
  return BUS_STR("the address");
}

const struct bus_http_route *bus_http_route(const struct bus_http_exchange *exchange) {
  (void)exchange;
  return fake.route;
}

struct bus_str bus_http_header(const struct bus_http_exchange *exchange, const char *name) {
  (void)exchange;
  const struct {
    const char *name;
    struct bus_str value;
  } given[] = {{"Last-Event-ID", fake.last_event},
               {"If-Match", fake.match},
               {"Stripe-Signature", fake.signature},
               {"Origin", fake.origin},
               {"Host", fake.host},
               {"Cookie", fake.cookie},
               {"Prefer", fake.prefer}};
  for (size_t i = 0; i < BUS_COUNT(given); i++)
    if (strcmp(name, given[i].name) == 0)
      return given[i].value;
  return BUS_NO_STR;
}

const struct bus_trace *bus_http_trace(const struct bus_http_exchange *exchange) {
  static const struct bus_trace none;
  (void)exchange;
  return &none;
}

bool bus_http_tag(struct bus_http_exchange *exchange, struct bus_str tag) {
  bus_http_add_header(exchange, "ETag", tag);
  return fake.none_match.data && bus_str_equal(fake.none_match, tag);
}

/* A stream's text comes after what was written before. The client stays for as many waits as the test says. */
bool bus_http_stream_start(struct bus_http_exchange *exchange, int status, const char *media_type) {
  (void)exchange, (void)media_type;
  fake.status = fake.no_place ? 503 : status;
  return !fake.no_place;
}

bool bus_http_stream_write(struct bus_http_exchange *exchange, struct bus_str text) {
  (void)exchange;
  fake.json = bus_arena_printf(fake.arena, "%.*s%.*s", (int)fake.json.len, fake.json.data ? fake.json.data : "",
                               (int)text.len, text.data);
  return fake.json.data != NULL;
}

enum bus_http_wait bus_http_wait_ready(struct bus_http_exchange *exchange, int fd, int64_t timeout_ms) {
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  (void)exchange;
  if (fake.on_wait)
    fake.on_wait();
  if (poll(&entry, 1, 0) > 0)
    return BUS_HTTP_READY;
  fake.now += timeout_ms * BUS_MILLISECOND;
  return fake.waits-- <= 0 ? BUS_HTTP_GONE : BUS_HTTP_WAITED;
}

void bus_http_note(struct bus_http_exchange *exchange, const char *name, struct bus_str value) {
  (void)exchange;
  size_t len = strlen(fake.notes);
  snprintf(fake.notes + len, sizeof fake.notes - len, "%s=%.*s ", name, (int)value.len, value.data);
}

void bus_http_add_header(struct bus_http_exchange *exchange, const char *name, struct bus_str value) {
  (void)exchange;
  if (fake.header_count == FAKE_HEADERS)
    abort();
  fake.names[fake.header_count] = bus_str(name);
  fake.values[fake.header_count++] = value;
}

void bus_http_reply_json(struct bus_http_exchange *exchange, int status, const struct bus_schema *schema,
                         const void *value) {
  (void)exchange;
  fake.status = status;
  if (!bus_encode_nulls(schema, value, fake.arena, &fake.json))
    abort();
}

void bus_http_reply(struct bus_http_exchange *exchange, int status, const char *media_type, struct bus_str body) {
  (void)exchange;
  fake.status = status;
  fake.media_type = media_type;
  fake.json = body;
}

void bus_http_problem(struct bus_http_exchange *exchange, int status, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args); /* NOLINT(clang-analyzer-valist.Uninitialized) */
  va_end(args);
  (void)exchange;
  fake.status = status;
  fake.json = bus_arena_copy(fake.arena, bus_str(text));
}

/* ---- what the table of routes names, and no test here calls ---- */
const struct bus_schema bus_http_problem_schema = {.name = "problem"}, bus_health_schema = {.name = "health"},
                        bus_status_schema = {.name = "status"};

void bus_http_reply_document(struct bus_http_exchange *exchange, const char *media_type, struct bus_str body,
                             struct bus_str tag) {
  bus_http_add_header(exchange, "ETag", tag);
  bus_http_reply(exchange, 200, media_type, body);
}

void bus_admin_live(void *admin, struct bus_http_exchange *exchange) {
  (void)admin, (void)exchange;
}

void bus_admin_ready(void *admin, struct bus_http_exchange *exchange) {
  (void)admin, (void)exchange;
}

void bus_admin_health(void *admin, struct bus_http_exchange *exchange) {
  (void)admin, (void)exchange;
}

void bus_admin_metrics(void *admin, struct bus_http_exchange *exchange) {
  (void)admin, (void)exchange;
}
