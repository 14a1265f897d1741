/* The tables of the users database, column by column. */
#include "user_columns.h"

#include "user.h"

#define U struct user
static const struct bus_column users[] = {
    BUS_COLUMN_UUID(U, user_id, BUS_KEY),
    BUS_COLUMN_TEXT(U, email, 1, USER_EMAIL_MAX, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TEXT(U, name, 1, USER_NAME_MAX, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_NAME(U, role, int, user_role_names, BUS_FIXED),
    BUS_COLUMN_TEXT(U, password_hash, 1, USER_PASSWORD_HASH_MAX, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(U, sessions_from, BUS_CHANGING),
    BUS_COLUMN_TIME(U, created_at, BUS_FIXED),
    BUS_COLUMN_TIME(U, erased_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_INT64(U, version, 1, INT64_MAX, BUS_CHANGING),
};
const struct bus_table user_columns = BUS_COLUMN_TABLE("users.users", U, users);

#define S struct session
static const struct bus_column sessions[] = {
    BUS_COLUMN_UUID(S, session_id, BUS_KEY),
    BUS_COLUMN_UUID(S, user_id, BUS_FIXED),
    BUS_COLUMN_TIME(S, created_at, BUS_FIXED),
    BUS_COLUMN_TIME(S, last_used_at, BUS_CHANGING),
    BUS_COLUMN_TIME(S, revoked_at, BUS_CHANGING | BUS_NULL),
};
const struct bus_table session_columns = BUS_COLUMN_TABLE("users.sessions", S, sessions);

#define T struct refresh_token
static const struct bus_column refresh_tokens[] = {
    BUS_COLUMN_OF(T, "token_hash", token_hash, struct bus_str, BUS_CELL_TEXT, .min = USER_HASH_HEX,
                  .max = USER_HASH_HEX, .flags = BUS_KEY),
    BUS_COLUMN_UUID(T, session_id, BUS_FIXED),
    BUS_COLUMN_TIME(T, expires_at, BUS_FIXED),
    BUS_COLUMN_TIME(T, rotated_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_UUID(T, rotated_by, BUS_CHANGING | BUS_NULL),
};
const struct bus_table refresh_token_columns = BUS_COLUMN_TABLE("users.refresh_tokens", T, refresh_tokens);

#define X struct reset_token
static const struct bus_column reset_tokens[] = {
    BUS_COLUMN_OF(X, "token_hash", token_hash, struct bus_str, BUS_CELL_TEXT, .min = USER_HASH_HEX,
                  .max = USER_HASH_HEX, .flags = BUS_KEY),
    BUS_COLUMN_UUID(X, user_id, BUS_FIXED),
    BUS_COLUMN_TIME(X, expires_at, BUS_FIXED),
    BUS_COLUMN_TIME(X, used_at, BUS_CHANGING | BUS_NULL),
};
const struct bus_table reset_token_columns = BUS_COLUMN_TABLE("users.reset_tokens", X, reset_tokens);

#define G struct guard
static const struct bus_column guards[] = {
    BUS_COLUMN_OF(G, "key", key, struct bus_str, BUS_CELL_TEXT, .min = 1, .max = USER_GUARD_KEY_MAX, .flags = BUS_KEY),
    BUS_COLUMN_INT64(G, failures, 0, USER_FAILURES_MAX, BUS_CHANGING),
    BUS_COLUMN_TIME(G, last_at, BUS_CHANGING),
    BUS_COLUMN_TIME(G, blocked_until, BUS_CHANGING | BUS_NULL),
};
const struct bus_table guard_columns = BUS_COLUMN_TABLE("users.guards", G, guards);

#define P struct past_request
static const struct bus_column past_requests[] = {
    BUS_COLUMN_UUID(P, request_id, BUS_KEY),
    BUS_COLUMN_NAME(P, outcome, int, user_outcome_names, BUS_FIXED),
};
const struct bus_table past_request_columns = BUS_COLUMN_TABLE("users.past_requests", P, past_requests);

/* Read alone: an operator writes the rows. */
#define C struct client
static const struct bus_column clients[] = {
    BUS_COLUMN_UUID(C, client_id, BUS_KEY),
    BUS_COLUMN_NAME(C, role, int, user_role_names, BUS_FIXED),
    BUS_COLUMN_TEXT(C, scope, 1, USER_SCOPE_MAX, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_OF(C, "secret_hash", secret_hash, struct bus_str, BUS_CELL_TEXT, .min = USER_HASH_HEX,
                  .max = USER_HASH_HEX, .flags = BUS_FIXED),
    BUS_COLUMN_TIME(C, revoked_at, BUS_FIXED | BUS_NULL),
};
const struct bus_table client_columns = BUS_COLUMN_TABLE("users.clients", C, clients);
