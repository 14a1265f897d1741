/* The thread that reads key sets, and the check of tokens against them. */
#include "keys.h"

#include <bus/clock.h>
#include <bus/hash.h>
#include <bus/log.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "keys_file.h"

enum { ISSUERS_MAX = 4, REMEMBERED = 1024, ARENA_LIMIT = 1 << 20 };
#define PAUSE (5 * BUS_SECOND)    /* between two readings that tokens ask for, and after a failure */
#define PATIENCE (2 * BUS_SECOND) /* of a request that waits for a reading */

struct set {
  struct edge_issuer issuer;
  int64_t next;       /* the next reading is due; under the mutex, as are the others */
  int64_t read_at;    /* the last reading began; 0: none yet */
  uint64_t readings;  /* that ended */
  bool asked;         /* by a token with an unknown key */
  atomic_bool ready;  /* there is a set, or will be in a moment */
  bool failing;       /* the last reading failed; of the thread alone, as the next one */
  uint8_t stored[32]; /* SHA-256 of the document that the file has */
};

struct edge_keys {
  struct bus_token_verifier *verifier;
  size_t count;
  struct set sets[ISSUERS_MAX];
  pthread_mutex_t mutex;
  pthread_cond_t change; /* a reading is asked for, has ended, or the thread is to end */
  pthread_t thread;
  bool runs, ends;
};

/* ---- reading ---- */

/* Takes a document as the issuer's set. */
static bool take(struct edge_keys *keys, size_t index, struct bus_str jwks, struct bus_arena *arena,
                 struct bus_error *err) {
  struct bus_token_keys *parsed;
  if (!bus_token_keys_parse(jwks, keys->sets[index].issuer.issuer.algs, arena, &parsed, err))
    return false;
  atomic_store(&keys->sets[index].ready, true);
  bus_token_verifier_set_keys(keys->verifier, index, parsed);
  return true;
}

static void log_reading(struct set *set, bool done, const struct bus_error *err) {
  if (!done && !set->failing)
    bus_log(BUS_WARN, "the key set of a token issuer cannot be read; the last one stays",
            BUS_F_STR("issuer", set->issuer.issuer.iss), BUS_F_STR("source", set->issuer.source.name),
            BUS_F_STR("error", err->text));
  if (done && set->failing)
    bus_log(BUS_INFO, "the key set of a token issuer is read again", BUS_F_STR("issuer", set->issuer.issuer.iss));
  set->failing = !done;
}

/* Only a document that has changed is written: a write is synced to disk. */
static void store(struct set *set, struct bus_str jwks) {
  uint8_t digest[sizeof set->stored];
  struct bus_error err;
  bus_sha256(jwks, digest);
  if (memcmp(digest, set->stored, sizeof digest) == 0)
    return;
  if (keys_file_write(set->issuer.file, set->issuer.issuer.iss, jwks, &err))
    memcpy(set->stored, digest, sizeof digest);
  else
    bus_log(BUS_WARN, "the key set of a token issuer cannot be stored", BUS_F_STR("file", set->issuer.file),
            BUS_F_STR("error", err.text));
}

static void read_set(struct edge_keys *keys, size_t index, struct bus_arena *arena) {
  struct set *set = &keys->sets[index];
  const struct edge_key_source *source = &set->issuer.source;
  struct bus_error err = {.code = BUS_OK};
  struct bus_str jwks;
  bool done = source->read(source->context, arena, &jwks, &err) && take(keys, index, jwks, arena, &err);
  int64_t pause = done || set->issuer.refresh < PAUSE ? set->issuer.refresh : PAUSE;
  log_reading(set, done, &err);
  (void)pthread_mutex_lock(&keys->mutex);
  set->readings++;
  set->next = bus_monotonic() + pause;
  (void)pthread_cond_broadcast(&keys->change);
  (void)pthread_mutex_unlock(&keys->mutex);
  if (done && set->issuer.file)
    store(set, jwks);
}

/* With the mutex held: the set to read now; count: none, and *ret_until is when to look again. */
static size_t find_due(struct edge_keys *keys, int64_t *ret_until) {
  int64_t now = bus_monotonic();
  *ret_until = now + BUS_MINUTE;
  for (size_t i = 0; i < keys->count; i++) {
    struct set *set = &keys->sets[i];
    if (set->asked || set->next <= now) {
      set->asked = false;
      set->read_at = now;
      return i;
    }
    if (set->next < *ret_until)
      *ret_until = set->next;
  }
  return keys->count;
}

