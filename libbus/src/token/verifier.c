/* Issuers, their present keys and accepted tokens, for many threads: a check reads under a shared lock, so that keys
 * are not freed below it. */
#include "internal.h"

#include <bus/hash.h>

#include <pthread.h>
#include <stdlib.h>

enum { ISSUERS_MAX = 8 };

struct bus_token_verifier {
  pthread_rwlock_t keys_lock;
  pthread_mutex_t memory_lock; /* taken inside the other, never the other way round */
  size_t issuer_count;
  struct bus_token_issuer issuers[ISSUERS_MAX];
  struct bus_token_keys *keys[ISSUERS_MAX];
  uint64_t generations[ISSUERS_MAX]; /* of the keys, from 1: remembered tokens are of one */
  struct token_memory *memory;
};

static bool check_issuers(const struct bus_token_issuer *issuers, size_t count, struct bus_error *err) {
  if (count > ISSUERS_MAX)
    return bus_fail(err, BUS_E_CONFIG, "%zu token issuers: at most %d are allowed", count, (int)ISSUERS_MAX);
  for (size_t i = 0; i < count; i++) {
    if (!token_is_plain(issuers[i].iss) || !token_is_plain(issuers[i].aud))
      return bus_fail(err, BUS_E_CONFIG,
                      "a token issuer's name and audience must be 1 to %d visible characters without "
                      "quotation marks and backslashes",
                      (int)BUS_TOKEN_ISS_MAX);
    if (issuers[i].algs == 0 || (issuers[i].algs & ~(unsigned)BUS_TOKEN_ALL_ALGS) != 0)
      return bus_fail(err, BUS_E_CONFIG, "the token issuer %s must have algorithms of ES256, RS256, PS256",
                      issuers[i].iss);
    for (size_t j = 0; j < i; j++)
      if (strcmp(issuers[i].iss, issuers[j].iss) == 0)
        return bus_fail(err, BUS_E_CONFIG, "the token issuer %s is given twice", issuers[i].iss);
  }
  return true;
}

bool bus_token_verifier_new(const struct bus_token_issuer *issuers, size_t issuer_count, size_t remembered,
                            struct bus_token_verifier **ret, struct bus_error *err) {
  if (!check_issuers(issuers, issuer_count, err))
    return false;
  struct bus_token_verifier *verifier = calloc(1, sizeof *verifier);
  struct token_memory *memory = token_memory_new(remembered);
  if (verifier == NULL || memory == NULL) {
    free(verifier);
    token_memory_free(memory);
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the token verifier");
  }
  pthread_rwlock_init(&verifier->keys_lock, NULL);
  pthread_mutex_init(&verifier->memory_lock, NULL);
  verifier->memory = memory;
  verifier->issuer_count = issuer_count;
  for (size_t i = 0; i < issuer_count; i++) {
    verifier->issuers[i] = issuers[i];
    verifier->issuers[i].keys = NULL;
    verifier->generations[i] = 1;
  }
  *ret = verifier;
  return true;
}

void bus_token_verifier_free(struct bus_token_verifier *verifier) {
  if (verifier == NULL)
    return;
  for (size_t i = 0; i < verifier->issuer_count; i++)
    bus_token_keys_free(verifier->keys[i]);
  token_memory_free(verifier->memory);
  pthread_mutex_destroy(&verifier->memory_lock);
  pthread_rwlock_destroy(&verifier->keys_lock);
  free(verifier);
}

/* The new set has each key of the old one, so that no accepted token was signed by a withdrawn key. */
static bool keeps_all(const struct bus_token_keys *old, const struct bus_token_keys *keys) {
  for (size_t i = 0; i < old->count; i++) {
    const struct token_key *same = keys ? token_keys_find(keys, bus_str(old->items[i].kid)) : NULL;
    if (!same || same->alg != old->items[i].alg || EVP_PKEY_eq(same->key, old->items[i].key) != 1)
      return false;
  }
  return true;
}

void bus_token_verifier_set_keys(struct bus_token_verifier *verifier, size_t issuer, struct bus_token_keys *keys) {
  pthread_rwlock_wrlock(&verifier->keys_lock);
  struct bus_token_keys *old = verifier->keys[issuer];
  if (old && !keeps_all(old, keys))
    verifier->generations[issuer]++;
  verifier->keys[issuer] = keys;
  verifier->issuers[issuer].keys = keys;
  pthread_rwlock_unlock(&verifier->keys_lock);
  bus_token_keys_free(old);
}

static bool find_remembered(struct bus_token_verifier *verifier, const uint8_t digest[32], bus_time now,
                            struct bus_token_claims *ret, size_t *ret_issuer) {
  pthread_mutex_lock(&verifier->memory_lock);
  bool found = token_memory_find(verifier->memory, digest, verifier->generations, now, ret, ret_issuer);
  pthread_mutex_unlock(&verifier->memory_lock);
  return found;
}

static enum bus_token_verdict check_and_remember(struct bus_token_verifier *verifier, struct bus_str token,
                                                 const uint8_t digest[32], bus_time now, struct bus_arena *arena,
                                                 struct bus_token_claims *ret, size_t *ret_issuer) {
  enum bus_token_verdict verdict =
      token_check(verifier->issuers, verifier->issuer_count, token, now, arena, ret, ret_issuer);
  if (verdict != BUS_TOKEN_OK)
    return verdict;
  pthread_mutex_lock(&verifier->memory_lock);
  token_memory_add(verifier->memory, digest, *ret_issuer, verifier->generations[*ret_issuer], ret);
  pthread_mutex_unlock(&verifier->memory_lock);
  return verdict;
}

enum bus_token_verdict bus_token_verifier_check(struct bus_token_verifier *verifier, struct bus_str token, bus_time now,
                                                struct bus_arena *arena, struct bus_token_claims *ret,
                                                size_t *ret_issuer) {
  uint8_t digest[32];
  size_t issuer = SIZE_MAX;
  enum bus_token_verdict verdict = BUS_TOKEN_MALFORMED;
  if (token.len <= BUS_TOKEN_MAX) {
    bus_sha256(token, digest);
    pthread_rwlock_rdlock(&verifier->keys_lock);
    verdict = find_remembered(verifier, digest, now, ret, &issuer)
                  ? BUS_TOKEN_OK
                  : check_and_remember(verifier, token, digest, now, arena, ret, &issuer);
    pthread_rwlock_unlock(&verifier->keys_lock);
  }
  if (ret_issuer)
    *ret_issuer = issuer;
  return verdict;
}
