/* The key set of an OpenID Connect issuer, by its discovery document. */
#ifndef EDGE_OIDC_H
#define EDGE_OIDC_H

#include "keys.h"

struct edge_oidc;

/* issuer: a URL that edge_url_is_safe takes; it lives as long as the source. ca_file: NULL for the system's. */
bool edge_oidc_open(const char *issuer, const char *ca_file, struct edge_oidc **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
void edge_oidc_close(struct edge_oidc *oidc); /* accepts NULL */
struct edge_key_source edge_oidc_source(struct edge_oidc *oidc);

#endif
