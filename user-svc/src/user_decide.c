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

int64_t guard_wait_s(const struct guard *guard, bus_time now) {
  bus_time until = guard_blocks_until(guard, now);
  return until == BUS_NO_TIME ? 0 : (until - now + BUS_SECOND - 1) / BUS_SECOND;
}

static struct verdict says(enum user_outcome outcome, int64_t wait_s) {
  return (struct verdict){VERDICT_SAYS, outcome, wait_s};
}

static struct verdict passes(void) {
  return (struct verdict){.kind = VERDICT_PASSES};
}

/* Refused stays refused, whatever password is given now. */
static bool is_settled(const struct attempt *attempt) {
  return attempt->past == USER_REFUSED || (attempt->past == USER_DONE && attempt->once);
}

struct verdict user_decide_attempt(const struct attempt *attempt, bus_time now) {
  int64_t wait_s = guard_wait_s(attempt->client, now);
  if (is_settled(attempt))
    return says((enum user_outcome)attempt->past, 0);
  return wait_s > 0 ? says(USER_LOCKED, wait_s) : passes();
}

/* The password may have been changed since it was compared. */
static bool is_password_of(const struct user *user, bool verified, struct bus_str stored_hash) {
  return verified && user_exists(user) && user->password_hash.data && bus_str_equal(user->password_hash, stored_hash);
}

struct verdict user_decide_password(const struct attempt *attempt, bool verified, struct bus_str stored_hash,
                                    bus_time now) {
  int64_t account_s = guard_wait_s(attempt->account, now), client_s = guard_wait_s(attempt->client, now);
  int64_t wait_s = account_s > client_s ? account_s : client_s;
  if (is_settled(attempt))
    return says((enum user_outcome)attempt->past, 0);
  if (wait_s > 0)
    return says(USER_LOCKED, wait_s);
  if (!is_password_of(attempt->user, verified, stored_hash))
    return (struct verdict){VERDICT_FAILS, USER_REFUSED, 0};
  return passes();
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
