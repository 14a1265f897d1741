/* Every SQL statement of user-svc. */
#include "user_statements.h"

#include "user_columns.h"

#define PURGE(table, key, condition)                                                                                   \
  BUS_STATEMENT("DELETE FROM users." table " WHERE " key " = ANY (ARRAY(SELECT " key " FROM users." table              \
                " WHERE " condition " LIMIT 1000))",                                                                   \
                "")

static const struct bus_recipe recipes[USER_STATEMENTS] = {
    [READ_PAST_REQUESTS] = BUS_STATEMENT_OF(
        &past_request_columns, "SELECT {r.row} FROM users.past_requests r WHERE r.request_id = ANY ($1)", "U"),
    /* By id, by e-mail address, by a token of either kind. */
    [LOCK_USERS] = BUS_STATEMENT_OF(
        &user_columns,
        "SELECT {u.row} FROM users.users u WHERE u.user_id = ANY (ARRAY(SELECT unnest($1) UNION "
        "SELECT user_id FROM users.users WHERE email = ANY ($2) UNION "
        "SELECT s.user_id FROM users.refresh_tokens t JOIN users.sessions s ON s.session_id = t.session_id "
        "WHERE t.token_hash = ANY ($3) UNION "
        "SELECT user_id FROM users.reset_tokens WHERE token_hash = ANY ($3))) ORDER BY u.user_id FOR UPDATE",
        "UTT"),
    [LOCK_SESSIONS] = BUS_STATEMENT_OF(
        &session_columns,
        "SELECT {s.row} FROM users.sessions s WHERE s.session_id = ANY (ARRAY("
        "SELECT session_id FROM users.refresh_tokens WHERE token_hash = ANY ($1))) ORDER BY s.session_id FOR UPDATE",
        "T"),
    [LOCK_REFRESH_TOKENS] = BUS_LOCK(&refresh_token_columns),
    [LOCK_RESET_TOKENS] = BUS_LOCK(&reset_token_columns),
    [LOCK_GUARDS] = BUS_LOCK(&guard_columns),
    [INSERT_PAST_REQUESTS] = BUS_INSERT(&past_request_columns),
    [INSERT_USERS] = BUS_INSERT(&user_columns),
    [UPDATE_USERS] = BUS_UPDATE(&user_columns),
    [INSERT_SESSIONS] = BUS_INSERT(&session_columns),
    [UPDATE_SESSIONS] = BUS_UPDATE(&session_columns),
    [INSERT_REFRESH_TOKENS] = BUS_INSERT(&refresh_token_columns),
    [UPDATE_REFRESH_TOKENS] = BUS_UPDATE(&refresh_token_columns),
    [INSERT_RESET_TOKENS] = BUS_INSERT(&reset_token_columns),
    [UPDATE_RESET_TOKENS] = BUS_UPDATE(&reset_token_columns),
    [INSERT_GUARDS] = BUS_INSERT(&guard_columns),
    [UPDATE_GUARDS] = BUS_UPDATE(&guard_columns),
    [PURGE_PAST_REQUESTS] =
        PURGE("past_requests", "request_id", "created_at < now() - interval '1 day' ORDER BY created_at"),
    [PURGE_REFRESH_TOKENS] = PURGE("refresh_tokens", "token_hash", "expires_at < now() ORDER BY expires_at"),
    /* Every token of such a session has expired: the lifetime of a token is at most 90 days. */
    [PURGE_SESSIONS] =
        PURGE("sessions", "session_id", "last_used_at < now() - interval '91 days' ORDER BY last_used_at"),
    [PURGE_RESET_TOKENS] = PURGE("reset_tokens", "token_hash", "expires_at < now() ORDER BY expires_at"),
    [PURGE_GUARDS] = PURGE("guards", "key", "last_at < now() - interval '1 day' ORDER BY last_at"),
};

static const struct bus_recipe query_recipes[USER_QUERY_STATEMENTS] = {
    [GET_USERS] = BUS_STATEMENT_OF(
        &user_columns, "SELECT {u.row} FROM users.users u WHERE u.user_id = ANY ($1) ORDER BY u.user_id", "U"),
    [LIST_USERS] = BUS_STATEMENT_OF(
        &user_columns,
        "SELECT n.page, {u.row} FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS n (most, behind, least, below, page), "
        "LATERAL (SELECT * FROM users.users c WHERE c.email > n.behind AND c.email >= n.least AND c.email < n.below "
        "ORDER BY c.email LIMIT n.most) u ORDER BY n.page, u.email",
        "ITTT"),
    [GET_CLIENTS] = BUS_STATEMENT_OF(
        &client_columns, "SELECT {c.row} FROM users.clients c WHERE c.client_id = ANY ($1) ORDER BY c.client_id", "U"),
};

struct bus_statement user_statements[USER_STATEMENTS], user_query_statements[USER_QUERY_STATEMENTS];

bool user_statements_make(void) {
  return bus_recipes_make(recipes, USER_STATEMENTS, user_statements) &&
         bus_recipes_make(query_recipes, USER_QUERY_STATEMENTS, user_query_statements);
}
