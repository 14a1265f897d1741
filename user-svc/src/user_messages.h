/* The messages that user-svc takes and answers: structs, bounds and types. Pure.
 *
 * Passwords and tokens are sealed (bus/secret.h): in requests to user-svc's key, in answers to the request's reply_key.
 * Neither they nor their hashes are in a message in clear. */
#ifndef USER_MESSAGES_H
#define USER_MESSAGES_H

#include <bus/field.h>
#include <bus/jwk.h>
#include <bus/message.h>

/* Bytes of texts, here, in rows and in their CHECKs. */
enum {
  USER_EMAIL_MAX = 254,
  USER_NAME_MAX = 200,
  USER_PASSWORD_MIN = 8,
  USER_PASSWORD_MAX = 128,
  USER_TOKEN_LEN = 43,   /* a refresh or reset token */
  USER_SEALED_MIN = 64,  /* a sealed secret of no byte */
  USER_SEALED_MAX = 235, /* of USER_PASSWORD_MAX bytes */
  USER_KEY_TEXT = 43,    /* a key to seal to */
  USER_CLIENT_LEN = 32,
  USER_TOKENS_MAX = 4096, /* sealed tokens of an answer */
  USER_SCOPE_MAX = 512,
  USER_PAGE_MAX = 100,
  USER_CURSOR_MAX = 2 * USER_EMAIL_MAX,
};

/* All requests; each type's table has the members that it needs. A request with the same request_id is the same
 * request again. */
struct user_request {
  struct bus_uuid request_id, user_id;
  struct bus_str email; /* normal form: see user_email_normalise */
  struct bus_str name;
  struct bus_str client;                 /* a hash of the client's address, in hexadecimal */
  struct bus_str password, new_password; /* sealed */
  struct bus_str token;                  /* sealed: a refresh or reset token */
  struct bus_str reply_key;              /* tokens of the answer are sealed to it */
};

/* The scope of a token whose bearer may place orders for any customer. */
#define USER_SCOPE_ON_BEHALF "orders:on-behalf"

enum user_role { USER_CUSTOMER, USER_OPERATOR, USER_ADMIN };
extern const char *const user_role_names[]; /* as in tokens (bus/token.h) */

struct user_view {
  struct bus_uuid user_id;
  struct bus_str email, name; /* absent once erased */
  int role;
  bus_time created_at;
  int64_t version;
};

enum user_outcome {
  USER_DONE,
  USER_REFUSED,   /* wrong e-mail address or password; says not which */
  USER_LOCKED,    /* too many failed attempts: retry_after_s */
  USER_INVALID,   /* the token is unknown, used or expired */
  USER_NOT_FOUND, /* no such user */
  USER_BUSY,      /* too many passwords wait to be hashed: retry_after_s */
};
extern const char *const user_outcome_names[];

/* user.answer.v1 */
struct user_answer {
  int outcome;
  int64_t retry_after_s; /* LOCKED, BUSY; else BUS_NO_INT64 */
  struct bus_str tokens; /* a sealed struct user_tokens; absent: none */
  struct user_view *user;
};
/* The sealed tokens of an answer; not a message of its own. */
struct user_tokens {
  struct bus_str access_token, token_type;
  int64_t expires_in;
  struct bus_str refresh_token;
};

/* Queries and their answers. */
struct user_get {
  struct bus_uuid user_id;
};
/* Users by their e-mail addresses, which erased ones have no more. */
struct user_list {
  struct bus_str email;  /* what the address begins with; absent: anything */
  struct bus_str cursor; /* from user_cursor_format: begin behind it; absent: from the first */
  int64_t limit;         /* 1 to USER_PAGE_MAX */
};
struct user_page {
  struct user_view *items;
  size_t item_count;
  struct bus_str next_cursor; /* absent: the end */
};
/* A program asks for a token of its own (RFC 6749, 4.4). */
struct user_client_token {
  struct bus_uuid client_id;
  struct bus_str secret;    /* sealed */
  struct bus_str reply_key; /* the token of the answer is sealed to it */
};
struct user_keys_get {
  bool deep; /* reserved */
};
struct user_keys {
  struct bus_str issuer;
  struct bus_jwks jwks;
};
struct user_ping {
  bool deep;
};

/* The sealed token of an answer to a program; not a message of its own. */
struct user_client_tokens {
  struct bus_str access_token, token_type;
  int64_t expires_in;
  struct bus_str scope; /* absent: none */
};

extern const struct bus_schema user_view_schema, user_answer_schema, user_tokens_schema, user_get_schema,
    user_list_schema, user_page_schema, user_client_token_schema, user_client_tokens_schema, user_keys_get_schema,
    user_keys_schema, user_ping_schema;

/* Queries that write, from edge. */
extern const struct bus_message_type user_register_type, user_login_type, user_refresh_type, user_logout_type,
    user_forgot_type, user_reset_type, user_password_type, user_update_type, user_erase_type;
extern const struct bus_message_type user_get_type, user_list_type, user_client_token_type, user_keys_get_type,
    user_ping_type;                                                                                    /* queries */
extern const struct bus_message_type user_answer_type, user_page_type, user_keys_type, user_pong_type; /* answers */

/* The normal form of an e-mail address: without blanks around it, the domain in lower case. False: it has none; ret is
 * not written. */
bool user_email_normalise(struct bus_str email, char ret[USER_EMAIL_MAX + 1]);

/* A cursor as clients carry it: the address in hexadecimal. */
void user_cursor_format(struct bus_str email, char text[USER_CURSOR_MAX + 1]);
bool user_cursor_parse(struct bus_str text, char ret[USER_EMAIL_MAX + 1]) BUS_MUST_CHECK;

/* UUIDv5 of a client's idempotency key: on which path, for whom. */
void user_request_id_of(struct bus_str path, struct bus_str key, struct bus_str whom, struct bus_uuid *ret);

#endif