static void *run(void *context) {
  struct edge_keys *keys = context;
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  (void)pthread_mutex_lock(&keys->mutex); /* a plain mutex does not fail */
  while (arena && !keys->ends) {
    int64_t until;
    size_t due = find_due(keys, &until);
    if (due == keys->count) {
      (void)bus_cond_wait(&keys->change, &keys->mutex, until);
      continue;
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    bus_arena_reset(arena);
    read_set(keys, due, arena);
    (void)pthread_mutex_lock(&keys->mutex);
  }
  (void)pthread_mutex_unlock(&keys->mutex);
  bus_arena_free(arena);
  return NULL;
}

/* ---- the last sets ---- */

static void load(struct edge_keys *keys, size_t index, struct bus_arena *arena) {
  struct set *set = &keys->sets[index];
  struct bus_error err;
  struct bus_str jwks;
  if (set->issuer.file == NULL || !keys_file_read(set->issuer.file, set->issuer.issuer.iss, arena, &jwks))
    return;
  bus_sha256(jwks, set->stored);
  if (!take(keys, index, jwks, arena, &err))
    bus_log(BUS_WARN, "the stored key set of a token issuer is not usable", BUS_F_STR("file", set->issuer.file),
            BUS_F_STR("error", err.text));
}

static bool open_sets(struct edge_keys *keys, const struct edge_issuer *issuers, size_t count, struct bus_error *err) {
  struct bus_token_issuer plain[ISSUERS_MAX];
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  if (arena == NULL || count > ISSUERS_MAX) {
    bus_arena_free(arena);
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the keys of token issuers");
  }
  for (size_t i = 0; i < count; i++) {
    keys->sets[i].issuer = issuers[i];
    plain[i] = issuers[i].issuer;
  }
  keys->count = count;
  bool opened = bus_token_verifier_new(plain, count, REMEMBERED, &keys->verifier, err);
  for (size_t i = 0; opened && i < count; i++) {
    bus_arena_reset(arena);
    load(keys, i, arena);
  }
  bus_arena_free(arena);
  return opened;
}

bool edge_keys_open(const struct edge_issuer *issuers, size_t count, struct edge_keys **ret, struct bus_error *err) {
  struct edge_keys *keys = calloc(1, sizeof *keys);
  if (keys == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the keys of token issuers");
  (void)pthread_mutex_init(&keys->mutex, NULL);
  bus_cond_init(&keys->change);
  bool opened = open_sets(keys, issuers, count, err);
  if (opened) {
    keys->runs = pthread_create(&keys->thread, NULL, run, keys) == 0;
    opened = keys->runs || bus_fail(err, BUS_E_SYSTEM, "cannot start the thread that reads key sets");
  }
  if (!opened) {
    edge_keys_close(keys);
    return false;
  }
  *ret = keys;
  return true;
}

void edge_keys_close(struct edge_keys *keys) {
  if (keys == NULL)
    return;
  if (keys->runs) {
    (void)pthread_mutex_lock(&keys->mutex);
    keys->ends = true;
    (void)pthread_cond_broadcast(&keys->change);
    (void)pthread_mutex_unlock(&keys->mutex);
    (void)pthread_join(keys->thread, NULL);
  }
  bus_token_verifier_free(keys->verifier);
  (void)pthread_mutex_destroy(&keys->mutex);
  (void)pthread_cond_destroy(&keys->change);
  free(keys);
}

/* ---- the check ---- */

bool edge_keys_are_read(const struct edge_keys *keys) {
  for (size_t i = 0; i < keys->count; i++)
    if (!atomic_load(&keys->sets[i].ready))
      return false;
  return true;
}

/* True: the set was read again. Within the pause there is no other reading: a stream of forged key ids would else be
 * a stream of calls. */
static bool read_again(struct edge_keys *keys, struct set *set, bool *ret_ready) {
  bool read = false;
  int64_t now = bus_monotonic();
  (void)pthread_mutex_lock(&keys->mutex);
  if (!set->asked && (set->read_at == 0 || now - set->read_at >= PAUSE)) {
    uint64_t readings = set->readings;
    set->asked = true;
    (void)pthread_cond_broadcast(&keys->change);
    while (set->readings == readings && bus_cond_wait(&keys->change, &keys->mutex, now + PATIENCE))
      continue;
    read = set->readings != readings;
  }
  (void)pthread_mutex_unlock(&keys->mutex);
  *ret_ready = atomic_load(&set->ready);
  return read;
}

enum bus_token_verdict edge_keys_check(struct edge_keys *keys, struct bus_str token, struct bus_arena *arena,
                                       struct bus_token_claims *ret, bool *ret_ready) {
  size_t issuer;
  *ret_ready = true;
  bus_time now = bus_wall_clock();
  enum bus_token_verdict verdict = bus_token_verifier_check(keys->verifier, token, now, arena, ret, &issuer);
  if (verdict == BUS_TOKEN_KEY && read_again(keys, &keys->sets[issuer], ret_ready))
    verdict = bus_token_verifier_check(keys->verifier, token, now, arena, ret, NULL);
  return verdict;
}
