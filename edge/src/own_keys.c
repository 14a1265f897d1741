/* Asks user-svc for its public keys, and keeps what it said. */
#include "own_keys.h"

#include <bus/clock.h>

#include <stdlib.h>

#include "edge.h"

#define FRESH (5 * BUS_SECOND)

static const struct user_keys_get get;

/* ---- what was said last ---- */

void own_keys_init(struct own_keys *keys) {
  *keys = (struct own_keys){.text = NULL};
  (void)pthread_mutex_init(&keys->mutex, NULL);
}

void own_keys_close(struct own_keys *keys) {
  free(keys->text);
  *keys = (struct own_keys){.text = NULL};
}

/* Out of memory nothing changes. */
static void keep(struct own_keys *keys, const struct user_keys *said, struct bus_arena *arena) {
  struct bus_str text;
  char *copy;
  if (!bus_encode(&user_keys_schema, said, arena, &text) || (copy = malloc(text.len)) == NULL)
    return;
  memcpy(copy, text.data, text.len);
  (void)pthread_mutex_lock(&keys->mutex);
  free(keys->text);
  keys->text = copy;
  keys->len = text.len;
  keys->said_at = bus_monotonic();
  (void)pthread_mutex_unlock(&keys->mutex);
}

/* False: nothing that is so young. */
static bool recall(struct own_keys *keys, int64_t max_age, struct bus_arena *arena, struct user_keys *ret) {
  struct bus_str text = BUS_NO_STR;
  (void)pthread_mutex_lock(&keys->mutex);
  if (keys->text && bus_monotonic() - keys->said_at <= max_age)
    text = bus_arena_copy(arena, (struct bus_str){keys->text, keys->len});
  (void)pthread_mutex_unlock(&keys->mutex);
  return text.data && bus_decode(&user_keys_schema, text, BUS_IGNORE_UNKNOWN, arena, ret, NULL);
}

/* ---- the source of the edge's key set ---- */

static bool ask(struct edge *edge, struct bus_arena *arena, const void **ret) {
  static const struct bus_message_type *const answer = &user_keys_type;
  const struct bus_message_type *type;
  struct bus_pending *pending =
      bus_request_begin(edge->requester, &(struct bus_request){.type = &user_keys_get_type, .body = &get});
  if (pending == NULL)
    return false;
  int64_t until = bus_monotonic() + edge->settings->query_timeout_ms * BUS_MILLISECOND;
  bool answered = bus_request_wait(pending, until, false) == BUS_REQUEST_ANSWERED &&
                  bus_request_answer(pending, &answer, 1, arena, &type, ret);
  bus_request_end(pending);
  return answered;
}

static bool read_keys(void *context, struct bus_arena *arena, struct bus_str *ret_jwks, struct bus_error *err) {
  struct edge *edge = context;
  const void *said;
  if (!ask(edge, arena, &said))
    return bus_fail(err, BUS_E_TIMEOUT, "user-svc does not say its public keys");
  const struct user_keys *keys = said;
  if (!bus_str_is(keys->issuer, edge->settings->oidc_issuer))
    return bus_fail(err, BUS_E_INVALID, "user-svc signs as another issuer: its TOKEN_ISSUER must be OIDC_ISSUER");
  keep(&edge->own_keys, keys, arena);
  return bus_encode(&bus_jwks_schema, &keys->jwks, arena, ret_jwks) ||
         bus_fail(err, BUS_E_NOMEM, "out of memory reading the public keys of user-svc");
}

struct edge_key_source edge_own_source(struct edge *edge) {
  return (struct edge_key_source){.name = "user-svc", .context = edge, .read = read_keys};
}

/* ---- what clients see ---- */

