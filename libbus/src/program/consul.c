/* The thread that keeps a program registered with Consul's agent. */
#include <bus/consul.h>

#include <bus/clock.h>
#include <bus/http_client.h>
#include <bus/log.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../core/json_write.h"

enum { LOOK_MS = 200, AGAIN_MS = 30000, CONNECT_MS = 1000, TOTAL_MS = 2000, ARENA_LIMIT = 1 << 16, ID_MAX = 384 };
#define CHECK_INTERVAL "10s"
#define CHECK_TIMEOUT "3s"
#define CRITICAL_FOR "10m" /* until an agent forgets a program that has crashed for good */

enum outcome { UNKNOWN, TAKEN, REFUSED };

struct bus_consul {
  struct bus_consul_service service;
  char id[ID_MAX], register_url[BUS_CONSUL_URL_MAX + 64], deregister_url[BUS_CONSUL_URL_MAX + ID_MAX + 64], token[160];
  const char *address, *headers[3];
  struct bus_http_client *client;
  struct bus_arena *arena;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool stopping;
  /* the thread's own */
  enum outcome outcome;
  bool tried, taken;
  int status;
  char error[160];
};

/* ---- the body ---- */

struct body {
  const struct bus_consul_service *service;
  const char *address, *id;
};

static void make_id(const struct bus_consul_service *service, const char *address, char id[ID_MAX]) {
  (void)snprintf(id, ID_MAX, "%s-%s-%d", service->name, address, service->port); /* fits */
}

static void write_member(struct bus_json_writer *writer, const char *name, const char *value) {
  bus_json_string(writer, bus_str(name));
  bus_json_char(writer, ':');
  bus_json_string(writer, bus_str(value));
}

static void write_check(struct bus_json_writer *writer, const struct body *body) {
  char url[ID_MAX];
  bool bare = strchr(body->address, ':') && body->address[0] != '['; /* IPv6 */
  (void)snprintf(url, sizeof url, "%s://%s%s%s:%d/health/ready", body->service->tls ? "https" : "http", bare ? "[" : "",
                 body->address, bare ? "]" : "", body->service->health_port); /* fits */
  bus_json_raw(writer, BUS_STR(",\"Check\":{"));
  write_member(writer, "HTTP", url);
  bus_json_raw(writer, BUS_STR(",\"Interval\":\"" CHECK_INTERVAL "\",\"Timeout\":\"" CHECK_TIMEOUT
                               "\",\"DeregisterCriticalServiceAfter\":\"" CRITICAL_FOR "\"}"));
}

static void write_body(struct bus_json_writer *writer, const void *context) {
  const struct body *body = context;
  bus_json_char(writer, '{');
  write_member(writer, "ID", body->id);
  bus_json_char(writer, ',');
  write_member(writer, "Name", body->service->name);
  bus_json_char(writer, ',');
  write_member(writer, "Address", body->address);
  bus_json_raw(writer, BUS_STR(",\"Port\":"));
  bus_json_int64(writer, body->service->port);
  bus_json_raw(writer, BUS_STR(",\"Meta\":{"));
  write_member(writer, "version", body->service->version);
  bus_json_char(writer, '}');
  write_check(writer, body);
  bus_json_char(writer, '}');
}

bool bus_consul_body(const struct bus_consul_service *service, const char *address, struct bus_arena *arena,
                     struct bus_str *ret) {
  char id[ID_MAX];
  make_id(service, address, id);
  return bus_json_build(arena, write_body, &(struct body){service, address, id}, ret);
}

/* ---- calls ---- */

static void note_answer(void *context, const struct bus_http_result *result) {
  struct bus_consul *consul = context;
  consul->status = result->status;
  consul->taken = result->outcome == BUS_HTTP_ANSWERED && result->status == 200;
  (void)snprintf(consul->error, sizeof consul->error, "%s", result->error ? result->error : "");
}

static void call(struct bus_consul *consul, const char *url, struct bus_str body) {
  struct bus_error err = {.code = BUS_OK};
  const struct bus_http_call request = {.method = "PUT", .url = url, .body = body, .headers = consul->headers};
  consul->taken = false;
  consul->status = 0;
  if (bus_http_client_start(consul->client, &request, note_answer, consul, &err))
    bus_http_client_finish(consul->client);
  else
    (void)snprintf(consul->error, sizeof consul->error, "%.150s", err.text);
}

static void register_now(struct bus_consul *consul) {
  struct bus_str body;
  if (!bus_consul_body(&consul->service, consul->address, consul->arena, &body))
    return;
  call(consul, consul->register_url, body);
  bus_arena_reset(consul->arena);
  consul->tried = true;
  enum outcome outcome = consul->taken ? TAKEN : REFUSED;
  if (outcome == consul->outcome)
    return;
  consul->outcome = outcome;
  if (consul->taken)
    bus_log(BUS_INFO, "registered with Consul", BUS_F_STR("id", consul->id));
  else
    bus_log(BUS_WARN, "Consul does not register the program; it is tried again every 30 s",
            BUS_F_STR("url", consul->register_url), BUS_F_INT("status", consul->status),
            BUS_F_STR("error", consul->error));
}

