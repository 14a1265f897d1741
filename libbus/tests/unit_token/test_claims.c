/* The rules A6 to A8 of docs/security.md, and what a token says of its subject. */
#include "forge.h"

#include "test.h"

static struct forge forge;

#define NAMES "{\"iss\":\"" FORGE_ISS "\",\"aud\":\"" FORGE_AUD "\",\"sub\":\"c-1\""

static void check_each(const char *const *claims, size_t count, enum bus_token_verdict verdict) {
  for (size_t i = 0; i < count; i++) {
    enum bus_token_verdict found = forge_check(&forge, forge_claims(&forge, claims[i]));
    if (found != verdict)
      fail_msg("%s: %s", claims[i], bus_token_verdict_text(found));
  }
}
#define CHECK_EACH(verdict, ...)                                                                                       \
  do {                                                                                                                 \
    static const char *const texts[] = {__VA_ARGS__};                                                                  \
    check_each(texts, BUS_COUNT(texts), verdict);                                                                      \
  } while (0)

TEST(test_A6_exp_is_an_integer_that_has_not_passed)
{
  forge_open(&forge);
  CHECK_EACH(BUS_TOKEN_CLAIMS, NAMES ",\"iat\":1790000000}", NAMES ",\"iat\":1790000000,\"exp\":\"1790000600\"}",
             NAMES ",\"iat\":1790000000,\"exp\":1790000600.0}", NAMES ",\"iat\":1790000000,\"exp\":1.79e9}",
             NAMES ",\"iat\":1790000000,\"exp\":1e400}", NAMES ",\"iat\":1790000000,\"exp\":-1}",
             NAMES ",\"iat\":1790000000,\"exp\":0}", NAMES ",\"iat\":1790000000,\"exp\":null}",
             NAMES ",\"iat\":1790000000,\"exp\":true}", NAMES ",\"iat\":1790000000,\"exp\":99999999999999999999}");
  CHECK_EACH(BUS_TOKEN_EXPIRED, NAMES ",\"iat\":1789999000,\"exp\":1789999940}",
             NAMES ",\"iat\":1789999000,\"exp\":1}");
  CHECK_EACH(BUS_TOKEN_OK, NAMES ",\"iat\":1789999000,\"exp\":1789999941}");
  forge_close(&forge);
}

TEST(test_A7_a_token_has_begun_and_does_not_last_longer_than_an_hour)
{
  forge_open(&forge);
  CHECK_EACH(BUS_TOKEN_EARLY, NAMES ",\"iat\":1790000061,\"exp\":1790000600}", FORGE_CLAIMS ",\"nbf\":1790000061}");
  CHECK_EACH(BUS_TOKEN_OK, NAMES ",\"iat\":1790000060,\"exp\":1790000600}", FORGE_CLAIMS ",\"nbf\":1790000060}",
             NAMES ",\"iat\":1790000000,\"exp\":1790003600}");
  CHECK_EACH(BUS_TOKEN_AGE, NAMES ",\"iat\":1790000000,\"exp\":1790003601}",
             NAMES ",\"iat\":1790000010,\"exp\":1790000009}", NAMES ",\"iat\":1,\"exp\":1790003600}",
             NAMES ",\"iat\":1790000000,\"exp\":1000000000000}");
  CHECK_EACH(BUS_TOKEN_CLAIMS, NAMES ",\"exp\":1790000600}", NAMES ",\"iat\":\"1790000000\",\"exp\":1790000600}",
             FORGE_CLAIMS ",\"nbf\":\"x\"}", FORGE_CLAIMS ",\"nbf\":1.5}");
  forge_close(&forge);
}

#define TIMES "\"sub\":\"c-1\",\"iat\":1790000000,\"exp\":1790000600"
#define WITH_ISS(text) "{\"iss\":\"" text "\",\"aud\":\"" FORGE_AUD "\"," TIMES "}"
#define WITH_AUD(json) "{\"iss\":\"" FORGE_ISS "\",\"aud\":" json "," TIMES "}"

