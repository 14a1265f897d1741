/* A set of public keys as JSON (RFC 7517), for messages and answers that carry one. It holds public keys alone. Pure.
 */
#pragma once

#include <bus/field.h>

BUS_C_BEGIN

enum { BUS_JWK_KEYS_MAX = 64 };

/* Members as in RFC 7517 and 7518, numbers as base64url text. EC keys have crv, x and y; RSA keys have n and e. */
struct bus_jwk {
  struct bus_str kty, kid, use, alg, crv, x, y, n, e;
};

struct bus_jwks {
  struct bus_jwk *keys;
  size_t key_count;
};

extern const struct bus_schema bus_jwk_schema;
extern const struct bus_schema bus_jwks_schema;

BUS_C_END
