/* Key sets: which keys are taken, which are skipped, and which sets are refused. */
#include "forge.h"

#include "internal.h"

#include <openssl/rsa.h>

#include "test.h"

static struct forge forge;
static struct bus_error err;

static size_t count(struct bus_jwk *jwks, size_t jwk_count, unsigned algs) {
  struct bus_token_keys *keys = NULL;
  if (!bus_token_keys_new(&(struct bus_jwks){jwks, jwk_count}, algs, &keys, &err))
    return 0;
  size_t found = bus_token_keys_count(keys);
  bus_token_keys_free(keys);
  return found;
}

TEST(foreign_keys_are_skipped)
{
  forge_open_rsa(&forge);
  struct bus_jwk good = forge_jwk(&forge, forge.curve, "k1", "ES256"), other = good,
                 rsa = forge_jwk(&forge, forge.rsa, "r1", NULL);
  struct bus_jwk jwks[8] = {good, rsa, other, other, other, other, other, other};
  jwks[2].use = BUS_STR("enc");
  jwks[3].crv = BUS_STR("P-384");
  jwks[4].alg = BUS_STR("HS256");
  jwks[5].kid = BUS_STR("a/b");
  jwks[6].kid = BUS_NO_STR;
  jwks[7].y = jwks[7].x; /* no point of the curve */
  assert_int_equal(count(jwks, 8, BUS_TOKEN_ALL_ALGS), 2);
  assert_int_equal(count(jwks, 8, BUS_TOKEN_ES256), 1);
  assert_int_equal(count(jwks, 8, BUS_TOKEN_PS256), 0);
  forge_close(&forge);
}

TEST(a_short_key_of_rsa_is_no_key)
{
  forge_open_rsa(&forge);
  EVP_PKEY *small = EVP_RSA_gen(1024);
  struct bus_jwk jwk = forge_jwk(&forge, small, "r1", "RS256"), weak = forge_jwk(&forge, forge.rsa, "r2", "RS256");
  assert_int_equal(count(&jwk, 1, BUS_TOKEN_ALL_ALGS), 0);
  assert_int_equal(count(&weak, 1, BUS_TOKEN_ALL_ALGS), 1);
  static const char *const exponents[] = {"", "AQ", "Ag", "AAAAAAAAAAAB"};
  for (size_t i = 0; i < BUS_COUNT(exponents); i++) {
    weak.e = bus_str(exponents[i]);
    assert_int_equal(count(&weak, 1, BUS_TOKEN_ALL_ALGS), 0);
  }
  EVP_PKEY_free(small);
  forge_close(&forge);
}

TEST(two_keys_of_one_kid_are_refused)
{
  forge_open(&forge);
  struct bus_jwk jwks[] = {forge_jwk(&forge, forge.curve, "k1", NULL), forge_jwk(&forge, forge.other, "k1", NULL)};
  assert_int_equal(count(jwks, 2, BUS_TOKEN_ALL_ALGS), 0);
  assert_non_null(strstr(err.text, "k1"));
  forge_close(&forge);
}

/* Documents of real issuers have members, keys and numbers beyond ours. */
TEST(a_document_is_parsed)
{
  struct bus_token_keys *keys;
  static const char document[] =
      "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"o\",\"x\":\"AA\"},"
      /* RFC 7515, appendix A.3 */
      "{\"kty\":\"EC\",\"kid\":\"a3\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"x5c\":[\"MII\"],\"ext\":true,\"nbf\":1.5}],\"more\":[]}";
  static const char input[] =
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  static const uint8_t signature[64] = {14,  209, 33,  83,  121, 99,  108, 72,  60,  47,  127, 21,  88,  7,   212, 2,
                                        163, 178, 40,  3,   58,  249, 124, 126, 23,  129, 154, 195, 22,  158, 166, 101,
                                        197, 10,  7,   211, 140, 60,  112, 229, 216, 241, 45,  175, 8,   74,  84,  128,
                                        166, 101, 144, 197, 242, 147, 80,  154, 143, 63,  127, 138, 131, 163, 84,  213};
  forge_open(&forge);
  assert_true(bus_token_keys_parse(bus_str(document), BUS_TOKEN_ALL_ALGS, forge.arena, &keys, &err));
  assert_int_equal(bus_token_keys_count(keys), 1);
  assert_true(token_signature_holds(token_keys_find(keys, BUS_STR("a3")), bus_str(input), signature, 64));
  bus_token_keys_free(keys);
  static const char *const refused[] = {"[]", "{\"keys\":{}}", "{\"keys\":[5]}", "{\"keys\":[{}]}",
                                        "{\"keys\":[],\"keys\":[]}"};
  for (size_t i = 0; i < BUS_COUNT(refused); i++)
    assert_false(bus_token_keys_parse(bus_str(refused[i]), BUS_TOKEN_ALL_ALGS, forge.arena, &keys, &err));
  forge_close(&forge);
}
