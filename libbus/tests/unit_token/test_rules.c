/* The rules A1 to A5 and A9 to A14 of docs/security.md: algorithms, keys, headers and forms. */
#include "forge.h"

#include "internal.h"

#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "test.h"

static struct forge forge;

static void each(const char *const *headers, enum bus_token_verdict verdict) {
  for (; *headers; headers++) {
    if (forge_check(&forge, forge_header(&forge, *headers)) != verdict)
      fail_msg("not refused as it should be: %s", *headers);
  }
}

TEST(test_A1_the_algorithm_is_the_keys_own)
{
  forge_open_rsa(&forge);
  assert_int_equal(forge_check(&forge, forge_claims(&forge, FORGE_CLAIMS "}")), BUS_TOKEN_OK);
  static const char *const refused[] = {"{\"alg\":\"none\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"None\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"nOnE\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"HS256\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"HS384\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"es256\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"ES384\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"RS256\",\"kid\":\"k1\"}",
                                        "{\"alg\":\"ES256\",\"kid\":\"r1\"}",
                                        "{\"alg\":null,\"kid\":\"k1\"}",
                                        "{\"alg\":[\"ES256\"],\"kid\":\"k1\"}",
                                        "{\"kid\":\"k1\"}",
                                        "{\"alg\":\"PS256\",\"kid\":\"r1\"}",
                                        "{\"alg\":\"RS256\",\"kid\":\"p1\"}",
                                        NULL};
  each(refused, BUS_TOKEN_HEADER);
  forge_close(&forge);
}

TEST(test_A1_each_algorithm_holds_with_its_key_if_the_issuer_has_it)
{
  forge_open_rsa(&forge);
  struct bus_str rs =
      forge_token(&forge, "{\"alg\":\"RS256\",\"kid\":\"r1\"}", FORGE_CLAIMS "}", BUS_TOKEN_RS256, forge.rsa);
  struct bus_str ps =
      forge_token(&forge, "{\"alg\":\"PS256\",\"kid\":\"p1\"}", FORGE_CLAIMS "}", BUS_TOKEN_PS256, forge.rsa);
  assert_int_equal(forge_check(&forge, rs), BUS_TOKEN_OK);
  assert_int_equal(forge_check(&forge, ps), BUS_TOKEN_OK);
  forge.issuer.algs = BUS_TOKEN_ES256;
  assert_int_equal(forge_check(&forge, rs), BUS_TOKEN_HEADER);
  assert_int_equal(forge_check(&forge, ps), BUS_TOKEN_HEADER);
  struct bus_str wrong =
      forge_token(&forge, "{\"alg\":\"PS256\",\"kid\":\"p1\"}", FORGE_CLAIMS "}", BUS_TOKEN_RS256, forge.rsa);
  forge.issuer.algs = BUS_TOKEN_ALL_ALGS;
  assert_int_equal(forge_check(&forge, wrong), BUS_TOKEN_SIGNATURE);
  forge_close(&forge);
}

/* The classic attack: the public key, which everybody has, as the secret of an HMAC. */
TEST(test_A2_a_public_key_is_no_secret_of_an_hmac)
{
  forge_open_rsa(&forge);
  static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"r1\"}";
  struct bus_str head = forge_base64(&forge, header, strlen(header));
  struct bus_str body = forge_base64(&forge, FORGE_CLAIMS "}", strlen(FORGE_CLAIMS "}"));
  struct bus_str input = bus_arena_printf(forge.arena, "%.*s.%.*s", (int)head.len, head.data, (int)body.len, body.data);
  BIO *out = BIO_new(BIO_s_mem());
  char *pem;
  uint8_t mac[32];
  unsigned mac_len;
  assert_int_equal(PEM_write_bio_PUBKEY(out, forge.rsa), 1);
  long pem_len = BIO_get_mem_data(out, &pem);
  HMAC(EVP_sha256(), pem, (int)pem_len, (const uint8_t *)input.data, input.len, mac, &mac_len);
  struct bus_str last = forge_base64(&forge, mac, mac_len);
  struct bus_str token = bus_arena_printf(forge.arena, "%s.%.*s", input.data, (int)last.len, last.data);
  assert_int_equal(forge_check(&forge, token), BUS_TOKEN_HEADER);
  BIO_free(out);
  forge_close(&forge);
}

TEST(test_A3_without_keys_every_token_is_refused)
{
  struct bus_error err;
  struct bus_token_keys *keys = NULL;
  struct bus_token_signer *signer = NULL;
  forge_open(&forge);
  static const char *const sets[] = {
      "",
      "{}",
      "{\"keys\":[]}",
      "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"c2VjcmV0\"}]}",
      "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"}]}",
      NULL};
  for (const char *const *set = sets; *set; set++)
    assert_false(bus_token_keys_parse(bus_str(*set), BUS_TOKEN_ALL_ALGS, forge.arena, &keys, &err));
  assert_false(bus_token_signer_new(BUS_STR(""), NULL, &signer, &err));
  assert_false(bus_token_signer_new(BUS_NO_STR, NULL, &signer, &err));
  forge.issuer.keys = NULL;
  assert_int_equal(forge_check(&forge, forge_claims(&forge, FORGE_CLAIMS "}")), BUS_TOKEN_KEY);
  forge_close(&forge);
}

