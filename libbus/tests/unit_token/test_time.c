/* The cost of a check, in the release build: a remembered token takes at most 5 µs, a new one little more than the
 * arithmetic of its signature, which is measured beside it. */
#include "forge.h"

#include <bus/clock.h>

#include "test.h"

enum { PARTS = 40 };

struct bench {
  struct forge forge;
  struct bus_token_verifier *verifier;
  struct bus_str token;
  struct bus_arena *arena;
  EVP_PKEY_CTX *signing, *checking;
  uint8_t digest[32], signature[80];
  size_t signature_len;
};

static void check_in_full(struct bench *bench) {
  struct bus_token_claims claims;
  assert_int_equal(
      bus_token_check(&bench->forge.issuer, 1, bench->token, FORGE_NOW * BUS_SECOND, bench->arena, &claims),
      BUS_TOKEN_OK);
  bus_arena_reset(bench->arena);
}

static void check_remembered(struct bench *bench) {
  struct bus_token_claims claims;
  assert_int_equal(
      bus_token_verifier_check(bench->verifier, bench->token, FORGE_NOW * BUS_SECOND, bench->arena, &claims, NULL),
      BUS_TOKEN_OK);
  bus_arena_reset(bench->arena);
}

static void check_signature(struct bench *bench) {
  assert_int_equal(
      EVP_PKEY_verify(bench->checking, bench->signature, bench->signature_len, bench->digest, sizeof bench->digest), 1);
}

/* Time of one call, in µs. */
static double microseconds(void (*check)(struct bench *bench), struct bench *bench, int rounds) {
  int64_t start = bus_monotonic();
  for (int i = 0; i < rounds; i++)
    check(bench);
  return (double)(bus_monotonic() - start) / rounds;
}

static void open_bench(struct bench *bench) {
  struct bus_error err;
  struct bus_token_keys *keys;
  forge_open(&bench->forge);
  struct bus_jwk jwk = forge_jwk(&bench->forge, bench->forge.curve, "k1", NULL);
  assert_true(bus_token_verifier_new(&bench->forge.issuer, 1, 16, &bench->verifier, &err));
  assert_true(bus_token_keys_new(&(struct bus_jwks){&jwk, 1}, BUS_TOKEN_ES256, &keys, &err));
  bus_token_verifier_set_keys(bench->verifier, 0, keys);
  bench->token = forge_claims(&bench->forge, FORGE_CLAIMS ",\"role\":\"customer\",\"scope\":\"orders\"}");
  bench->arena = bus_arena_new((size_t)1 << 20);
  bench->signing = EVP_PKEY_CTX_new_from_pkey(NULL, bench->forge.curve, NULL);
  bench->checking = EVP_PKEY_CTX_new_from_pkey(NULL, bench->forge.curve, NULL);
  bench->signature_len = sizeof bench->signature;
  assert_int_equal(EVP_PKEY_sign_init(bench->signing), 1);
  assert_int_equal(
      EVP_PKEY_sign(bench->signing, bench->signature, &bench->signature_len, bench->digest, sizeof bench->digest), 1);
  assert_int_equal(EVP_PKEY_verify_init(bench->checking), 1);
}

static void close_bench(struct bench *bench) {
  EVP_PKEY_CTX_free(bench->signing);
  EVP_PKEY_CTX_free(bench->checking);
  bus_arena_free(bench->arena);
  bus_token_verifier_free(bench->verifier);
  forge_close(&bench->forge);
}

static double least(double a, double b) {
  return a < b ? a : b;
}

TEST(figure_of_a_check)
{
  static struct bench bench;
  double full = 1e9, hit = 1e9, arithmetic = 1e9;
  open_bench(&bench);
  for (int part = 0; part < PARTS; part++) { /* in turn: other work on the machine slows all of them */
    full = least(full, microseconds(check_in_full, &bench, 25));
    arithmetic = least(arithmetic, microseconds(check_signature, &bench, 25));
    hit = least(hit, microseconds(check_remembered, &bench, 500));
  }
  print_message("a token of %zu bytes: %.1f us in full, of which the signature's arithmetic %.1f; %.2f us remembered\n",
                bench.token.len, full, arithmetic, hit);
  assert_true(hit <= 5);
  assert_true(full <= 1.5 * arithmetic);
  close_bench(&bench);
}
