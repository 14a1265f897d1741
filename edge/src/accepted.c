/* A chained hash table whose entries also stand in a list by age; all live equally long, so the oldest expires first.
 */
#include "accepted.h"

#include <pthread.h>
#include <stdlib.h>

struct entry {
  struct entry *chain;           /* in its bucket, or among the free ones */
  struct entry *older, *younger; /* by age */
  struct bus_uuid order_id;
  int64_t expires;
  char hash[ACCEPTED_HASH];
  size_t owner_len;
  char owner[ACCEPTED_OWNER_MAX];
};

enum { BUCKETS_FIRST = 64, SLAB_ENTRIES = 320 };

struct slab {
  struct slab *next;
  struct entry entries[SLAB_ENTRIES];
};

struct accepted {
  pthread_mutex_t mutex;
  struct entry **buckets;
  size_t bucket_count; /* a power of two */
  size_t count, limit;
  struct entry *oldest, *youngest, *free;
  struct slab *slabs;
};

struct accepted *accepted_new(size_t limit) {
  struct accepted *accepted = calloc(1, sizeof *accepted);
  struct entry **buckets = calloc(BUCKETS_FIRST, sizeof *buckets);
  if (accepted == NULL || buckets == NULL) {
    free(accepted);
    free(buckets);
    return NULL;
  }
  *accepted = (struct accepted){.buckets = buckets, .bucket_count = BUCKETS_FIRST, .limit = limit};
  (void)pthread_mutex_init(&accepted->mutex, NULL); /* a default mutex: cannot fail on Linux */
  return accepted;
}

static void free_slabs(struct accepted *accepted) {
  for (struct slab *slab = accepted->slabs, *next; slab; slab = next) {
    next = slab->next;
    free(slab);
  }
  accepted->slabs = NULL;
  accepted->free = NULL;
}

static void keep_free(struct accepted *accepted, struct entry *entry) {
  entry->chain = accepted->free;
  accepted->free = entry;
}

/* NULL when out of memory. */
static struct entry *take_free(struct accepted *accepted) {
  if (accepted->free == NULL) {
    struct slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL)
      return NULL;
    slab->next = accepted->slabs;
    accepted->slabs = slab;
    for (size_t i = 0; i < SLAB_ENTRIES; i++)
      keep_free(accepted, &slab->entries[i]);
  }
  struct entry *entry = accepted->free;
  accepted->free = entry->chain;
  return entry;
}

void accepted_free(struct accepted *accepted) {
  if (accepted == NULL)
    return;
  free_slabs(accepted);
  (void)pthread_mutex_destroy(&accepted->mutex); /* nobody else uses it any more */
  free(accepted->buckets);
  free(accepted);
}

/* Order ids are hashes already. */
static struct entry **bucket_of(const struct accepted *accepted, const struct bus_uuid *order_id) {
  uint64_t hash;
  memcpy(&hash, order_id->bytes + 8, sizeof hash);
  return &accepted->buckets[(size_t)(hash >> 8) & (accepted->bucket_count - 1)];
}

/* The place that points to it, or to the end of its chain. */
static struct entry **find(const struct accepted *accepted, const struct bus_uuid *order_id) {
  struct entry **place = bucket_of(accepted, order_id);
  while (*place && !bus_uuid_equal(&(*place)->order_id, order_id))
    place = &(*place)->chain;
  return place;
}

static void remove_at(struct accepted *accepted, struct entry **place) {
  struct entry *entry = *place;
  *place = entry->chain;
  *(entry->older ? &entry->older->younger : &accepted->oldest) = entry->younger;
  *(entry->younger ? &entry->younger->older : &accepted->youngest) = entry->older;
  keep_free(accepted, entry);
  if (--accepted->count == 0)
    free_slabs(accepted);
}

static void expire(struct accepted *accepted, int64_t now) {
  while (accepted->oldest && accepted->oldest->expires <= now)
    remove_at(accepted, find(accepted, &accepted->oldest->order_id));
}

