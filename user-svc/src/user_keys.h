/* The private keys of user-svc, read once at the start, and what is made with them: sealed access and refresh tokens.
 * After user_keys_open all of it is read only, so several threads may use it. */
#ifndef USER_KEYS_H
#define USER_KEYS_H

#include "user_model.h"
#include "user_queries.h"
#include "user_settings.h"

#include <bus/secret.h>
#include <bus/token.h>

enum { USER_SIGNERS_MAX = 2 };

struct user_key_ring {
  const struct user_settings *settings;
  struct bus_seal_pair seal;
  struct bus_token_signer *signers[USER_SIGNERS_MAX]; /* the first one signs, all are published */
  size_t signer_count;
  struct bus_arena *arena; /* of `published` */
  struct user_keys published;
};

/* The error names the file and what it must be. */
bool user_keys_open(const struct user_settings *settings, struct user_key_ring *ret,
                    struct bus_error *err) BUS_MUST_CHECK;
void user_keys_close(struct user_key_ring *ring); /* accepts one that was not opened */

/* The user_issue of a model; context: the ring. Erases the ask's fresh token. */
bool user_keys_issue(void *ring, const struct user *user, const struct user_ask *ask, bus_time now,
                     struct bus_arena *arena, struct bus_str *ret_sealed);

/* Opens the ask's token and hashes it; makes its random values. False: out of memory. */
bool user_keys_prepare(const struct user_key_ring *ring, struct user_ask *ask, struct bus_arena *arena) BUS_MUST_CHECK;

/* The user_issue_client of a model of queries; context: the ring. */
user_issue_client user_keys_issue_client;
/* Opens the secret of a program and hashes it. False: out of memory. */
bool user_keys_prepare_client(const struct user_key_ring *ring, struct user_query_client *asked,
                              struct bus_arena *arena) BUS_MUST_CHECK;

#endif
