/* Token buckets in sets of eight, under one mutex: a take is a few comparisons. */
#include "limiter.h"

#include <bus/hash.h>

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 8, SEED = 32, KEY_MAX = 128 };

/* A bucket is kept as the time at which it is full: by then it needs no entry. */
struct bucket {
  uint64_t key[2]; /* of the seed and the customer; 0: empty */
  int64_t full_at;
};

struct limiter {
  pthread_mutex_t mutex;
  uint8_t seed[SEED];
  int64_t cost;     /* microseconds in which one request is earned */
  int64_t capacity; /* in which a whole bucket is */
  size_t sets;      /* a power of two */
  struct bucket buckets[];
};

struct limiter *limiter_new(size_t entries, int64_t rate, int64_t burst, const uint8_t seed[SEED]) {
  size_t sets = 1;
  while (sets * WAYS < entries)
    sets *= 2;
  struct limiter *limiter = calloc(1, sizeof *limiter + sets * WAYS * sizeof *limiter->buckets);
  if (limiter == NULL)
    return NULL;
  (void)pthread_mutex_init(&limiter->mutex, NULL);
  memcpy(limiter->seed, seed, SEED);
  limiter->sets = sets;
  limiter->cost = BUS_SECOND / rate;
  limiter->capacity = limiter->cost * burst;
  return limiter;
}

void limiter_free(struct limiter *limiter) {
  if (limiter)
    (void)pthread_mutex_destroy(&limiter->mutex);
  free(limiter);
}

static void key_of(const struct limiter *limiter, struct bus_str customer, uint64_t key[2]) {
  uint8_t text[SEED + KEY_MAX], digest[32];
  size_t len = customer.len < KEY_MAX ? customer.len : KEY_MAX;
  memcpy(text, limiter->seed, SEED);
  memcpy(text + SEED, customer.data, len);
  bus_sha256((struct bus_str){(const char *)text, SEED + len}, digest);
  memcpy(key, digest, 2 * sizeof *key);
  key[0] |= key[0] == 0; /* not that of an empty one */
}

/* The customer's bucket, or the one whose place it takes. */
static struct bucket *find(struct limiter *limiter, const uint64_t key[2], int64_t now) {
  struct bucket *set = &limiter->buckets[(key[1] & (limiter->sets - 1)) * WAYS], *fullest = set;
  for (size_t i = 0; i < WAYS; i++) {
    if (set[i].key[0] == key[0] && set[i].key[1] == key[1])
      return &set[i];
    if (set[i].full_at < fullest->full_at)
      fullest = &set[i];
  }
  *fullest = (struct bucket){{key[0], key[1]}, now};
  return fullest;
}

static int64_t seconds(int64_t microseconds) {
  return (microseconds + BUS_SECOND - 1) / BUS_SECOND;
}

bool limiter_take(struct limiter *limiter, struct bus_str customer, int64_t now, struct limit *ret) {
  uint64_t key[2];
  key_of(limiter, customer, key);
  (void)pthread_mutex_lock(&limiter->mutex); /* a plain mutex does not fail */
  struct bucket *bucket = find(limiter, key, now);
  int64_t missing = bucket->full_at > now ? bucket->full_at - now : 0;
  bool allowed = missing + limiter->cost <= limiter->capacity;
  if (allowed) {
    missing += limiter->cost;
    bucket->full_at = now + missing;
  }
  (void)pthread_mutex_unlock(&limiter->mutex);
  *ret = (struct limit){.remaining = (limiter->capacity - missing) / limiter->cost,
                        .reset_s = seconds(missing),
                        .retry_s = allowed ? 0 : seconds(missing + limiter->cost - limiter->capacity)};
  return allowed;
}
