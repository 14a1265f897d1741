/* A hash table whose entries also stand in a list by age; all live equally long, so the oldest expires first.
 *
 * There may be 100,000 of them, so each is small: entries name each other by index, and what would be texts are
 * fingerprints. The table grows by one bucket with each entry (linear hashing): bucket i lies in entry i, one bucket's
 * chain is parted at a time, and nothing is ever copied. */
#include "accepted.h"

#include <pthread.h>
#include <stdlib.h>

enum { SLAB_ENTRIES = 4096 };
#define NONE UINT32_MAX

struct entry {
  uint32_t bucket;         /* the first of the chain that begins here; it has to do with this place, not this order */
  uint32_t chain;          /* the next in its chain, or among the free ones */
  uint32_t older, younger; /* by age */
  uint32_t expires;        /* in seconds of bus_monotonic: enough for 136 years */
  uint32_t print[2];       /* of the request, see print_of */
  struct bus_uuid order_id;
};
_Static_assert(sizeof(struct entry) == 44, "100,000 of them are 4.2 MiB");

struct accepted {
  pthread_mutex_t mutex;
  uint32_t count, limit;
  uint32_t
      places; /* that were ever used since it was empty, each with a bucket; the rest of the last slab is untouched */
  uint32_t oldest, youngest, free;
  struct entry *slabs[]; /* room for the limit */
};

static size_t slabs_for(size_t entries) {
  return (entries + SLAB_ENTRIES - 1) / SLAB_ENTRIES;
}

static void make_empty(struct accepted *accepted) {
  for (size_t i = 0; i < slabs_for(accepted->places); i++) {
    free(accepted->slabs[i]);
    accepted->slabs[i] = NULL;
  }
  accepted->places = 0;
  accepted->oldest = accepted->youngest = accepted->free = NONE;
}

struct accepted *accepted_new(size_t limit) {
  struct accepted *accepted = calloc(1, sizeof *accepted + slabs_for(limit) * sizeof accepted->slabs[0]);
  if (accepted == NULL)
    return NULL;
  accepted->limit = (uint32_t)limit;
  make_empty(accepted);
  (void)pthread_mutex_init(&accepted->mutex, NULL); /* a default mutex: cannot fail on Linux */
  return accepted;
}

void accepted_free(struct accepted *accepted) {
  if (accepted == NULL)
    return;
  make_empty(accepted);
  (void)pthread_mutex_destroy(&accepted->mutex); /* nobody else uses it any more */
  free(accepted);
}

static struct entry *at(const struct accepted *accepted, uint32_t place) {
  return &accepted->slabs[place / SLAB_ENTRIES][place % SLAB_ENTRIES];
}

/* ---- the table ---- */

/* Order ids are hashes already. */
static uint32_t hash_of(const struct bus_uuid *order_id) {
  uint32_t hash;
  memcpy(&hash, order_id->bytes + 12, sizeof hash);
  return hash;
}

/* The largest power of two that is at most n; n is not 0. */
static uint32_t power_below(uint32_t n) {
  return UINT32_C(1) << (31 - __builtin_clz(n));
}

/* Which of so many buckets; there is one at least. */
static uint32_t bucket_of(const struct bus_uuid *order_id, uint32_t buckets) {
  uint32_t power = power_below(buckets), hash = hash_of(order_id), bucket = hash & (2 * power - 1);
  return bucket < buckets ? bucket : hash & (power - 1);
}

/* The pointer to the entry, or the end of its chain; NULL: there is no chain. */
static uint32_t *find(const struct accepted *accepted, const struct bus_uuid *order_id) {
  if (accepted->places == 0)
    return NULL;
  uint32_t *link = &at(accepted, bucket_of(order_id, accepted->places))->bucket;
  while (*link != NONE && !bus_uuid_equal(&at(accepted, *link)->order_id, order_id))
    link = &at(accepted, *link)->chain;
  return link;
}

static struct entry *find_entry(const struct accepted *accepted, const struct bus_uuid *order_id) {
  const uint32_t *link = find(accepted, order_id);
  return link == NULL || *link == NONE ? NULL : at(accepted, *link);
}

/* A bucket more, `added`: what belongs there now was in the chain of the bucket that had half as many bits. */
static void part(struct accepted *accepted, uint32_t added) {
  uint32_t *to = &at(accepted, added)->bucket;
  *to = NONE;
  if (added == 0)
    return;
  uint32_t *from = &at(accepted, added - power_below(added))->bucket;
  while (*from != NONE) {
    struct entry *entry = at(accepted, *from);
    if (bucket_of(&entry->order_id, added + 1) == added) {
      *to = *from;
      to = &entry->chain;
      *from = entry->chain;
      *to = NONE;
    } else {
      from = &entry->chain;
    }
  }
}

/* ---- places ---- */

static bool has_slab(struct accepted *accepted, uint32_t place) {
  struct entry **slab = &accepted->slabs[place / SLAB_ENTRIES];
  uint32_t begin = place - place % SLAB_ENTRIES, rest = accepted->limit - begin;
  if (*slab == NULL)
    *slab = malloc((rest < SLAB_ENTRIES ? rest : SLAB_ENTRIES) * sizeof **slab);
  return *slab != NULL;
}

