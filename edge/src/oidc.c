/* Discovery and key set of an issuer: two GETs by libcurl, without redirects and proxies, bounded in size and time. */
#include "oidc.h"

#include <bus/http_client.h>

#include <stdlib.h>

#include "settings.h"

enum { RESPONSE_MAX = 1 << 17, CONNECT_MS = 2000, READ_MS = 3000, TOTAL_MS = 5000 };

struct edge_oidc {
  const char *issuer;
  bool is_plain; /* http on loopback */
  struct bus_http_client *client;
};

struct discovery {
  struct bus_str issuer, jwks_uri;
};
static const struct bus_field discovery_fields[] = {
    BUS_FIELD_STRING(struct discovery, issuer, BUS_VISIBLE, 1, 255, BUS_REQUIRED, "as in tokens"),
    BUS_FIELD_STRING(struct discovery, jwks_uri, BUS_VISIBLE, 1, 1024, BUS_REQUIRED, "of the key set"),
};
static const struct bus_schema discovery_schema = BUS_SCHEMA("discovery", struct discovery, discovery_fields);

/* ---- one GET ---- */

struct get {
  struct bus_arena *arena;
  struct bus_str body;
  const char *url;
  struct bus_error *err;
  bool done;
};

static void end_get(void *context, const struct bus_http_result *result) {
  struct get *get = context;
  if (result->outcome != BUS_HTTP_ANSWERED)
    (void)bus_fail(get->err, BUS_E_TIMEOUT, "GET %s: %s", get->url, result->error);
  else if (result->status != 200)
    (void)bus_fail(get->err, BUS_E_INVALID, "GET %s: status %d", get->url, result->status);
  else
    get->body = bus_arena_copy(get->arena, result->body);
  get->done = get->body.data != NULL;
}

static bool get_text(struct edge_oidc *oidc, const char *url, struct bus_arena *arena, struct bus_str *ret,
                     struct bus_error *err) {
  struct get get = {.arena = arena, .url = url, .err = err};
  const struct bus_http_call call = {
      .method = "GET", .url = url, .headers = (const char *const[]){"Accept: application/json", NULL}};
  bus_fail(err, BUS_E_NOMEM, "out of memory reading %s", url);
  if (!bus_http_client_start(oidc->client, &call, end_get, &get, err))
    return false;
  bus_http_client_finish(oidc->client);
  *ret = get.body;
  return get.done;
}

/* ---- the set ---- */

static bool discover(struct edge_oidc *oidc, struct bus_arena *arena, struct bus_str *ret_uri, struct bus_error *err) {
  struct discovery found;
  struct bus_str text, base = bus_str(oidc->issuer);
  if (base.len > 0 && base.data[base.len - 1] == '/')
    base.len--;
  struct bus_str url = bus_arena_printf(arena, "%.*s/.well-known/openid-configuration", (int)base.len, base.data);
  if (url.data == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory reading the discovery document");
  if (!get_text(oidc, url.data, arena, &text, err))
    return false;
  if (!bus_decode(&discovery_schema, text, BUS_IGNORE_UNKNOWN, arena, &found, NULL))
    return bus_fail(err, BUS_E_DECODE, "%s is no discovery document with issuer and jwks_uri", url.data);
  if (!bus_str_is(found.issuer, oidc->issuer))
    return bus_fail(err, BUS_E_INVALID, "%s is of another issuer: it must say %s", url.data, oidc->issuer);
  *ret_uri = found.jwks_uri;
  return edge_url_is_safe(found.jwks_uri, oidc->is_plain) ||
         bus_fail(err, BUS_E_INVALID, "%s has a jwks_uri that is not https", url.data);
}

static bool read_keys(void *context, struct bus_arena *arena, struct bus_str *ret_jwks, struct bus_error *err) {
  struct edge_oidc *oidc = context;
  struct bus_str uri = BUS_NO_STR;
  return discover(oidc, arena, &uri, err) && get_text(oidc, uri.data, arena, ret_jwks, err);
}

bool edge_oidc_open(const char *issuer, const char *ca_file, struct edge_oidc **ret, struct bus_error *err) {
  struct edge_oidc *oidc = calloc(1, sizeof *oidc);
  if (oidc == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the issuer of tokens");
  oidc->issuer = issuer;
  oidc->is_plain = strncmp(issuer, "http://", strlen("http://")) == 0;
  const struct bus_http_client_settings settings = {.connect_timeout_ms = CONNECT_MS,
                                                    .read_timeout_ms = READ_MS,
                                                    .total_timeout_ms = TOTAL_MS,
                                                    .max_connections = 1,
                                                    .max_response = RESPONSE_MAX,
                                                    .user_agent = "orderbus-edge",
                                                    .ca_file = ca_file,
                                                    .allow_plain = oidc->is_plain};
  if (!bus_http_client_new(&settings, &oidc->client, err)) {
    free(oidc);
    return false;
  }
  *ret = oidc;
  return true;
}

void edge_oidc_close(struct edge_oidc *oidc) {
  if (oidc)
    bus_http_client_free(oidc->client);
  free(oidc);
}

struct edge_key_source edge_oidc_source(struct edge_oidc *oidc) {
  return (struct edge_key_source){.name = "discovery", .context = oidc, .read = read_keys};
}
