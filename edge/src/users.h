/* Requests of clients to user-svc: registration, login, tokens, passwords. Passwords and tokens are sealed before they
 * reach the bus, and the tokens of an answer are opened here. */
#ifndef EDGE_USERS_H
#define EDGE_USERS_H

#include "edge.h"

#include <user_messages.h>

/* The body of a request; each route's table has the members that it takes. */
struct auth_body {
  struct bus_str email, name, password, refresh_token, token, idempotency_key;
  bool cookie;                           /* the refresh token is in the session's cookie */
  char normal_email[USER_EMAIL_MAX + 1]; /* "": the route takes none */
};

/* The question that a route asks, and its success. */
struct edge_user_kind {
  struct edge_query_kind query;
  int status;         /* of success without tokens */
  int invalid_status; /* for a token that is not valid */
};

/* {"status":"accepted"}: success that says no more. */
struct auth_status {
  struct bus_str status;
};
/* The tokens as a client sees them: without the refresh token if a cookie has it. */
extern const struct bus_schema auth_status_schema, session_tokens_schema;

extern const struct bus_http_input register_input, login_input, refresh_input, logout_input, forgot_input, reset_input;

/* The header Idempotency-Key, which a request may have. */
#define USER_KEY_FIELD(S)                                                                                              \
  BUS_FIELD_STRING(S, idempotency_key, BUS_VISIBLE, 1, 255, BUS_OPTIONAL,                                              \
                   "the same for every try of one request, so that a repeat does no harm", .example = "example-1")
/* The request id of the client's key and of whom the request is about; without a key a new id. */
void edge_user_name_request(struct bus_http_exchange *exchange, struct bus_str key, struct bus_str whom,
                            struct bus_uuid *ret);
/* For USER_LOCKED, USER_BUSY and USER_NOT_FOUND, which mean the same on every route. */
struct response edge_user_refusal(const struct user_answer *said);
/* Seals to user-svc and erases the secret; an absent one stays absent. False: out of memory. */
bool edge_user_seal(const struct edge *edge, struct bus_http_exchange *exchange, struct bus_str secret,
                    struct bus_str *ret) BUS_MUST_CHECK;
/* The tokens that the answer holds, sealed to the request's key; schema: of what is sealed. */
struct response edge_user_tokens(const struct user_answer *said, const struct bus_seal_pair *pair,
                                 const struct bus_schema *schema, struct bus_arena *arena);
/* Erases the body as it came, with its secrets. */
void edge_user_erase_body(struct bus_http_exchange *exchange);

/* The handler of them all; route data: a struct edge_user_kind. */
void edge_user_request(void *edge, struct bus_http_exchange *exchange);

#endif
