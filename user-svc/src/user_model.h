/*
 * The model of a batch: what each input asks for, and the rows that these requests name, each once. The store fills it
 * and writes the differences back; a decision sees the changes of earlier inputs of the batch. Pure; all of it is in
 * the batch's arena.
 */
#ifndef USER_MODEL_H
#define USER_MODEL_H

#include "user.h"

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/hash.h>

enum user_kind {
  USER_REGISTER,
  USER_LOGIN,
  USER_REFRESH,
  USER_LOGOUT,
  USER_FORGOT,
  USER_RESET,
  USER_PASSWORD,
  USER_UPDATE,
  USER_ERASE,
  USER_KINDS,
};
/* USER_KINDS: no request of ours. */
enum user_kind user_kind_of(const struct bus_message_type *type);

/* A request whose passwords were hashed away from the worker's thread: the body of a BUS_INPUT_COMPLETION. Its texts
 * are NUL-terminated. */
struct user_completion {
  enum user_kind kind;
  struct bus_uuid request_id, user_id, message_id;
  bus_time deadline;
  char email[USER_EMAIL_MAX + 1], name[USER_NAME_MAX + 1], client[USER_CLIENT_LEN + 1], reply_key[USER_KEY_TEXT + 1],
      reply_to[BUS_KEY_MAX], token_hash[BUS_SHA256_TEXT];
  bool verified;                                  /* `password` is that of stored_hash */
  char stored_hash[USER_PASSWORD_HASH_MAX + 1];   /* "": none, compared with nothing */
  char password_hash[USER_PASSWORD_HASH_MAX + 1]; /* of `new_password`; "": it could not be made */
};

/* The request of an input, and random values for it. */
struct user_ask {
  enum user_kind kind;
  bool opened; /* its token could be read, if it has one */
  const struct user_request *request;
  const struct user_completion *completion; /* NULL: before its passwords are hashed */
  struct bus_uuid request_id, user_id, session_id;
  struct bus_str email, name, client, reply_key;
  struct bus_str token_hash; /* of the token that the client has; absent: none */
  char *fresh_token;         /* NUL-terminated, to be erased */
  struct bus_str fresh_hash, account_key, client_key;
};

/* Passwords that are to be hashed after COMMIT. */
struct user_job {
  struct user_completion completion;
  struct bus_str password, new_password; /* sealed; absent: none */
};
/* A reset token to hand over after COMMIT. */
struct user_handover {
  struct bus_uuid user_id;
  char *token;
};
struct user_action {
  const struct user_job *job;
  const struct user_handover *handover;
};

/* Seals tokens for this user to the request's key. False: the key is malformed, or out of memory. */
typedef bool user_issue(void *context, const struct user *user, const struct user_ask *ask, bus_time now,
                        struct bus_arena *arena, struct bus_str *ret_sealed);

struct user_model {
  struct bus_arena *arena;
  const struct user_policy *policy;
  const struct bus_input *inputs;
  struct user_ask *asks; /* of the inputs, in their order */
  size_t count, room;    /* room: how many jobs are still taken */
  struct bus_set past_requests, users, sessions, refresh_tokens, reset_tokens, guards;
  user_issue *issue;
  void *issue_context;
};

/* The request of the input, without random values and hashes. False: out of memory. */
bool user_ask_of(const struct bus_input *input, struct bus_arena *arena, struct user_ask *ret) BUS_MUST_CHECK;
/* Which rows the asks name; asks: of the inputs. False: out of memory. */
bool user_model_new(const struct bus_input *inputs, struct user_ask *asks, size_t count, struct bus_arena *arena,
                    struct user_model **ret) BUS_MUST_CHECK;

const struct user_ask *user_model_ask(const struct user_model *model, const struct bus_input *input);
/* NULL: there is none. */
struct user *user_model_by_email(const struct user_model *model, struct bus_str email);
struct user *user_model_user(const struct user_model *model, const struct bus_uuid *user_id);
struct session *user_model_session(const struct user_model *model, const struct bus_uuid *session_id);
struct refresh_token *user_model_refresh_token(const struct user_model *model, struct bus_str hash);
struct reset_token *user_model_reset_token(const struct user_model *model, struct bus_str hash);
/* Also one without a row yet. */
struct guard *user_model_guard(const struct user_model *model, struct bus_str key);
/* The outcome of the request, if it is one that was carried out; else -1. */
int user_model_past(const struct user_model *model, const struct bus_uuid *request_id);
void user_model_remember(struct user_model *model, const struct bus_uuid *request_id, enum user_outcome outcome);

#endif
