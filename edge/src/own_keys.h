/* The public keys of user-svc, as it said them last: shown to clients, and the edge's own source with AUTH=own. */
#ifndef EDGE_OWN_KEYS_H
#define EDGE_OWN_KEYS_H

#include <bus/http_server.h>
#include <user_messages.h>

#include <pthread.h>

#include "keys.h"
#include "responses.h"

struct edge;

/* Zero but for the mutex: nothing is known yet. */
struct own_keys {
  pthread_mutex_t mutex;
  char *text; /* user.keys.v1; under the mutex, as the others; NULL: none */
  size_t len;
  int64_t said_at;
};

void own_keys_init(struct own_keys *keys);
void own_keys_close(struct own_keys *keys);

/* The source of the edge's key set; context: the edge, whose requester must be open before the first reading. */
struct edge_key_source edge_own_source(struct edge *edge);

/* Which view of the keys a route shows. */
struct edge_own_keys_kind {
  response_view *view; /* of a struct user_keys */
};
extern const struct bus_schema openid_schema;
response_view response_jwks, response_openid;
/* GET /.well-known/jwks.json and /.well-known/openid-configuration; route data: a struct edge_own_keys_kind. Asks
 * user-svc at most every few seconds; while it is away, its last answer stays. */
void edge_own_keys(void *edge, struct bus_http_exchange *exchange);

/* Whether user-svc signs as this issuer. Asks as edge_own_keys does. False: *ret_refusal is what to tell the client. */
bool edge_own_issuer_is(struct edge *edge, struct bus_http_exchange *exchange, const char *iss,
                        struct response *ret_refusal) BUS_MUST_CHECK;

#endif
