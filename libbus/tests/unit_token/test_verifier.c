/* The verifier: several issuers, keys that change below it, remembered tokens, and many threads. */
#include "forge.h"

#include <pthread.h>
#include <stdlib.h>

#include "test.h"

static struct forge forge;
static struct bus_error err;
static const bus_time now = FORGE_NOW * BUS_SECOND;

static struct bus_token_keys *keys_of(EVP_PKEY *first, const char *kid, EVP_PKEY *second) {
  struct bus_token_keys *keys;
  struct bus_jwk jwks[] = {forge_jwk(&forge, first, kid, NULL),
                           second ? forge_jwk(&forge, second, "k2", NULL) : (struct bus_jwk){.kty = BUS_STR("oct")}};
  assert_true(bus_token_keys_new(&(struct bus_jwks){jwks, 2}, BUS_TOKEN_ALL_ALGS, &keys, &err));
  return keys;
}

static struct bus_token_verifier *new_verifier(size_t remembered) {
  struct bus_token_verifier *verifier;
  struct bus_token_issuer issuers[] = {forge.issuer, forge.issuer};
  issuers[1].iss = "second";
  issuers[1].algs = BUS_TOKEN_ES256;
  assert_true(bus_token_verifier_new(issuers, 2, remembered, &verifier, &err));
  return verifier;
}

static enum bus_token_verdict check(struct bus_token_verifier *verifier, struct bus_str token, bus_time at) {
  struct bus_token_claims claims;
  return bus_token_verifier_check(verifier, token, at, forge.arena, &claims, NULL);
}

TEST(test_A13_a_withdrawn_key_is_refused_for_remembered_tokens_too)
{
  size_t issuer = 7;
  struct bus_token_claims claims;
  forge_open(&forge);
  struct bus_token_verifier *verifier = new_verifier(16);
  struct bus_str old = forge_claims(&forge, FORGE_CLAIMS "}");
  struct bus_str young =
      forge_token(&forge, "{\"alg\":\"ES256\",\"kid\":\"k2\"}", FORGE_CLAIMS "}", BUS_TOKEN_ES256, forge.other);
  assert_int_equal(bus_token_verifier_check(verifier, old, now, forge.arena, &claims, &issuer), BUS_TOKEN_KEY);
  assert_int_equal(issuer, 0);
  bus_token_verifier_set_keys(verifier, 0, keys_of(forge.curve, "k1", NULL));
  assert_int_equal(check(verifier, old, now), BUS_TOKEN_OK);
  assert_int_equal(check(verifier, young, now), BUS_TOKEN_KEY);
  bus_token_verifier_set_keys(verifier, 0, keys_of(forge.curve, "k1", forge.other)); /* both live */
  assert_int_equal(check(verifier, old, now), BUS_TOKEN_OK);
  assert_int_equal(check(verifier, young, now), BUS_TOKEN_OK);
  bus_token_verifier_set_keys(verifier, 0, keys_of(forge.other, "k2", NULL));
  assert_int_equal(check(verifier, old, now), BUS_TOKEN_KEY);
  assert_int_equal(check(verifier, young, now), BUS_TOKEN_OK);
  bus_token_verifier_set_keys(verifier, 0, keys_of(forge.curve, "k2", NULL)); /* the kid stays, the key does not */
  assert_int_equal(check(verifier, young, now), BUS_TOKEN_SIGNATURE);
  bus_token_verifier_free(verifier);
  forge_close(&forge);
}

TEST(a_remembered_token_expires)
{
  forge_open(&forge);
  struct bus_token_verifier *verifier = new_verifier(16);
  bus_token_verifier_set_keys(verifier, 0, keys_of(forge.curve, "k1", NULL));
  struct bus_str token = forge_claims(&forge, FORGE_CLAIMS "}");
  assert_int_equal(check(verifier, token, now), BUS_TOKEN_OK);
  assert_int_equal(check(verifier, token, now + 659 * BUS_SECOND), BUS_TOKEN_OK);
  assert_int_equal(check(verifier, token, now + 660 * BUS_SECOND), BUS_TOKEN_EXPIRED);
  assert_int_equal(check(verifier, token, now - 61 * BUS_SECOND), BUS_TOKEN_EARLY);
  bus_token_verifier_free(verifier);
  forge_close(&forge);
}

