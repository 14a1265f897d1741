/* Keys and tokens of tests. */
#include "forge.h"

#include "internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base64url.h"
#include "test.h"

static void open_with(struct forge *forge, EVP_PKEY *rsa) {
  struct bus_error err;
  *forge = (struct forge){
      .arena = bus_arena_new((size_t)16 << 20),
      .curve = EVP_EC_gen("P-256"),
      .other = EVP_EC_gen("P-256"),
      .rsa = rsa,
  };
  assert_true(forge->arena && forge->curve && forge->other);
  struct bus_jwk jwks[3] = {forge_jwk(forge, forge->curve, "k1", "ES256")};
  if (rsa) {
    jwks[1] = forge_jwk(forge, forge->rsa, "r1", NULL);
    jwks[2] = forge_jwk(forge, forge->rsa, "p1", "PS256");
  }
  assert_true(bus_token_keys_new(&(struct bus_jwks){jwks, rsa ? 3 : 1}, BUS_TOKEN_ALL_ALGS, &forge->keys, &err));
  forge->issuer = (struct bus_token_issuer){
      .iss = FORGE_ISS, .aud = FORGE_AUD, .algs = BUS_TOKEN_ALL_ALGS, .max_age = BUS_HOUR, .keys = forge->keys};
}

void forge_open(struct forge *forge) {
  open_with(forge, NULL);
}

void forge_open_rsa(struct forge *forge) {
  EVP_PKEY *rsa = EVP_RSA_gen(2048);
  assert_non_null(rsa);
  open_with(forge, rsa);
}

void forge_close(struct forge *forge) {
  bus_token_keys_free(forge->keys);
  EVP_PKEY_free(forge->curve);
  EVP_PKEY_free(forge->other);
  EVP_PKEY_free(forge->rsa);
  bus_arena_free(forge->arena);
}

struct bus_str forge_base64(struct forge *forge, const void *bytes, size_t len) {
  struct bus_str text = bus_base64url_print(forge->arena, bytes, len);
  assert_non_null(text.data);
  return text;
}

static struct bus_str number_of(struct forge *forge, EVP_PKEY *key, const char *name) {
  BIGNUM *number = NULL;
  uint8_t bytes[1024];
  assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
  size_t len = (size_t)BN_num_bytes(number);
  if (EVP_PKEY_is_a(key, "EC"))
    len = 32;
  assert_int_equal(BN_bn2binpad(number, bytes, (int)len), len);
  BN_free(number);
  return forge_base64(forge, bytes, len);
}

struct bus_jwk forge_jwk(struct forge *forge, EVP_PKEY *key, const char *kid, const char *alg) {
  struct bus_jwk jwk = {.kid = bus_str(kid), .alg = bus_str(alg), .use = BUS_STR("sig")};
  if (EVP_PKEY_is_a(key, "EC")) {
    jwk.kty = BUS_STR("EC");
    jwk.crv = BUS_STR("P-256");
    jwk.x = number_of(forge, key, OSSL_PKEY_PARAM_EC_PUB_X);
    jwk.y = number_of(forge, key, OSSL_PKEY_PARAM_EC_PUB_Y);
  } else {
    jwk.kty = BUS_STR("RSA");
    jwk.n = number_of(forge, key, OSSL_PKEY_PARAM_RSA_N);
    jwk.e = number_of(forge, key, OSSL_PKEY_PARAM_RSA_E);
  }
  return jwk;
}

static size_t sign_rsa(EVP_PKEY *key, bool pss, struct bus_str input, uint8_t *signature, size_t room) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  EVP_PKEY_CTX *options;
  assert_int_equal(EVP_DigestSignInit_ex(context, &options, "SHA256", NULL, NULL, key, NULL), 1);
  if (pss) {
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST), 1);
  }
  assert_int_equal(EVP_DigestSign(context, signature, &room, (const uint8_t *)input.data, input.len), 1);
  EVP_MD_CTX_free(context);
  return room;
}

struct bus_str forge_token(struct forge *forge, const char *header, const char *claims, enum bus_token_alg alg,
                           EVP_PKEY *key) {
  uint8_t signature[1024];
  size_t len = ES256_SIGNATURE;
  struct bus_str head = forge_base64(forge, header, strlen(header)), body = forge_base64(forge, claims, strlen(claims));
  struct bus_str input =
      bus_arena_printf(forge->arena, "%.*s.%.*s", (int)head.len, head.data, (int)body.len, body.data);
  assert_non_null(input.data);
  if (alg == BUS_TOKEN_ES256)
    assert_true(token_signature_make(key, input, signature));
  else
    len = sign_rsa(key, alg == BUS_TOKEN_PS256, input, signature, sizeof signature);
  struct bus_str last = forge_base64(forge, signature, len);
  return bus_arena_printf(forge->arena, "%s.%.*s", input.data, (int)last.len, last.data);
}

struct bus_str forge_claims(struct forge *forge, const char *claims) {
  return forge_token(forge, FORGE_HEADER, claims, BUS_TOKEN_ES256, forge->curve);
}

struct bus_str forge_header(struct forge *forge, const char *header) {
  return forge_token(forge, header, FORGE_CLAIMS "}", BUS_TOKEN_ES256, forge->curve);
}

enum bus_token_verdict forge_check(struct forge *forge, struct bus_str token) {
  struct bus_token_claims claims, before;
  memset(&claims, 0xA5, sizeof claims);
  before = claims;
  enum bus_token_verdict verdict =
      bus_token_check(&forge->issuer, 1, token, FORGE_NOW * BUS_SECOND, forge->arena, &claims);
  if (verdict != BUS_TOKEN_OK)
    assert_memory_equal(&claims, &before, sizeof claims);
  return verdict;
}