TEST(test_A8_issuer_and_audience_are_exact)
{
  forge_open(&forge);
  CHECK_EACH(BUS_TOKEN_ISSUER, WITH_ISS(FORGE_ISS "/"), WITH_ISS("https://issuer.exampl"), WITH_ISS("other"),
             WITH_ISS("HTTPS://issuer.example"), WITH_ISS(FORGE_ISS ".evil"));
  CHECK_EACH(BUS_TOKEN_CLAIMS, WITH_ISS(""), "{\"aud\":\"" FORGE_AUD "\"," TIMES "}",
             "{\"iss\":\"" FORGE_ISS "\"," TIMES "}", "{\"iss\":[\"" FORGE_ISS "\"],\"aud\":\"orderbus\"," TIMES "}");
  CHECK_EACH(BUS_TOKEN_AUDIENCE, WITH_AUD("\"order\""), WITH_AUD("\"orderbus2\""), WITH_AUD("\"Orderbus\""),
             WITH_AUD("[]"), WITH_AUD("[\"a\",\"b\"]"), WITH_AUD("{\"orderbus\":1}"), WITH_AUD("5"), WITH_AUD("true"),
             WITH_AUD("[\"a\\\",\\\"orderbus\"]"), WITH_AUD("[[\"orderbus\"]]"), WITH_AUD("[\"orderbus\",5]"),
             WITH_AUD("[{\"a\":\"orderbus\"}]"), WITH_AUD("\"\""));
  CHECK_EACH(BUS_TOKEN_OK, WITH_AUD("[\"orderbus\"]"), WITH_AUD("[\"a\", \"orderbus\"]"),
             WITH_AUD("[\"orderbus\",\"a\\\\\"]"), WITH_AUD("\"\\u006frderbus\""));
  forge_close(&forge);
}

TEST(the_subject_is_an_id)
{
  forge_open(&forge);
#define WITH_SUB(json)                                                                                                 \
  "{\"iss\":\"" FORGE_ISS "\",\"aud\":\"orderbus\",\"iat\":1790000000,\"exp\":1790000600,\"sub\":" json "}"
  CHECK_EACH(BUS_TOKEN_CLAIMS, WITH_SUB("\"\""), WITH_SUB("5"), WITH_SUB("null"), WITH_SUB("\"a b\""),
             WITH_SUB("\"..\""), WITH_SUB("\"a/b\""), WITH_SUB("\"a\\n\""));
  CHECK_EACH(BUS_TOKEN_OK, WITH_SUB("\"a.b_c:d-E9\""));
  char claims[512];
  snprintf(claims, sizeof claims, WITH_SUB("\"%.*d\""), 128, 0);
  assert_int_equal(forge_check(&forge, forge_claims(&forge, claims)), BUS_TOKEN_OK);
  snprintf(claims, sizeof claims, WITH_SUB("\"%.*d\""), 129, 0);
  assert_int_equal(forge_check(&forge, forge_claims(&forge, claims)), BUS_TOKEN_CLAIMS);
  forge_close(&forge);
}

TEST(role_and_scope_are_read)
{
  struct bus_token_claims claims;
  forge_open(&forge);
  struct bus_str token =
      forge_claims(&forge, FORGE_CLAIMS ",\"role\":\"operator\",\"scope\":\"orders:on-behalf orders\"}");
  assert_int_equal(bus_token_check(&forge.issuer, 1, token, FORGE_NOW * BUS_SECOND, forge.arena, &claims),
                   BUS_TOKEN_OK);
  assert_string_equal(claims.sub, "c-1");
  assert_string_equal(claims.kid, "k1");
  assert_string_equal(claims.iss, FORGE_ISS);
  assert_int_equal(claims.role, BUS_ROLE_OPERATOR);
  assert_int_equal(claims.exp, 1790000600 * BUS_SECOND);
  assert_true(bus_token_has_scope(&claims, "orders") && bus_token_has_scope(&claims, "orders:on-behalf"));
  assert_false(bus_token_has_scope(&claims, "orders:on") || bus_token_has_scope(&claims, ""));
  CHECK_EACH(BUS_TOKEN_OK, FORGE_CLAIMS ",\"scope\":\"\"}", FORGE_CLAIMS ",\"role\":\"admin\"}",
             FORGE_CLAIMS ",\"unknown\":{\"a\":[1.5]}}");
  CHECK_EACH(BUS_TOKEN_CLAIMS, FORGE_CLAIMS ",\"role\":\"root\"}", FORGE_CLAIMS ",\"role\":\"\"}",
             FORGE_CLAIMS ",\"role\":[\"admin\"]}", FORGE_CLAIMS ",\"scope\":\"a  b\"}",
             FORGE_CLAIMS ",\"scope\":\" a\"}", FORGE_CLAIMS ",\"scope\":\"a \"}", FORGE_CLAIMS ",\"scope\":[\"a\"]}");
  forge_close(&forge);
}
