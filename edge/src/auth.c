/* Who calls: opens the issuers, and admits a request to its route or responds 401, 403 or 503. */
#include "auth.h"

#include <bus/log.h>

#include <stdlib.h>

#include "keys.h"
#include "oidc.h"

struct edge_auth {
  struct edge_oidc *oidc;
  struct edge_keys *keys;
};

static const char *text_or_null(const char *text) {
  return text && *text ? text : NULL;
}

static bool open_issuers(struct edge_auth *auth, const struct edge_settings *settings, struct bus_error *err) {
  if (!edge_oidc_open(settings->oidc_issuer, text_or_null(settings->oidc_ca_file), &auth->oidc, err))
    return false;
  const struct edge_issuer issuers[] = {
      {.issuer = {.iss = settings->oidc_issuer,
                  .aud = settings->oidc_audience,
                  .algs = edge_algorithms(settings->oidc_algorithms),
                  .max_age = settings->oidc_max_token_age_s * BUS_SECOND},
       .source = edge_oidc_source(auth->oidc),
       .refresh = settings->oidc_refresh_s * BUS_SECOND,
       .file = text_or_null(settings->oidc_keys_file)},
  };
  return edge_keys_open(issuers, BUS_COUNT(issuers), &auth->keys, err);
}

bool edge_auth_open(const struct edge_settings *settings, struct edge_auth **ret, struct bus_error *err) {
  if (settings->auth == EDGE_AUTH_OFF)
    return true;
  struct edge_auth *auth = calloc(1, sizeof *auth);
  if (auth == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the issuers of tokens");
  if (!open_issuers(auth, settings, err)) {
    edge_auth_close(auth);
    return false;
  }
  *ret = auth;
  return true;
}

void edge_auth_close(struct edge_auth *auth) {
  if (auth == NULL)
    return;
  edge_keys_close(auth->keys);
  edge_oidc_close(auth->oidc);
  free(auth);
}

/* ---- responses ---- */

/* text: ours, without quotation marks; NULL: there was no token to say anything about (RFC 6750, 3.1). */
static bool refuse(struct bus_http_exchange *exchange, int status, const char *error, const char *text) {
  struct bus_str challenge =
      error ? bus_arena_printf(bus_http_arena(exchange), "Bearer error=\"%s\", error_description=\"%s\"", error, text)
            : BUS_STR("Bearer");
  if (challenge.data)
    bus_http_add_header(exchange, "WWW-Authenticate", challenge);
  bus_http_problem(exchange, status, "%s", text);
  return false;
}

static bool refuse_now(struct bus_http_exchange *exchange, const char *text) {
  bus_http_add_header(exchange, "Retry-After", BUS_STR("1"));
  bus_http_problem(exchange, 503, "%s", text);
  return false;
}

static bool refuse_verdict(struct bus_http_exchange *exchange, enum bus_token_verdict verdict, bool ready) {
  if (!ready)
    return refuse_now(exchange, "the key set of the token's issuer could not be read yet");
  if (verdict == BUS_TOKEN_NO_MEMORY)
    return refuse_now(exchange, bus_token_verdict_text(verdict));
  return refuse(exchange, 401, "invalid_token", bus_token_verdict_text(verdict));
}

/* ---- the guard ---- */

static bool has_role(const struct bus_token_claims *claims, enum bus_route_access access) {
  return access <= BUS_ROUTE_CUSTOMER || claims->role + BUS_ROUTE_CUSTOMER >= access;
}

bool edge_auth_admit(struct edge_auth *auth, struct bus_http_exchange *exchange) {
  struct bus_token_claims *claims = bus_arena_alloc(bus_http_arena(exchange), sizeof *claims);
  struct bus_str header = bus_http_header(exchange, "Authorization"), token;
  bool ready;
  if (claims == NULL)
    return refuse_now(exchange, "out of memory");
  if (header.data == NULL)
    return refuse(exchange, 401, NULL, "a bearer token is needed");
  if (!bus_token_bearer(header, &token))
    return refuse(exchange, 401, "invalid_token", "the header Authorization must be Bearer and one token");
  enum bus_token_verdict verdict = edge_keys_check(auth->keys, token, bus_http_arena(exchange), claims, &ready);
  if (verdict != BUS_TOKEN_OK)
    return refuse_verdict(exchange, verdict, ready);
  if (strlen(claims->sub) > ORDER_CUSTOMER_MAX)
    return refuse(exchange, 401, "invalid_token", "the token's subject is longer than 64 characters");
  if (!has_role(claims, bus_http_route(exchange)->access))
    return refuse(exchange, 403, "insufficient_scope", "the token's role does not allow this");
  bus_http_set_caller(exchange, claims);
  return true;
}
