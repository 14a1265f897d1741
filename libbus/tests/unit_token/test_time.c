/* The cost of a check, in the release build: a remembered token takes at most 5 µs, a new one the time of its
 * signature. */
#include "forge.h"

#include <bus/clock.h>

#include "test.h"

static struct forge forge;

static double microseconds(struct bus_token_verifier *verifier, struct bus_str token, int rounds) {
  struct bus_token_claims claims;
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  int64_t best = INT64_MAX;
  for (int part = 0; part < 20; part++) {
    int64_t start = bus_monotonic();
    for (int i = 0; i < rounds; i++) {
      enum bus_token_verdict verdict =
          verifier ? bus_token_verifier_check(verifier, token, FORGE_NOW * BUS_SECOND, arena, &claims, NULL)
                   : bus_token_check(&forge.issuer, 1, token, FORGE_NOW * BUS_SECOND, arena, &claims);
      assert_int_equal(verdict, BUS_TOKEN_OK);
      bus_arena_reset(arena);
    }
    int64_t took = bus_monotonic() - start;
    best = took < best ? took : best;
  }
  bus_arena_free(arena);
  return (double)best / rounds;
}

TEST(figure_of_a_check)
{
  struct bus_error err;
  struct bus_token_verifier *verifier;
  struct bus_token_keys *keys;
  forge_open(&forge);
  struct bus_jwk jwk = forge_jwk(&forge, forge.curve, "k1", NULL);
  assert_true(bus_token_verifier_new(&forge.issuer, 1, 16, &verifier, &err));
  assert_true(bus_token_keys_new(&(struct bus_jwks){&jwk, 1}, BUS_TOKEN_ES256, &keys, &err));
  bus_token_verifier_set_keys(verifier, 0, keys);
  struct bus_str token = forge_claims(&forge, FORGE_CLAIMS ",\"role\":\"customer\",\"scope\":\"orders\"}");
  double full = microseconds(NULL, token, 50), hit = microseconds(verifier, token, 500);
  print_message("a token of %zu bytes: %.1f us in full, %.2f us remembered\n", token.len, full, hit);
  assert_true(hit <= 5);
  bus_token_verifier_free(verifier);
  forge_close(&forge);
}