/* NONE when out of memory. */
static uint32_t take_place(struct accepted *accepted) {
  uint32_t place = accepted->free;
  if (place != NONE) {
    accepted->free = at(accepted, place)->chain;
    return place;
  }
  if (!has_slab(accepted, accepted->places))
    return NONE;
  part(accepted, accepted->places);
  return accepted->places++;
}

/* ---- entries ---- */

static void remove_at(struct accepted *accepted, uint32_t *link) {
  uint32_t place = *link;
  struct entry *entry = at(accepted, place);
  *link = entry->chain;
  *(entry->older == NONE ? &accepted->oldest : &at(accepted, entry->older)->younger) = entry->younger;
  *(entry->younger == NONE ? &accepted->youngest : &at(accepted, entry->younger)->older) = entry->older;
  entry->chain = accepted->free;
  accepted->free = place;
  if (--accepted->count == 0)
    make_empty(accepted);
}

static void remove_oldest(struct accepted *accepted) {
  remove_at(accepted, find(accepted, &at(accepted, accepted->oldest)->order_id));
}

static void expire(struct accepted *accepted, int64_t now) {
  while (accepted->count > 0 && at(accepted, accepted->oldest)->expires <= now / BUS_SECOND)
    remove_oldest(accepted);
}

/* The first 64 of a SHA-256's bits, from its hexadecimal text. Two requests under one key look the same with odds of
 * 2^-64, and to make two that do takes 2^32 tries of a client who then only cheats himself: the edge accepts his second
 * body, and order-svc, which compares the whole, keeps the first. */
static void print_of(struct bus_str hash, uint32_t ret[2]) {
  uint64_t print = 0;
  for (size_t i = 0; i < 16 && i < hash.len; i++)
    print = print * 16 + ((unsigned char)hash.data[i] & 15U) + (hash.data[i] >= 'a' ? 9U : 0U);
  memcpy(ret, &print, sizeof print);
}

static void insert(struct accepted *accepted, const struct bus_uuid *order_id, struct bus_str hash, int64_t now) {
  if (accepted->limit == 0)
    return;
  if (accepted->count == accepted->limit)
    remove_oldest(accepted);
  uint32_t place = take_place(accepted);
  if (place == NONE)
    return;
  struct entry *entry = at(accepted, place);
  uint32_t *bucket = &at(accepted, bucket_of(order_id, accepted->places))->bucket;
  entry->order_id = *order_id;
  entry->expires = (uint32_t)((now + ACCEPTED_LIFETIME + BUS_SECOND - 1) / BUS_SECOND);
  print_of(hash, entry->print);
  entry->chain = *bucket;
  *bucket = place;
  entry->older = accepted->youngest;
  entry->younger = NONE;
  *(entry->older == NONE ? &accepted->oldest : &at(accepted, entry->older)->younger) = place;
  accepted->youngest = place;
  accepted->count++;
}

static enum accepted_verdict verdict_on(const struct entry *entry, struct bus_str hash) {
  uint32_t print[2];
  if (entry == NULL)
    return ACCEPTED_UNKNOWN;
  print_of(hash, print);
  return memcmp(print, entry->print, sizeof print) == 0 ? ACCEPTED_SAME : ACCEPTED_OTHER;
}

/* ---- for all threads ---- */

enum accepted_verdict accepted_check(struct accepted *accepted, const struct bus_uuid *order_id, struct bus_str hash,
                                     int64_t now) {
  pthread_mutex_lock(&accepted->mutex);
  expire(accepted, now);
  enum accepted_verdict verdict = verdict_on(find_entry(accepted, order_id), hash);
  pthread_mutex_unlock(&accepted->mutex);
  return verdict;
}

enum accepted_verdict accepted_remember(struct accepted *accepted, const struct bus_uuid *order_id, struct bus_str hash,
                                        int64_t now) {
  pthread_mutex_lock(&accepted->mutex);
  expire(accepted, now);
  enum accepted_verdict verdict = verdict_on(find_entry(accepted, order_id), hash);
  if (verdict == ACCEPTED_UNKNOWN)
    insert(accepted, order_id, hash, now);
  pthread_mutex_unlock(&accepted->mutex);
  return verdict;
}

bool accepted_knows(struct accepted *accepted, const struct bus_uuid *order_id, int64_t now) {
  pthread_mutex_lock(&accepted->mutex);
  expire(accepted, now);
  bool knows = find_entry(accepted, order_id) != NULL;
  pthread_mutex_unlock(&accepted->mutex);
  return knows;
}

void accepted_forget(struct accepted *accepted, const struct bus_uuid *order_id) {
  pthread_mutex_lock(&accepted->mutex);
  uint32_t *link = find(accepted, order_id);
  if (link && *link != NONE)
    remove_at(accepted, link);
  pthread_mutex_unlock(&accepted->mutex);
}

size_t accepted_count(struct accepted *accepted) {
  pthread_mutex_lock(&accepted->mutex);
  size_t count = accepted->count;
  pthread_mutex_unlock(&accepted->mutex);
  return count;
}