/* A registration without an answer may stand, too. */
static void deregister(struct bus_consul *consul) {
  if (!consul->tried)
    return;
  call(consul, consul->deregister_url, BUS_STR("{}"));
  if (consul->taken)
    bus_log(BUS_INFO, "deregistered from Consul", BUS_F_STR("id", consul->id));
  else
    bus_log(BUS_WARN, "Consul does not deregister the program: its check will fail", BUS_F_STR("id", consul->id),
            BUS_F_INT("status", consul->status), BUS_F_STR("error", consul->error));
}

/* True: the end has come. */
static bool rest(struct bus_consul *consul, int64_t ms) {
  int64_t until = bus_monotonic() + ms * BUS_MILLISECOND;
  (void)pthread_mutex_lock(&consul->lock);
  while (!consul->stopping && bus_cond_wait(&consul->changed, &consul->lock, until))
    continue;
  bool stopping = consul->stopping;
  (void)pthread_mutex_unlock(&consul->lock);
  return stopping;
}

static void *run(void *context) {
  struct bus_consul *consul = context;
  bool ready = false, stopping = false;
  while (!stopping) {
    ready = ready || consul->service.is_ready(consul->service.context);
    if (ready)
      register_now(consul);
    stopping = rest(consul, ready ? AGAIN_MS : LOOK_MS);
  }
  deregister(consul);
  return NULL;
}

/* ---- beginning and end ---- */

static void consul_free(struct bus_consul *consul) {
  bus_http_client_free(consul->client);
  bus_arena_free(consul->arena);
  (void)pthread_cond_destroy(&consul->changed);
  (void)pthread_mutex_destroy(&consul->lock);
  explicit_bzero(consul, sizeof *consul); /* the token */
  free(consul);
}

static void set_texts(struct bus_consul *consul, const struct bus_consul_options *options) {
  size_t len = strlen(options->url);
  while (len > 0 && options->url[len - 1] == '/')
    len--;
  consul->address = options->address && *options->address ? options->address : consul->service.address;
  make_id(&consul->service, consul->address, consul->id);
  (void)snprintf(consul->register_url, sizeof consul->register_url, "%.*s/v1/agent/service/register", (int)len,
                 options->url); /* all fit: they were checked */
  (void)snprintf(consul->deregister_url, sizeof consul->deregister_url, "%.*s/v1/agent/service/deregister/%s", (int)len,
                 options->url, consul->id);
  (void)snprintf(consul->token, sizeof consul->token, "X-Consul-Token: %s", options->token ? options->token : "");
  consul->headers[0] = "Content-Type: application/json";
  consul->headers[1] = options->token && *options->token ? consul->token : NULL;
}

static bool open_all(struct bus_consul *consul, const struct bus_consul_options *options, struct bus_error *err) {
  const struct bus_http_client_settings settings = {.connect_timeout_ms = CONNECT_MS,
                                                    .read_timeout_ms = TOTAL_MS,
                                                    .total_timeout_ms = TOTAL_MS,
                                                    .max_connections = 1,
                                                    .user_agent = "libbus",
                                                    .allow_plain = strncmp(options->url, "http://", 7) == 0,
                                                    .quick_exit = true};
  consul->arena = bus_arena_new(ARENA_LIMIT);
  if (!consul->arena)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the registration with Consul");
  return bus_http_client_new(&settings, &consul->client, err) &&
         (pthread_create(&consul->thread, NULL, run, consul) == 0 ||
          bus_fail(err, BUS_E_SYSTEM, "cannot start the thread that registers with Consul"));
}

bool bus_consul_start(const struct bus_consul_options *options, const struct bus_consul_service *service,
                      struct bus_consul **ret, struct bus_error *err) {
  *ret = NULL;
  if (!bus_consul_options_check(options, service->address, err))
    return false;
  if (!bus_consul_options_is_on(options))
    return true;
  struct bus_consul *consul = calloc(1, sizeof *consul);
  if (!consul)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the registration with Consul");
  consul->service = *service;
  (void)pthread_mutex_init(&consul->lock, NULL);
  bus_cond_init(&consul->changed);
  set_texts(consul, options);
  if (!open_all(consul, options, err)) {
    consul_free(consul);
    return false;
  }
  *ret = consul;
  return true;
}

void bus_consul_stop(struct bus_consul *consul) {
  if (!consul)
    return;
  (void)pthread_mutex_lock(&consul->lock);
  consul->stopping = true;
  (void)pthread_cond_signal(&consul->changed);
  (void)pthread_mutex_unlock(&consul->lock);
  (void)pthread_join(consul->thread, NULL);
  consul_free(consul);
}
