/* One call after another; each blocks. */
#include "management.h"

#include <bus/http_client.h>

#include <stdio.h>
#include <stdlib.h>

enum { URL_SIZE = 2048, VHOST_MAX = 256, RESPONSE_MAX = 16 << 20, TOTAL_MS = 15000 };

struct management {
  struct bus_http_client *client;
  char base[URL_SIZE / 2], vhost[3 * VHOST_MAX + 1]; /* encoded */
};

/* ---- opening ---- */

static void encode(const char *text, char *encoded) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (; *text; text++)
    encoded += snprintf(encoded, 4, strchr(plain, *text) ? "%c" : "%%%02X", (unsigned char)*text);
  *encoded = '\0';
}

/* Without a slash at its end. */
static bool take_base(const char *url, struct management *management, struct bus_error *err) {
  struct bus_str rest = bus_str(url);
  if (!bus_str_cut_start(&rest, "https://") && !bus_str_cut_start(&rest, "http://"))
    return bus_fail(err, BUS_E_CONFIG, "RABBITMQ_MANAGEMENT_URL must be http[s]://user:password@host:port");
  size_t len = strlen(url) - (rest.len > 0 && rest.data[rest.len - 1] == '/');
  if (len >= sizeof management->base || !memchr(rest.data, '@', rest.len))
    return bus_fail(err, BUS_E_CONFIG, "RABBITMQ_MANAGEMENT_URL must name a user, and have less than %zu bytes",
                    sizeof management->base);
  (void)snprintf(management->base, sizeof management->base, "%.*s", (int)len, url);
  return true;
}

static bool set_up(const struct program *program, struct management *management, struct bus_error *err) {
  const struct bus_http_client_settings settings = {.connect_timeout_ms = 3000,
                                                    .read_timeout_ms = TOTAL_MS,
                                                    .total_timeout_ms = TOTAL_MS,
                                                    .max_connections = 1,
                                                    .max_response = RESPONSE_MAX,
                                                    .user_agent = "orderctl/" ORDERBUS_VERSION,
                                                    .ca_file = bus_tls_path(program->settings.broker.tls.ca),
                                                    .allow_plain = true,
                                                    .quick_exit = true};
  char vhost[VHOST_MAX];
  if (!bus_amqp_url_vhost(program->settings.broker.url, vhost, sizeof vhost, err) ||
      !take_base(program->management_url, management, err))
    return false;
  encode(vhost, management->vhost);
  return bus_http_client_new(&settings, &management->client, err);
}

bool management_open(const struct program *program, struct management **ret, struct bus_error *err) {
  struct management *management = calloc(1, sizeof *management);
  if (!management)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the management API");
  if (set_up(program, management, err)) {
    *ret = management;
    return true;
  }
  management_close(management);
  return false;
}

void management_close(struct management *management) {
  if (!management)
    return;
  bus_http_client_free(management->client);
  explicit_bzero(management, sizeof *management); /* the URL holds a password */
  free(management);
}

/* ---- a call ---- */

struct answer {
  struct bus_arena *arena;
  struct bus_str body; /* absent: *err says why */
  struct bus_error *err;
};

static void take(void *context, const struct bus_http_result *result) {
  struct answer *answer = context;
  if (result->outcome != BUS_HTTP_ANSWERED)
    (void)bus_fail(answer->err, BUS_E_SYSTEM, "the management API does not answer: %s", result->error);
  else if (result->status == 401 || result->status == 403)
    (void)bus_fail(answer->err, BUS_E_CONFIG,
                   "the management API answered %d: its user must have the tag management, and rights in the vhost",
                   result->status);
  else if (result->status != 200)
    (void)bus_fail(answer->err, BUS_E_SYSTEM, "the management API answered %d", result->status);
  else {
    answer->body = bus_arena_copy(answer->arena, result->body);
    if (!answer->body.data)
      (void)bus_fail(answer->err, BUS_E_NOMEM, "out of memory for the broker's lists");
  }
}

bool management_list(struct management *management, const char *what, const char *columns, struct bus_arena *arena,
                     struct bus_str *ret, struct bus_error *err) {
  char url[URL_SIZE];
  struct answer answer = {.arena = arena, .err = err};
  (void)snprintf(url, sizeof url, "%s/api/%s/%s?columns=%s", management->base, what, management->vhost, columns);
  const struct bus_http_call call = {.method = "GET", .url = url};
  bool started = bus_http_client_start(management->client, &call, take, &answer, err);
  explicit_bzero(url, sizeof url);
  if (!started)
    return false;
  bus_http_client_finish(management->client);
  *ret = answer.body;
  return answer.body.data != NULL;
}
