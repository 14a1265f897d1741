/* Signing: a key is made, read, printed as a JWK, and its tokens hold. */
#include "forge.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "test.h"

static struct forge forge;
static struct bus_error err;

static const struct bus_token_claims mine = {.sub = "c-1",
                                             .role = BUS_ROLE_CUSTOMER,
                                             .scope = "orders",
                                             .iss = FORGE_ISS,
                                             .iat = FORGE_NOW * BUS_SECOND,
                                             .exp = (FORGE_NOW + 600) * BUS_SECOND};

static struct bus_token_signer *new_signer(const char *kid) {
  struct bus_token_signer *signer;
  struct bus_str pem;
  assert_true(bus_token_key_generate(forge.arena, &pem, &err));
  assert_non_null(strstr(pem.data, "BEGIN PRIVATE KEY"));
  assert_true(bus_token_signer_new(pem, kid, &signer, &err));
  return signer;
}

TEST(a_signed_token_holds_with_the_printed_keys)
{
  struct bus_jwk jwks[2];
  struct bus_str json, token;
  struct bus_token_claims claims;
  struct bus_token_keys *keys;
  forge_open(&forge);
  struct bus_token_signer *first = new_signer(NULL), *second = new_signer("second");
  assert_true(bus_token_signer_jwk(first, forge.arena, &jwks[0]) &&
              bus_token_signer_jwk(second, forge.arena, &jwks[1]));
  assert_true(bus_encode(&bus_jwks_schema, &(struct bus_jwks){jwks, 2}, forge.arena, &json));
  assert_null(strstr(json.data, "\"d\""));
  assert_true(bus_token_keys_parse(json, BUS_TOKEN_ES256, forge.arena, &keys, &err));
  forge.issuer.keys = keys;
  forge.issuer.strict_typ = true;
  assert_true(bus_token_sign(second, &mine, FORGE_AUD, BUS_STR("j-1"), forge.arena, &token, &err));
  assert_int_equal(bus_token_check(&forge.issuer, 1, token, mine.iat, forge.arena, &claims), BUS_TOKEN_OK);
  assert_string_equal(claims.kid, "second");
  assert_string_equal(claims.sub, "c-1");
  assert_true(bus_token_has_scope(&claims, "orders"));
  assert_true(bus_token_sign(first, &mine, FORGE_AUD, BUS_NO_STR, forge.arena, &token, &err));
  assert_int_equal(bus_token_check(&forge.issuer, 1, token, mine.iat, forge.arena, &claims), BUS_TOKEN_OK);
  assert_int_equal(strlen(claims.kid), 43); /* a thumbprint */
  bus_token_keys_free(keys);
  bus_token_signer_free(first);
  bus_token_signer_free(second);
  forge_close(&forge);
}

TEST(a_claim_that_no_reader_accepts_is_not_signed)
{
  struct bus_str token;
  forge_open(&forge);
  struct bus_token_signer *signer = new_signer("k");
  struct bus_token_claims claims = mine;
  memcpy(claims.sub, "a b", 4);
  assert_false(bus_token_sign(signer, &claims, FORGE_AUD, BUS_NO_STR, forge.arena, &token, &err));
  claims = mine;
  claims.sub[0] = '\0';
  assert_false(bus_token_sign(signer, &claims, FORGE_AUD, BUS_NO_STR, forge.arena, &token, &err));
  claims = mine;
  claims.exp = -1;
  assert_false(bus_token_sign(signer, &claims, FORGE_AUD, BUS_NO_STR, forge.arena, &token, &err));
  claims = mine;
  memcpy(claims.scope, "a  b", 5);
  assert_false(bus_token_sign(signer, &claims, FORGE_AUD, BUS_NO_STR, forge.arena, &token, &err));
  assert_false(bus_token_sign(signer, &mine, "a\"b", BUS_NO_STR, forge.arena, &token, &err));
  bus_token_signer_free(signer);
  forge_close(&forge);
}

static struct bus_str pem_of(EVP_PKEY *key, bool public_half) {
  BIO *out = BIO_new(BIO_s_mem());
  char *text;
  assert_int_equal(
      public_half ? PEM_write_bio_PUBKEY(out, key) : PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
  long len = BIO_get_mem_data(out, &text);
  struct bus_str pem = bus_arena_copy(forge.arena, (struct bus_str){text, (size_t)len});
  BIO_free(out);
  return pem;
}

TEST(only_private_keys_on_p_256_sign)
{
  struct bus_token_signer *signer = NULL;
  forge_open_rsa(&forge);
  EVP_PKEY *large = EVP_EC_gen("P-384");
  struct bus_str refused[] = {pem_of(forge.curve, true), pem_of(forge.rsa, false), pem_of(large, false), BUS_STR("x"),
                              BUS_STR("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")};
  for (size_t i = 0; i < BUS_COUNT(refused); i++)
    assert_false(bus_token_signer_new(refused[i], NULL, &signer, &err));
  assert_false(bus_token_signer_new(pem_of(forge.curve, false), "a b", &signer, &err));
  assert_true(bus_token_signer_new(pem_of(forge.curve, false), "a-b", &signer, &err));
  assert_string_equal(bus_token_signer_kid(signer), "a-b");
  bus_token_signer_free(signer);
  EVP_PKEY_free(large);
  forge_close(&forge);
}
