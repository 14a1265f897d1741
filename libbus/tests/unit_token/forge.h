/* Tokens as an issuer, or an attacker, would make them: any header and claims, signed by a key of the test. */
#pragma once

#include <bus/token.h>

#include <openssl/evp.h>

#define FORGE_ISS "https://issuer.example"
#define FORGE_AUD "orderbus"
#define FORGE_NOW INT64_C(1790000000) /* seconds */
#define FORGE_HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}"
/* Claims without their end: add members, then "}". */
#define FORGE_CLAIMS                                                                                                   \
  "{\"iss\":\"" FORGE_ISS "\",\"aud\":\"" FORGE_AUD "\",\"sub\":\"c-1\",\"iat\":1790000000,\"exp\":1790000600"

struct forge {
  struct bus_arena *arena;
  EVP_PKEY *curve, *other, *rsa; /* kids k1, k2 (not in the set); r1 and p1, or NULL */
  struct bus_token_keys *keys;
  struct bus_token_issuer issuer;
};

void forge_open(struct forge *forge);
/* With the key of RSA, which takes a while to make. */
void forge_open_rsa(struct forge *forge);
void forge_close(struct forge *forge);

struct bus_str forge_base64(struct forge *forge, const void *bytes, size_t len);
/* A token with this header and these claims; alg decides how key signs. */
struct bus_str forge_token(struct forge *forge, const char *header, const char *claims, enum bus_token_alg alg,
                           EVP_PKEY *key);
/* The usual header and key. */
struct bus_str forge_claims(struct forge *forge, const char *claims);
struct bus_str forge_header(struct forge *forge, const char *header);
enum bus_token_verdict forge_check(struct forge *forge, struct bus_str token);
/* The public half of a key, its kid and alg (NULL: none), as a JWK. */
struct bus_jwk forge_jwk(struct forge *forge, EVP_PKEY *key, const char *kid, const char *alg);
