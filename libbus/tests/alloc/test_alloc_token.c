/* Tokens when memory runs out: a valid token is then "out of memory", never refused as forged and never half read. */
#include "torture.h"

#include "forge.h"

#include "test.h"

static struct forge forge;

static bool check(struct bus_arena *arena, const void *context) {
  struct bus_token_claims claims;
  enum bus_token_verdict verdict =
      bus_token_check(&forge.issuer, 1, bus_str(context), FORGE_NOW * BUS_SECOND, arena, &claims);
  bus_refusals_over();
  assert_true(verdict == BUS_TOKEN_OK || verdict == BUS_TOKEN_NO_MEMORY);
  return verdict == BUS_TOKEN_OK;
}

static bool sign(struct bus_arena *arena, const void *context) {
  struct bus_str token = BUS_NO_STR;
  struct bus_jwk jwk;
  struct bus_error err;
  const struct bus_token_claims claims = {
      .sub = "c-1", .iss = FORGE_ISS, .iat = FORGE_NOW * BUS_SECOND, .exp = (FORGE_NOW + 600) * BUS_SECOND};
  bool done = bus_token_signer_jwk(context, arena, &jwk) &&
              bus_token_sign(context, &claims, FORGE_AUD, BUS_NO_STR, arena, &token, &err);
  bus_refusals_over();
  assert_true(!done || token.len > 0);
  return done;
}

static bool parse_keys(struct bus_arena *arena, const void *context) {
  struct bus_token_keys *keys = NULL;
  struct bus_token_verifier *verifier = NULL;
  struct bus_error err;
  bool done = bus_token_keys_parse(bus_str(context), BUS_TOKEN_ES256, arena, &keys, &err) &&
              bus_token_verifier_new(&forge.issuer, 1, 16, &verifier, &err);
  bus_refusals_over();
  bus_token_verifier_free(verifier);
  bus_token_keys_free(keys);
  return done;
}

TEST(tokens_without_memory)
{
  struct bus_token_signer *signer = NULL;
  struct bus_str pem, json;
  struct bus_error err;
  forge_open(&forge);
  struct bus_jwk jwk = forge_jwk(&forge, forge.curve, "k1", NULL);
  assert_true(bus_encode(&bus_jwks_schema, &(struct bus_jwks){&jwk, 1}, forge.arena, &json));
  assert_true(bus_token_key_generate(forge.arena, &pem, &err) && bus_token_signer_new(pem, NULL, &signer, &err));
  torture_ours(check, forge_claims(&forge, FORGE_CLAIMS "}").data);
  torture_ours(sign, signer);
  torture_ours(parse_keys, json.data);
  bus_token_signer_free(signer);
  forge_close(&forge);
}
