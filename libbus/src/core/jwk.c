/* The tables of a key set. Their bounds are wide: a reader skips a key that it cannot use. */
#include <bus/jwk.h>

#define TEXT(member, max, presence, description)                                                                       \
  BUS_FIELD_STRING(struct bus_jwk, member, BUS_TEXT, 0, max, presence, description)

static const struct bus_field jwk_fields[] = {
    TEXT(kty, 64, BUS_REQUIRED, "EC or RSA"),
    TEXT(kid, 1024, BUS_OPTIONAL, "names the key in a token's header"),
    TEXT(use, 64, BUS_OPTIONAL, "sig: for signatures"),
    TEXT(alg, 64, BUS_OPTIONAL, "the one algorithm of the key"),
    TEXT(crv, 64, BUS_OPTIONAL, "EC: the curve"),
    TEXT(x, 1024, BUS_OPTIONAL, "EC: the first coordinate"),
    TEXT(y, 1024, BUS_OPTIONAL, "EC: the second coordinate"),
    TEXT(n, 4096, BUS_OPTIONAL, "RSA: the modulus"),
    TEXT(e, 1024, BUS_OPTIONAL, "RSA: the exponent"),
};
const struct bus_schema bus_jwk_schema = BUS_SCHEMA("jwk", struct bus_jwk, jwk_fields);

static const struct bus_field jwks_fields[] = {
    BUS_FIELD_ARRAY(struct bus_jwks, keys, key_count, struct bus_jwk, &bus_jwk_schema, 0, BUS_JWK_KEYS_MAX,
                    BUS_REQUIRED, "public keys"),
};
const struct bus_schema bus_jwks_schema = BUS_SCHEMA("jwks", struct bus_jwks, jwks_fields);
