/* Who calls: opens the issuers, and admits a request to its route or responds 401, 403 or 503. */
#include "auth.h"

#include <bus/clock.h>

#include <inttypes.h>
#include <stdlib.h>

#include "limiter.h"
#include "oidc.h"

enum { COUNTED = 65536 }; /* customers, and addresses, whose rates are known at a time; 1.5 MiB each */

struct rate {
  const char *name, *refusal;
  int64_t limit, burst;
  struct limiter *limiter; /* NULL: no limit */
};

struct edge_auth {
  struct rate customers, addresses;
  struct edge_oidc *oidc;
  struct edge_keys *keys;
};

static const char *text_or_null(const char *text) {
  return text && *text ? text : NULL;
}

static bool open_issuers(struct edge_auth *auth, const struct edge_settings *settings,
                         const struct edge_key_source *own, struct bus_error *err) {
  bool is_own = settings->auth == EDGE_AUTH_OWN;
  if (!is_own && !edge_oidc_open(settings->oidc_issuer, text_or_null(settings->oidc_ca_file), &auth->oidc, err))
    return false;
  const struct edge_issuer issuers[] = {
      {.issuer = {.iss = settings->oidc_issuer,
                  .aud = settings->oidc_audience,
                  .algs = is_own ? BUS_TOKEN_ES256 : edge_algorithms(settings->oidc_algorithms),
                  .max_age = settings->oidc_max_token_age_s * BUS_SECOND,
                  .strict_typ = is_own},
       .source = is_own ? *own : edge_oidc_source(auth->oidc),
       .refresh = settings->oidc_refresh_s * BUS_SECOND,
       .file = text_or_null(settings->oidc_keys_file)},
  };
  return edge_keys_open(issuers, BUS_COUNT(issuers), &auth->keys, err);
}

static bool open_rate(struct rate *rate, struct bus_error *err) {
  uint64_t random[4];
  uint8_t seed[sizeof random];
  if (rate->limit == 0)
    return true;
  bus_random_seed(random);
  memcpy(seed, random, sizeof seed);
  rate->limiter = limiter_new(COUNTED, rate->limit, rate->burst, seed);
  return rate->limiter || bus_fail(err, BUS_E_NOMEM, "out of memory for the rate of each %s", rate->name);
}

static bool open_rates(struct edge_auth *auth, const struct edge_settings *settings, struct bus_error *err) {
  auth->customers = (struct rate){
      .name = "customer",
      .refusal = "too many requests of this customer; RateLimit-Policy says how many are allowed",
      .limit = settings->rate_limit,
      .burst = settings->rate_limit_burst,
  };
  auth->addresses = (struct rate){
      .name = "address",
      .refusal = "too many requests of this address without an accepted token; RateLimit-Policy says how many are "
                 "allowed",
      .limit = settings->address_rate_limit,
      .burst = settings->address_rate_limit_burst,
  };
  return open_rate(&auth->customers, err) && open_rate(&auth->addresses, err);
}

bool edge_auth_open(const struct edge_settings *settings, const struct edge_key_source *own, struct edge_auth **ret,
                    struct bus_error *err) {
  if (settings->auth == EDGE_AUTH_OFF)
    return true;
  struct edge_auth *auth = calloc(1, sizeof *auth);
  if (auth == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the issuers of tokens");
  if (!open_rates(auth, settings, err) || !open_issuers(auth, settings, own, err)) {
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
  limiter_free(auth->customers.limiter);
  limiter_free(auth->addresses.limiter);
  free(auth);
}

bool edge_auth_is_ready(const struct edge_auth *auth) {
  return auth == NULL || edge_keys_are_read(auth->keys);
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

/* ---- rates ---- */

static void add_printed(struct bus_http_exchange *exchange, const char *name, struct bus_str value) {
  if (value.data) /* a response without the header is better than none */
    bus_http_add_header(exchange, name, value);
}

/* The header fields are those of the IETF's draft on RateLimit: the rest now, and the seconds until all is there again.
 */
static bool is_within(const struct rate *rate, struct bus_http_exchange *exchange, struct bus_str who) {
  struct bus_arena *arena = bus_http_arena(exchange);
  struct limit limit;
  if (rate->limiter == NULL)
    return true;
  bool allowed = limiter_take(rate->limiter, who, bus_monotonic(), &limit);
  int64_t window = (rate->burst + rate->limit - 1) / rate->limit;
  add_printed(exchange, "RateLimit-Policy",
              bus_arena_printf(arena, "\"%s\";q=%" PRId64 ";w=%" PRId64, rate->name, rate->burst, window));
  add_printed(exchange, "RateLimit",
              bus_arena_printf(arena, "\"%s\";r=%" PRId64 ";t=%" PRId64, rate->name, limit.remaining, limit.reset_s));
  if (allowed)
    return true;
  add_printed(exchange, "Retry-After", bus_arena_printf(arena, "%" PRId64, limit.retry_s));
  bus_http_problem(exchange, 429, "%s", rate->refusal);
  return false;
}

/* ---- the guard ---- */

static bool has_role(const struct bus_token_claims *claims, enum bus_route_access access) {
  return access <= BUS_ROUTE_CUSTOMER || claims->role + BUS_ROUTE_CUSTOMER >= access;
}

/* A request that has no accepted token counts for its address. */
static bool refuse_stranger(struct edge_auth *auth, struct bus_http_exchange *exchange, const char *error,
                            const char *text) {
  return is_within(&auth->addresses, exchange, bus_http_client(exchange)) && refuse(exchange, 401, error, text);
}

static bool check_token(struct edge_auth *auth, struct bus_http_exchange *exchange, struct bus_token_claims *claims) {
  struct bus_str header = bus_http_header(exchange, "Authorization"), token;
  bool ready;
  if (header.data == NULL)
    return refuse_stranger(auth, exchange, NULL, "a bearer token is needed");
  if (!bus_token_bearer(header, &token))
    return refuse_stranger(auth, exchange, "invalid_token", "the header Authorization must be Bearer and one token");
  enum bus_token_verdict verdict = edge_keys_check(auth->keys, token, bus_http_arena(exchange), claims, &ready);
  if (!ready && verdict != BUS_TOKEN_OK)
    return refuse_now(exchange, "the key set of the token's issuer could not be read yet");
  if (verdict == BUS_TOKEN_NO_MEMORY)
    return refuse_now(exchange, bus_token_verdict_text(verdict));
  if (verdict != BUS_TOKEN_OK)
    return refuse_stranger(auth, exchange, "invalid_token", bus_token_verdict_text(verdict));
  return strlen(claims->sub) <= ORDER_CUSTOMER_MAX ||
         refuse_stranger(auth, exchange, "invalid_token", "the token's subject is longer than 64 characters");
}

bool edge_auth_admit(struct edge_auth *auth, struct bus_http_exchange *exchange) {
  enum bus_route_access access = bus_http_route(exchange)->access;
  if (access == BUS_ROUTE_PUBLIC)
    return is_within(&auth->addresses, exchange, bus_http_client(exchange));
  struct bus_token_claims *claims = bus_arena_alloc(bus_http_arena(exchange), sizeof *claims);
  if (claims == NULL)
    return refuse_now(exchange, "out of memory");
  if (!check_token(auth, exchange, claims))
    return false;
  if (!has_role(claims, access))
    return refuse(exchange, 403, "insufficient_scope", "the token's role does not allow this");
  if (claims->role == BUS_ROLE_CUSTOMER && !is_within(&auth->customers, exchange, bus_str(claims->sub)))
    return false;
  bus_http_set_caller(exchange, claims);
  return true;
}
