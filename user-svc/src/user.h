/*
 * Users, their sessions, and what guards them: rows and the rules on them. Pure: time and random values are arguments.
 *
 * A login begins a session. Its refresh token is rotated at each use: the token that was used stays as a row, so that a
 * second use is noticed. Only SHA-256 hashes of tokens are known here.
 */
#ifndef USER_H
#define USER_H

#include <bus/base.h>
#include <bus/uuid.h>

#include "user_messages.h"

enum { USER_HASH_HEX = 64, USER_PASSWORD_HASH_MAX = 127, USER_GUARD_KEY_MAX = 80, USER_FAILURES_MAX = 1000000 };

struct user {
  struct bus_uuid user_id;
  struct bus_str email, name; /* absent once erased; the name may always be */
  int role;
  struct bus_str password_hash; /* absent: nobody can log in */
  bus_time sessions_from;       /* sessions of before are over */
  bus_time created_at, erased_at;
  int64_t version;
};

/* A program that gets tokens of its own. */
struct client {
  struct bus_uuid client_id;
  int role;
  struct bus_str scope; /* absent: none */
  struct bus_str secret_hash;
  bus_time revoked_at; /* BUS_NO_TIME: not withdrawn */
};

struct session {
  struct bus_uuid session_id, user_id;
  bus_time created_at, last_used_at, revoked_at;
};

struct refresh_token {
  struct bus_str token_hash;
  struct bus_uuid session_id;
  bus_time expires_at, rotated_at; /* BUS_NO_TIME: not used yet */
  struct bus_uuid rotated_by;      /* the request that used it; nil: none */
};

struct reset_token {
  struct bus_str token_hash;
  struct bus_uuid user_id;
  bus_time expires_at, used_at;
};

/* Failed attempts of one account or one client. */
struct guard {
  struct bus_str key;
  int64_t failures;
  bus_time last_at, blocked_until;
};

/* A request that was carried out, for those that may not be carried out twice. */
struct past_request {
  struct bus_uuid request_id;
  int outcome;
};

struct user_policy {
  int64_t access_s, refresh_s, reset_s; /* lifetimes */
  int64_t grace_s;                      /* a token may be used again so long after its first use */
  int64_t account_free, client_free;    /* failures without a wait */
  int64_t lock_max_s;
};

/* ---- user_decide.c: what is to happen ---- */

/* Until when attempts are refused; BUS_NO_TIME: they are not. */
bus_time guard_blocks_until(const struct guard *guard, bus_time now);

/* Seconds until then; 0: attempts are looked at now. */
int64_t guard_wait_s(const struct guard *guard, bus_time now);

/* A login or a change of password, by the rows that its request names. */
struct attempt {
  const struct user *user;              /* NULL: there is none */
  const struct guard *account, *client; /* NULL: not guarded */
  int past;                             /* outcome of this very request, if it was carried out; else -1 */
  bool once;                            /* its success is not repeated: a change of password */
};
struct verdict {
  enum { VERDICT_PASSES, VERDICT_SAYS, VERDICT_FAILS } kind; /* FAILS: the attempt is counted */
  enum user_outcome outcome;                                 /* of SAYS and FAILS */
  int64_t wait_s;                                            /* of USER_LOCKED */
};
/* Before the password is hashed: PASSES says that it is to be. A locked account costs the same hash as an open one, and
 * is refused behind it, so that its answer takes as long. An address that must wait costs none, which bounds the hashes
 * that one address can ask for. */
struct verdict user_decide_attempt(const struct attempt *attempt, bus_time now);
/* Behind the hash: whether the password is the user's. verified: it is that of stored_hash. */
struct verdict user_decide_password(const struct attempt *attempt, bool verified, struct bus_str stored_hash,
                                    bus_time now);

enum rotation {
  ROTATION_INVALID, /* unknown, expired, or of a session that is over */
  ROTATION_FIRST,
  ROTATION_AGAIN, /* the same request, or soon after the first use */
  ROTATION_REUSE, /* used by someone else: the session must end */
};
/* token, session and user: NULL where there is none. */
enum rotation user_decide_rotation(const struct refresh_token *token, const struct session *session,
                                   const struct user *user, const struct bus_uuid *request_id,
                                   const struct user_policy *policy, bus_time now);

bool user_decide_reset(const struct reset_token *token, const struct user *user, bus_time now);

bool user_exists(const struct user *user);

/* client: NULL where there is none. secret_hash: of the secret that was given; absent: it could not be read. */
bool user_decide_client(const struct client *client, struct bus_str secret_hash);

/* The scope of a user's access tokens; "": none. */
const char *user_decide_scope(enum user_role role);

/* ---- user_evolve.c: the rows after it happened ---- */

/* request: its e-mail address and name. */
void user_evolve_registered(struct user *user, struct bus_str email, struct bus_str name, struct bus_str password_hash,
                            bus_time now);
/* Ends every session of before. */
void user_evolve_password(struct user *user, struct bus_str password_hash, bus_time now);
void user_evolve_name(struct user *user, struct bus_str name);
void user_evolve_erased(struct user *user, bus_time now);

void guard_evolve_failed(struct guard *guard, int64_t free_failures, int64_t lock_max_s, bus_time now);
void guard_evolve_passed(struct guard *guard, bus_time now);

void user_view_of(const struct user *user, struct user_view *ret);

#endif