/* Twice as many buckets; without memory the chains just grow longer. */
static void grow(struct accepted *accepted) {
  struct entry **buckets = calloc(accepted->bucket_count, 2 * sizeof *buckets);
  if (buckets == NULL)
    return;
  free(accepted->buckets);
  accepted->buckets = buckets;
  accepted->bucket_count *= 2;
  for (struct entry *entry = accepted->oldest; entry; entry = entry->younger) {
    struct entry **place = bucket_of(accepted, &entry->order_id);
    entry->chain = *place;
    *place = entry;
  }
}

static void fill(struct entry *entry, const struct bus_uuid *order_id, struct bus_str owner, struct bus_str hash,
                 int64_t now) {
  *entry = (struct entry){.order_id = *order_id,
                          .expires = now + ACCEPTED_LIFETIME,
                          .owner_len = owner.len < ACCEPTED_OWNER_MAX ? owner.len : ACCEPTED_OWNER_MAX};
  memcpy(entry->hash, hash.data, hash.len < ACCEPTED_HASH ? hash.len : ACCEPTED_HASH);
  if (entry->owner_len > 0)
    memcpy(entry->owner, owner.data, entry->owner_len);
}

static void link_in(struct accepted *accepted, struct entry *entry) {
  struct entry **place = bucket_of(accepted, &entry->order_id);
  entry->chain = *place;
  *place = entry;
  entry->older = accepted->youngest;
  *(accepted->youngest ? &accepted->youngest->younger : &accepted->oldest) = entry;
  accepted->youngest = entry;
  accepted->count++;
}

static void insert(struct accepted *accepted, const struct bus_uuid *order_id, struct bus_str owner,
                   struct bus_str hash, int64_t now) {
  if (accepted->count == accepted->limit && accepted->count > 0)
    remove_at(accepted, find(accepted, &accepted->oldest->order_id));
  if (accepted->count > 0 && accepted->count == accepted->bucket_count)
    grow(accepted);
  struct entry *entry = accepted->limit > 0 ? take_free(accepted) : NULL;
  if (entry == NULL)
    return;
  fill(entry, order_id, owner, hash, now);
  link_in(accepted, entry);
}

static enum accepted_verdict verdict_of(const struct entry *entry, struct bus_str hash) {
  if (entry == NULL)
    return ACCEPTED_UNKNOWN;
  return bus_str_equal((struct bus_str){entry->hash, ACCEPTED_HASH}, hash) ? ACCEPTED_SAME : ACCEPTED_OTHER;
}

enum accepted_verdict accepted_check(struct accepted *accepted, const struct bus_uuid *order_id, struct bus_str hash,
                                     int64_t now) {
  pthread_mutex_lock(&accepted->mutex);
  expire(accepted, now);
  enum accepted_verdict verdict = verdict_of(*find(accepted, order_id), hash);
  pthread_mutex_unlock(&accepted->mutex);
  return verdict;
}

enum accepted_verdict accepted_remember(struct accepted *accepted, const struct bus_uuid *order_id,
                                        struct bus_str owner, struct bus_str hash, int64_t now) {
  pthread_mutex_lock(&accepted->mutex);
  expire(accepted, now);
  enum accepted_verdict verdict = verdict_of(*find(accepted, order_id), hash);
  if (verdict == ACCEPTED_UNKNOWN)
    insert(accepted, order_id, owner, hash, now);
  pthread_mutex_unlock(&accepted->mutex);
  return verdict;
}

bool accepted_owner(struct accepted *accepted, const struct bus_uuid *order_id, int64_t now,
                    char ret_owner[ACCEPTED_OWNER_MAX], size_t *ret_len) {
  pthread_mutex_lock(&accepted->mutex);
  expire(accepted, now);
  const struct entry *entry = *find(accepted, order_id);
  if (entry) {
    memcpy(ret_owner, entry->owner, entry->owner_len);
    *ret_len = entry->owner_len;
  }
  pthread_mutex_unlock(&accepted->mutex);
  return entry != NULL;
}

void accepted_forget(struct accepted *accepted, const struct bus_uuid *order_id) {
  pthread_mutex_lock(&accepted->mutex);
  struct entry **place = find(accepted, order_id);
  if (*place)
    remove_at(accepted, place);
  pthread_mutex_unlock(&accepted->mutex);
}

size_t accepted_count(struct accepted *accepted) {
  pthread_mutex_lock(&accepted->mutex);
  size_t count = accepted->count;
  pthread_mutex_unlock(&accepted->mutex);
  return count;
}