TEST(a_key_of_one_issuer_does_not_sign_for_another)
{
  forge_open_rsa(&forge);
  struct bus_token_verifier *verifier = new_verifier(16);
  bus_token_verifier_set_keys(verifier, 0, keys_of(forge.curve, "k1", NULL));
  bus_token_verifier_set_keys(verifier, 1, keys_of(forge.other, "k1", NULL));
  static const char second[] =
      "{\"iss\":\"second\",\"aud\":\"orderbus\",\"sub\":\"c-1\",\"iat\":1790000000,\"exp\":1790000600}";
  assert_int_equal(check(verifier, forge_claims(&forge, second), now), BUS_TOKEN_SIGNATURE);
  assert_int_equal(check(verifier, forge_token(&forge, FORGE_HEADER, second, BUS_TOKEN_ES256, forge.other), now),
                   BUS_TOKEN_OK);
  struct bus_str rsa = forge_token(&forge, "{\"alg\":\"RS256\",\"kid\":\"k1\"}", second, BUS_TOKEN_RS256, forge.rsa);
  assert_int_equal(check(verifier, rsa, now), BUS_TOKEN_HEADER);
  bus_token_verifier_free(verifier);
  forge_close(&forge);
}

TEST(more_tokens_than_places_are_all_answered)
{
  forge_open(&forge);
  struct bus_token_verifier *verifier = new_verifier(4);
  bus_token_verifier_set_keys(verifier, 0, keys_of(forge.curve, "k1", NULL));
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 20; i++) {
      char text[256];
      struct bus_token_claims claims;
      snprintf(
          text, sizeof text,
          "{\"iss\":\"" FORGE_ISS "\",\"aud\":\"orderbus\",\"sub\":\"c-%d\",\"iat\":1790000000,\"exp\":1790000600}", i);
      struct bus_str token = forge_claims(&forge, text);
      for (int again = 0; again < 2; again++) {
        assert_int_equal(bus_token_verifier_check(verifier, token, now, forge.arena, &claims, NULL), BUS_TOKEN_OK);
        assert_int_equal(strtol(claims.sub + 2, NULL, 10), i);
      }
    }
  bus_token_verifier_free(verifier);
  forge_close(&forge);
}

TEST(issuers_are_checked_at_the_start)
{
  struct bus_token_verifier *verifier;
  static const struct bus_token_issuer bad[] = {
      {.iss = "", .aud = "a", .algs = BUS_TOKEN_ES256},    {.iss = "i", .aud = NULL, .algs = BUS_TOKEN_ES256},
      {.iss = "i", .aud = "a\"", .algs = BUS_TOKEN_ES256}, {.iss = "i", .aud = "a", .algs = 0},
      {.iss = "i i", .aud = "a", .algs = BUS_TOKEN_ES256}, {.iss = "i", .aud = "a", .algs = 8}};
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    assert_false(bus_token_verifier_new(&bad[i], 1, 16, &verifier, &err));
  const struct bus_token_issuer good = {.iss = "i", .aud = "a", .algs = BUS_TOKEN_ES256};
  assert_false(bus_token_verifier_new((struct bus_token_issuer[]){good, good}, 2, 16, &verifier, &err));
}

struct work {
  struct bus_token_verifier *verifier;
  struct bus_str token;
};

static void *ask(void *context) {
  struct work *work = context;
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  struct bus_token_claims claims;
  for (int i = 0; i < 300; i++) {
    enum bus_token_verdict verdict = bus_token_verifier_check(work->verifier, work->token, now, arena, &claims, NULL);
    if (verdict != BUS_TOKEN_OK && verdict != BUS_TOKEN_KEY)
      abort();
    bus_arena_reset(arena);
  }
  bus_arena_free(arena);
  return NULL;
}

TEST(threads_ask_while_keys_change)
{
  pthread_t threads[4];
  forge_open(&forge);
  struct work work = {new_verifier(16), forge_claims(&forge, FORGE_CLAIMS "}")};
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, ask, &work), 0);
  for (int i = 0; i < 50; i++)
    bus_token_verifier_set_keys(work.verifier, 0,
                                keys_of(i % 2 ? forge.curve : forge.other, i % 2 ? "k1" : "k2", NULL));
  for (size_t i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  bus_token_verifier_free(work.verifier);
  forge_close(&forge);
}
