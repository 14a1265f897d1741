/* Issuers of tokens and their key sets: each set is read again and again from its source by a thread of its own, kept
 * while the source is away, and stored in a file for the next start. */
#ifndef EDGE_KEYS_H
#define EDGE_KEYS_H

#include <bus/token.h>

/* The place that an issuer's key set comes from. */
struct edge_key_source {
  const char *name; /* for logs */
  void *context;
  /* Reads the set as a JWKS document, in the arena; blocks the calling thread for a bounded time. */
  bool (*read)(void *context, struct bus_arena *arena, struct bus_str *ret_jwks, struct bus_error *err);
};

struct edge_issuer {
  struct bus_token_issuer issuer;
  struct edge_key_source source;
  int64_t refresh;  /* microseconds between two readings */
  const char *file; /* keeps the last set; NULL: none */
};

struct edge_keys;

/* Reads the files of last sets, then starts the thread. Texts and contexts live as long as the keys. */
bool edge_keys_open(const struct edge_issuer *issuers, size_t count, struct edge_keys **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
void edge_keys_close(struct edge_keys *keys); /* accepts NULL */
/* Whether each issuer's set has been read, now or before the start. Thread-safe. */
bool edge_keys_are_read(const struct edge_keys *keys);

/* The verdict on a token. An unknown key has the set read again, at most every five seconds, and the caller that began
 * it waits for that. Thread-safe. *ret_ready: false while its issuer's set has never been read. */
enum bus_token_verdict edge_keys_check(struct edge_keys *keys, struct bus_str token, struct bus_arena *arena,
                                       struct bus_token_claims *ret, bool *ret_ready);

#endif
