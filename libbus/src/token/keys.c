/* Key sets: each key is parsed once, which costs more than a signature check, and is for one algorithm. */
#include "internal.h"

#include <stdlib.h>

#include "base64url.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_EXPONENT_MAX = 8 };

unsigned token_alg_of(struct bus_str name) {
  return bus_str_is(name, "ES256")   ? BUS_TOKEN_ES256
         : bus_str_is(name, "RS256") ? BUS_TOKEN_RS256
         : bus_str_is(name, "PS256") ? BUS_TOKEN_PS256
                                     : 0;
}

static unsigned alg_of_key(const struct bus_jwk *jwk) {
  unsigned alg = jwk->alg.data ? token_alg_of(jwk->alg) : 0;
  bool free_choice = jwk->alg.data == NULL;
  if (bus_str_is(jwk->kty, "EC"))
    return free_choice || alg == BUS_TOKEN_ES256 ? BUS_TOKEN_ES256 : 0;
  if (bus_str_is(jwk->kty, "RSA"))
    return free_choice ? BUS_TOKEN_RS256 : alg & (BUS_TOKEN_RS256 | BUS_TOKEN_PS256);
  return 0;
}

static EVP_PKEY *read_point(const struct bus_jwk *jwk) {
  uint8_t point[P256_POINT] = {4};
  size_t x_len, y_len;
  if (!bus_str_is(jwk->crv, "P-256") || !bus_base64url_read(jwk->x, point + 1, 32, &x_len) ||
      !bus_base64url_read(jwk->y, point + 33, 32, &y_len) || x_len != 32 || y_len != 32)
    return NULL;
  return token_key_of_point(point);
}

static EVP_PKEY *read_rsa(const struct bus_jwk *jwk) {
  uint8_t n[RSA_BITS_MAX / 8 + 1], e[RSA_EXPONENT_MAX];
  size_t n_len, e_len;
  if (!bus_base64url_read(jwk->n, n, sizeof n, &n_len) || !bus_base64url_read(jwk->e, e, sizeof e, &e_len) ||
      e_len == 0 || (e[e_len - 1] & 1) == 0 || (e_len == 1 && e[0] == 1))
    return NULL;
  EVP_PKEY *key = token_key_of_rsa(n, n_len, e, e_len);
  if (key && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN && EVP_PKEY_get_bits(key) <= RSA_BITS_MAX)
    return key;
  EVP_PKEY_free(key);
  return NULL;
}

/* False: the key is skipped. */
static bool read_key(const struct bus_jwk *jwk, unsigned algs, struct token_key *ret) {
  unsigned alg = alg_of_key(jwk) & algs;
  if (alg == 0 || !token_is_kid(jwk->kid) || (jwk->use.data && !bus_str_is(jwk->use, "sig")))
    return false;
  ret->key = alg == BUS_TOKEN_ES256 ? read_point(jwk) : read_rsa(jwk);
  ret->alg = (enum bus_token_alg)alg;
  ret->check = ret->key ? token_signature_prepare(ret->key, ret->alg) : NULL;
  memcpy(ret->kid, jwk->kid.data, jwk->kid.len);
  ret->kid[jwk->kid.len] = '\0';
  if (ret->check)
    return true;
  EVP_PKEY_free(ret->key);
  return false;
}

static int compare_kid(const void *a, const void *b) {
  return strcmp(((const struct token_key *)a)->kid, ((const struct token_key *)b)->kid);
}

static bool check_set(struct bus_token_keys *keys, struct bus_error *err) {
  if (keys->count == 0)
    return bus_fail(err, BUS_E_INVALID,
                    "the key set has no usable key: allowed are EC keys on P-256 and RSA keys of "
                    "2048 to 8192 bits, with a kid of 1 to 64 of A-Z a-z 0-9 _ -");
  qsort(keys->items, keys->count, sizeof *keys->items, compare_kid);
  for (size_t i = 1; i < keys->count; i++)
    if (compare_kid(&keys->items[i - 1], &keys->items[i]) == 0)
      return bus_fail(err, BUS_E_INVALID, "the key set has two keys with the kid %s", keys->items[i].kid);
  return true;
}

bool bus_token_keys_new(const struct bus_jwks *jwks, unsigned algs, struct bus_token_keys **ret,
                        struct bus_error *err) {
  struct bus_token_keys *keys = calloc(1, sizeof *keys + jwks->key_count * sizeof *keys->items);
  if (keys == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory reading a key set");
  for (size_t i = 0; i < jwks->key_count; i++)
    keys->count += read_key(&jwks->keys[i], algs, &keys->items[keys->count]);
  if (!check_set(keys, err)) {
    bus_token_keys_free(keys);
    return false;
  }
  *ret = keys;
  return true;
}

bool bus_token_keys_parse(struct bus_str json, unsigned algs, struct bus_arena *arena, struct bus_token_keys **ret,
                          struct bus_error *err) {
  struct bus_jwks jwks;
  struct bus_problems problems;
  char text[160];
  if (bus_decode(&bus_jwks_schema, json, BUS_IGNORE_UNKNOWN, arena, &jwks, &problems))
    return bus_token_keys_new(&jwks, algs, ret, err);
  if (bus_problems_no_memory(&problems))
    return bus_fail(err, BUS_E_NOMEM, "out of memory reading a key set");
  bus_problems_text(&problems, text, sizeof text);
  return bus_fail(err, BUS_E_DECODE, "the key set is malformed: %s", text);
}

void bus_token_keys_free(struct bus_token_keys *keys) {
  for (size_t i = 0; keys && i < keys->count; i++) {
    EVP_PKEY_CTX_free(keys->items[i].check);
    EVP_PKEY_free(keys->items[i].key);
  }
  free(keys);
}

size_t bus_token_keys_count(const struct bus_token_keys *keys) {
  return keys->count;
}

/* A set has a few keys: no search is faster than a walk. */
const struct token_key *token_keys_find(const struct bus_token_keys *keys, struct bus_str kid) {
  for (size_t i = 0; i < keys->count; i++)
    if (bus_str_is(kid, keys->items[i].kid))
      return &keys->items[i];
  return NULL;
}
