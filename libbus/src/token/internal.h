/* Shared by the files of the tokens. */
#pragma once

#include <bus/token.h>

#include <openssl/evp.h>

enum {
  ES256_SIGNATURE = 64,       /* r and s, 32 bytes each */
  TOKEN_SIGNATURE_MAX = 1024, /* RSA of 8192 bits */
};

/* ---- parts.c: what a token says, before anything of it is believed ---- */

struct token_header {
  struct bus_str alg, kid, typ, crit;
};

struct token_payload {
  struct bus_str iss, sub, aud, scope, role, typ, token_use, nonce, at_hash, events, jti;
  int64_t iat, exp, nbf; /* seconds */
};

struct token_parts {
  struct bus_str input; /* the signed text: both first parts with their dot */
  struct token_header header;
  struct token_payload payload;
  uint8_t *signature; /* in the arena */
  size_t signature_len;
};

enum bus_token_verdict token_parts_read(struct bus_str token, struct bus_arena *arena, struct token_parts *ret);
bool token_audience_has(struct bus_str aud, const char *name);
/* The header's table and that of the claims, for who signs. */
extern const struct bus_schema token_header_schema, token_payload_schema;
bool token_is_kid(struct bus_str kid);

/* ---- keys.c ---- */

struct token_key {
  char kid[BUS_TOKEN_KID_MAX + 1];
  enum bus_token_alg alg;
  EVP_PKEY *key;
  EVP_PKEY_CTX *check; /* prepared for the algorithm; each check takes a copy */
};

struct bus_token_keys {
  size_t count;
  struct token_key items[]; /* by kid */
};

const struct token_key *token_keys_find(const struct bus_token_keys *keys, struct bus_str kid);
/* The algorithm of that name; 0: none that is ever accepted. */
unsigned token_alg_of(struct bus_str name);

/* ---- curve.c ---- */

/* The point of a P-256 key, uncompressed: 4, x, y. False: it is none. */
enum { P256_POINT = 65 };
bool token_point_of(EVP_PKEY *key, uint8_t point[P256_POINT]);
EVP_PKEY *token_key_of_point(const uint8_t point[P256_POINT]);
EVP_PKEY *token_key_of_rsa(const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len);

/* ---- signature.c ---- */

/* A context that has begun a check; NULL when out of memory. */
EVP_PKEY_CTX *token_signature_prepare(EVP_PKEY *key, enum bus_token_alg alg);
bool token_signature_holds(const struct token_key *key, struct bus_str input, const uint8_t *signature, size_t len);
bool token_signature_make(EVP_PKEY *key, struct bus_str input, uint8_t signature[ES256_SIGNATURE]);

/* ---- remembered.c: accepted tokens by their SHA-256. Its user locks. ---- */

struct token_memory;
struct token_memory *token_memory_new(size_t entries);
void token_memory_free(struct token_memory *memory);
/* generation: of the issuer's keys; an entry of another one is not found. */
bool token_memory_find(struct token_memory *memory, const uint8_t digest[32], const uint64_t *generations, bus_time now,
                       struct bus_token_claims *ret, size_t *ret_issuer);
void token_memory_add(struct token_memory *memory, const uint8_t digest[32], size_t issuer, uint64_t generation,
                      const struct bus_token_claims *claims);

/* ---- check.c ---- */

/* A name of an issuer or audience: visible characters that JSON does not escape. */
bool token_is_plain(const char *text);
/* Names with one space between them. */
bool token_is_scope(struct bus_str scope);

/* As bus_token_check; also says the issuer. */
enum bus_token_verdict token_check(const struct bus_token_issuer *issuers, size_t issuer_count, struct bus_str token,
                                   bus_time now, struct bus_arena *arena, struct bus_token_claims *ret,
                                   size_t *ret_issuer);