struct openid {
  struct bus_str issuer, jwks_uri, token_endpoint;
  struct bus_str subjects, algorithms, responses; /* JSON */
};
#define LIST(member, text)                                                                                             \
  {                                                                                                                    \
    .name = (text), .kind = BUS_KIND_JSON, .presence = BUS_REQUIRED, .offset = offsetof(struct openid, member),        \
    .max = 64, .description = "as OpenID Connect Discovery defines it"                                                 \
  }
static const struct bus_field openid_fields[] = {
    BUS_FIELD_STRING(struct openid, issuer, BUS_VISIBLE, 1, 255, BUS_REQUIRED, "iss of the tokens"),
    BUS_FIELD_STRING(struct openid, jwks_uri, BUS_VISIBLE, 1, 300, BUS_REQUIRED, "the public keys"),
    BUS_FIELD_STRING(struct openid, token_endpoint, BUS_VISIBLE, 1, 300, BUS_REQUIRED, "where programs get tokens"),
    LIST(subjects, "subject_types_supported"),
    LIST(algorithms, "id_token_signing_alg_values_supported"),
    LIST(responses, "response_types_supported"),
};
const struct bus_schema openid_schema = BUS_SCHEMA("openid configuration", struct openid, openid_fields);

static struct response json(bool made, struct bus_str text) {
  return made ? (struct response){.status = 200, .json = text} : response_refusal(REFUSAL_NO_MEMORY);
}

struct response response_jwks(const void *said, struct bus_arena *arena) {
  const struct user_keys *keys = said;
  struct bus_str text = BUS_NO_STR;
  bool made = bus_encode(&bus_jwks_schema, &keys->jwks, arena, &text);
  return json(made, text);
}

struct response response_openid(const void *said, struct bus_arena *arena) {
  const struct user_keys *keys = said;
  int len = (int)keys->issuer.len;
  struct bus_str text = BUS_NO_STR;
  const struct openid openid = {
      .issuer = keys->issuer,
      .jwks_uri = bus_arena_printf(arena, "%.*s/.well-known/jwks.json", len, keys->issuer.data),
      .token_endpoint = bus_arena_printf(arena, "%.*s/api/auth/token", len, keys->issuer.data),
      .subjects = BUS_STR("[\"public\"]"),
      .algorithms = BUS_STR("[\"ES256\"]"),
      .responses = BUS_STR("[\"token\"]"),
  };
  bool made = openid.jwks_uri.data && openid.token_endpoint.data && bus_encode(&openid_schema, &openid, arena, &text);
  return json(made, text);
}

static bool find(struct edge *edge, struct bus_http_exchange *exchange, struct user_keys *ret,
                 struct response *ret_refusal) {
  static const struct edge_query_kind kind = {.type = &user_keys_get_type, .answer = &user_keys_type};
  struct bus_arena *arena = bus_http_arena(exchange);
  const void *said;
  if (recall(&edge->own_keys, FRESH, arena, ret))
    return true;
  if (!edge_ask(edge, exchange, &(struct edge_query){.kind = &kind, .body = &get}, &said, ret_refusal))
    return recall(&edge->own_keys, INT64_MAX, arena, ret);
  *ret = *(const struct user_keys *)said;
  keep(&edge->own_keys, ret, arena);
  return true;
}

void edge_own_keys(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  const struct edge_own_keys_kind *shown = bus_http_route(exchange)->data;
  struct user_keys keys;
  struct response response = response_refusal(REFUSAL_UNROUTABLE);
  if (edge->has_users && find(edge, exchange, &keys, &response))
    response = shown->view(&keys, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}

bool edge_own_issuer_is(struct edge *edge, struct bus_http_exchange *exchange, const char *iss,
                        struct response *ret_refusal) {
  struct user_keys keys;
  *ret_refusal = response_refusal(REFUSAL_UNROUTABLE);
  if (!edge->has_users || !find(edge, exchange, &keys, ret_refusal))
    return false;
  *ret_refusal = (struct response){.status = 403, .detail = "users are those of user-svc, and the token is another's"};
  return bus_str_is(keys.issuer, iss);
}
