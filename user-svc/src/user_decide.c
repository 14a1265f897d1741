/* Decisions on users, sessions and attempts, as functions of rows and time. */
#include "user.h"

bool user_exists(const struct user *user) {
  return user && user->email.data && user->erased_at == BUS_NO_TIME;
}

bool user_decide_client(const struct client *client, struct bus_str secret_hash) {
  return client && client->revoked_at == BUS_NO_TIME && secret_hash.data &&
         bus_str_equal(client->secret_hash, secret_hash);
}

const char *user_decide_scope(enum user_role role) {
  return role == USER_CUSTOMER ? "" : USER_SCOPE_ON_BEHALF;
}

bus_time guard_blocks_until(const struct guard *guard, bus_time now) {
  return guard && guard->blocked_until != BUS_NO_TIME && guard->blocked_until > now ? guard->blocked_until
                                                                                    : BUS_NO_TIME;
}

static bool session_lives(const struct session *session, const struct user *user) {
  return session && user_exists(user) && session->revoked_at == BUS_NO_TIME &&
         session->created_at >= user->sessions_from;
}

enum rotation user_decide_rotation(const struct refresh_token *token, const struct session *session,
                                   const struct user *user, const struct bus_uuid *request_id,
                                   const struct user_policy *policy, bus_time now) {
  if (!token || !session_lives(session, user) || token->expires_at <= now)
    return ROTATION_INVALID;
  if (token->rotated_at == BUS_NO_TIME)
    return ROTATION_FIRST;
  bool same = bus_uuid_equal(&token->rotated_by, request_id);
  return same || now - token->rotated_at <= policy->grace_s * BUS_SECOND ? ROTATION_AGAIN : ROTATION_REUSE;
}

bool user_decide_reset(const struct reset_token *token, const struct user *user, bus_time now) {
  return token && user_exists(user) && token->used_at == BUS_NO_TIME && token->expires_at > now;
}