TEST(test_A4_a_kid_is_a_plain_name_of_a_key_in_memory)
{
  forge_open(&forge);
  static const char *const refused[] = {"{\"alg\":\"ES256\",\"kid\":\"../../dev/null\"}",
                                        "{\"alg\":\"ES256\",\"kid\":\"k1' OR '1'='1\"}",
                                        "{\"alg\":\"ES256\",\"kid\":\"k1 \"}",
                                        "{\"alg\":\"ES256\",\"kid\":\"\"}",
                                        "{\"alg\":\"ES256\",\"kid\":1}",
                                        "{\"alg\":\"ES256\"}",
                                        NULL};
  each(refused, BUS_TOKEN_HEADER);
  static const char *const unknown[] = {"{\"alg\":\"ES256\",\"kid\":\"K1\"}", "{\"alg\":\"ES256\",\"kid\":\"k\"}",
                                        "{\"alg\":\"ES256\",\"kid\":\"k11\"}", NULL};
  each(unknown, BUS_TOKEN_KEY);
  char header[256];
  snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%.*d\"}", 65, 0);
  assert_int_equal(forge_check(&forge, forge_header(&forge, header)), BUS_TOKEN_HEADER);
  forge_close(&forge);
}

/* The key in the header signs the token; ours does not. */
TEST(test_A5_a_key_that_the_token_brings_is_not_used_and_crit_is_refused)
{
  forge_open(&forge);
  static const char *const bringing[] = {
      "{\"alg\":\"ES256\",\"kid\":\"k1\",\"jku\":\"http://127.0.0.1:1/jwks\"}",
      "{\"alg\":\"ES256\",\"kid\":\"k1\",\"x5u\":\"http://127.0.0.1:1/x\"}",
      "{\"alg\":\"ES256\",\"kid\":\"k1\",\"x5c\":[\"MIIB\"]}",
      "{\"alg\":\"ES256\",\"kid\":\"k1\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}}", NULL};
  for (const char *const *header = bringing; *header; header++) {
    struct bus_str forged = forge_token(&forge, *header, FORGE_CLAIMS "}", BUS_TOKEN_ES256, forge.other);
    assert_int_equal(forge_check(&forge, forged), BUS_TOKEN_SIGNATURE);
  }
  static const char *const critical[] = {"{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[\"b64\"],\"b64\":false}",
                                         "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[]}",
                                         "{\"alg\":\"ES256\",\"kid\":\"k1\",\"\\u0063rit\":[\"exp\"]}", NULL};
  each(critical, BUS_TOKEN_HEADER);
  forge_close(&forge);
}

TEST(test_A9_other_kinds_of_tokens_are_no_access_tokens)
{
  forge_open(&forge);
  static const char *const typs[] = {"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"rt+jwt\"}",
                                     "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"logout+jwt\"}",
                                     "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"dpop+jwt\"}",
                                     "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"\"}", NULL};
  each(typs, BUS_TOKEN_KIND);
  static const char *const claims[] = {FORGE_CLAIMS ",\"typ\":\"Refresh\"}",
                                       FORGE_CLAIMS ",\"typ\":\"ID\"}",
                                       FORGE_CLAIMS ",\"nonce\":\"n\"}",
                                       FORGE_CLAIMS ",\"token_use\":\"id\"}",
                                       FORGE_CLAIMS ",\"at_hash\":\"h\"}",
                                       FORGE_CLAIMS
                                       ",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}}"};
  for (size_t i = 0; i < BUS_COUNT(claims); i++)
    assert_int_equal(forge_check(&forge, forge_claims(&forge, claims[i])), BUS_TOKEN_KIND);
  static const char *const accepted[] = {"{\"alg\":\"ES256\",\"kid\":\"k1\"}",
                                         "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}",
                                         "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"application/AT+JWT\"}", NULL};
  each(accepted, BUS_TOKEN_OK);
  forge.issuer.strict_typ = true;
  assert_int_equal(forge_check(&forge, forge_header(&forge, accepted[0])), BUS_TOKEN_KIND);
  assert_int_equal(forge_check(&forge, forge_header(&forge, accepted[1])), BUS_TOKEN_KIND);
  assert_int_equal(forge_check(&forge, forge_header(&forge, accepted[2])), BUS_TOKEN_OK);
  forge_close(&forge);
}

