/* Makes a key, signs a token, and prints the verdict of a check. */
#include <bus/token.h>

#include <stdio.h>

static enum bus_token_verdict sign_and_check(struct bus_arena *arena, struct bus_error *err) {
  const struct bus_token_claims claims = {.sub = "c-1", .iss = "me", .iat = BUS_SECOND, .exp = 2 * BUS_SECOND};
  struct bus_token_signer *signer = NULL;
  struct bus_token_keys *keys = NULL;
  struct bus_token_claims read;
  struct bus_str pem, token;
  struct bus_jwk jwk;
  enum bus_token_verdict verdict = BUS_TOKEN_NO_MEMORY;
  if (bus_token_key_generate(arena, &pem, err) && bus_token_signer_new(pem, NULL, &signer, err) &&
      bus_token_signer_jwk(signer, arena, &jwk) &&
      bus_token_keys_new(&(struct bus_jwks){&jwk, 1}, BUS_TOKEN_ES256, &keys, err) &&
      bus_token_sign(signer, &claims, "you", BUS_NO_STR, arena, &token, err)) {
    const struct bus_token_issuer issuer = {
        .iss = "me", .aud = "you", .algs = BUS_TOKEN_ES256, .max_age = BUS_HOUR, .strict_typ = true, .keys = keys};
    verdict = bus_token_check(&issuer, 1, token, BUS_SECOND, arena, &read);
  }
  bus_token_keys_free(keys);
  bus_token_signer_free(signer);
  return verdict;
}

int main(void) {
  struct bus_error err = {.code = BUS_OK};
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  puts(bus_token_verdict_text(sign_and_check(arena, &err)));
  bus_arena_free(arena);
  return err.code != BUS_OK;
}
