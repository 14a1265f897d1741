/* POST /api/auth/token: tokens for programs, by the client credentials of RFC 6749, 4.4. */
#ifndef EDGE_CLIENT_TOKENS_H
#define EDGE_CLIENT_TOKENS_H

#include "users.h"

/* The form; without client_id and client_secret they are in the header Authorization: Basic. */
struct token_request {
  struct bus_str grant_type, client_id, client_secret;
};
/* An error as RFC 6749, 5.2 has it. */
struct oauth_error {
  struct bus_str error, error_description;
};

extern const struct bus_http_input token_input;
extern const struct bus_schema oauth_error_schema;

/* The name and secret of a header "Basic …" (RFC 6749, 2.3.1), in the arena. False: it is malformed, or out of
 * memory. */
bool edge_basic_parse(struct bus_str header, struct bus_arena *arena, struct bus_str *ret_name,
                      struct bus_str *ret_secret) BUS_MUST_CHECK;

void edge_client_token(void *edge, struct bus_http_exchange *exchange);

#endif