TEST(test_A10_three_parts_of_strict_base64url_within_4_kib)
{
  forge_open(&forge);
  struct bus_str good = forge_claims(&forge, FORGE_CLAIMS "}");
  static const char *const forms[] = {"%s=", "%s.", ".%s", " %s",  "%s\n", "%s.x", "a.b",
                                      "a",   "",    "..",  ".a.b", "%s+",  "%s/"};
  for (size_t i = 0; i < BUS_COUNT(forms); i++) {
    char text[4096];
    snprintf(text, sizeof text, strstr(forms[i], "%s") ? "%.*s%s%s" : "%.*s",
             (int)(strstr(forms[i], "%s") ? strstr(forms[i], "%s") - forms[i] : (long)strlen(forms[i])), forms[i],
             good.data, strstr(forms[i], "%s") ? strstr(forms[i], "%s") + 2 : "");
    if (forge_check(&forge, bus_str(text)) == BUS_TOKEN_OK)
      fail_msg("accepted: %s", forms[i]);
  }
  assert_int_equal(forge_check(&forge, BUS_NO_STR), BUS_TOKEN_MALFORMED);
  char claims[4096];
  snprintf(claims, sizeof claims, FORGE_CLAIMS ",\"more\":\"%.*d\"}", 2700, 0);
  struct bus_str long_one = forge_claims(&forge, claims);
  assert_true(long_one.len < BUS_TOKEN_MAX);
  assert_int_equal(forge_check(&forge, long_one), BUS_TOKEN_OK);
  snprintf(claims, sizeof claims, FORGE_CLAIMS ",\"more\":\"%.*d\"}", 3000, 0);
  assert_int_equal(forge_check(&forge, forge_claims(&forge, claims)), BUS_TOKEN_MALFORMED);
  forge_close(&forge);
}

/* The last character of a signature of 64 bytes carries four bits that mean nothing: they must be zero. */
TEST(test_A10_a_token_has_one_spelling)
{
  forge_open(&forge);
  struct bus_str good = forge_claims(&forge, FORGE_CLAIMS "}");
  struct bus_str other = bus_arena_copy(forge.arena, good);
  char *last = (char *)(uintptr_t)&other.data[other.len - 1];
  assert_non_null(strchr("AQgw", *last));
  *last = (char)(*last + 1);
  assert_int_equal(forge_check(&forge, other), BUS_TOKEN_MALFORMED);
  forge_close(&forge);
}

TEST(test_A11_repeated_members_are_refused)
{
  forge_open(&forge);
  assert_int_equal(forge_check(&forge, forge_claims(&forge, FORGE_CLAIMS ",\"sub\":\"c-2\"}")), BUS_TOKEN_CLAIMS);
  assert_int_equal(forge_check(&forge, forge_claims(&forge, FORGE_CLAIMS ",\"s\\u0075b\":\"c-2\"}")), BUS_TOKEN_CLAIMS);
  assert_int_equal(forge_check(&forge, forge_claims(&forge, FORGE_CLAIMS ",\"x\":{\"a\":1,\"a\":2}}")),
                   BUS_TOKEN_CLAIMS);
  assert_int_equal(forge_check(&forge, forge_header(&forge, "{\"alg\":\"ES256\",\"alg\":\"none\",\"kid\":\"k1\"}")),
                   BUS_TOKEN_HEADER);
  forge_close(&forge);
}

/* No MAC is ever compared; a signature holds as a whole or not at all. */
TEST(test_A12_each_bit_of_a_signature_counts)
{
  forge_open(&forge);
  struct bus_str good = forge_claims(&forge, FORGE_CLAIMS "}");
  struct token_parts parts;
  assert_int_equal(token_parts_read(good, forge.arena, &parts), BUS_TOKEN_OK);
  const struct token_key *key = token_keys_find(forge.keys, BUS_STR("k1"));
  assert_true(token_signature_holds(key, parts.input, parts.signature, parts.signature_len));
  for (size_t bit = 0; bit < parts.signature_len * 8; bit++) {
    parts.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_false(token_signature_holds(key, parts.input, parts.signature, parts.signature_len));
    parts.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  uint8_t zero[65] = {0};
  assert_false(token_signature_holds(key, parts.input, zero, 64)); /* r = s = 0, CVE-2022-21449 */
  for (size_t len = 0; len < 66; len++)
    assert_false(len != 64 && token_signature_holds(key, parts.input, zero, len));
  forge_close(&forge);
}

TEST(test_A14_one_token_behind_Bearer)
{
  struct bus_str token;
  assert_true(bus_token_bearer(BUS_STR("Bearer a.b-c_d"), &token) && bus_str_is(token, "a.b-c_d"));
  assert_true(bus_token_bearer(BUS_STR("bEARER x"), &token) && bus_str_is(token, "x"));
  static const char *const refused[] = {
      "",        "Bearer",     "Bearer ",   "Bearer  x",  "Bearer x ", "Bearer x y",
      "Bearerx", "Basic eA==", "Bearer\tx", "Bearer x,y", " Bearer x", "Bearer \"x\""};
  for (size_t i = 0; i < BUS_COUNT(refused); i++)
    assert_false(bus_token_bearer(bus_str(refused[i]), &token));
  assert_false(bus_token_bearer(BUS_NO_STR, &token));
}
