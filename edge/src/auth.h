/* Authentication of requests by bearer tokens. */
#ifndef EDGE_AUTH_H
#define EDGE_AUTH_H

#include <bus/http_server.h>
#include <bus/token.h>
#include <order_messages.h>

#include "keys.h"
#include "settings.h"

struct edge_auth;

/* With AUTH=off *ret stays as it is. The issuer need not be up. own: the source of the keys with AUTH=own. */
bool edge_auth_open(const struct edge_settings *settings, const struct edge_key_source *own, struct edge_auth **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
void edge_auth_close(struct edge_auth *auth); /* accepts NULL */
/* Whether tokens can be checked; with NULL, which stands for AUTH=off, none need be. */
bool edge_auth_is_ready(const struct edge_auth *auth);

/* True: the exchange's caller is a struct bus_token_claims whose role the route allows, or the route is public. Public
 * requests and those without an accepted token count for the client's address. False: it has responded. */
bool edge_auth_admit(struct edge_auth *auth, struct bus_http_exchange *exchange);

#endif
