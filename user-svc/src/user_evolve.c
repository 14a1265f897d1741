/* Rows of users and guards after something happened to them. */
#include "user.h"

#define FORGET_AFTER (24 * BUS_HOUR)
enum { DOUBLINGS_MAX = 30 };

void user_evolve_registered(struct user *user, struct bus_str email, struct bus_str name, struct bus_str password_hash,
                            bus_time now) {
  user->email = email;
  user->name = name;
  user->role = USER_CUSTOMER;
  user->password_hash = password_hash;
  user->sessions_from = user->created_at = now;
  user->erased_at = BUS_NO_TIME;
  user->version = 1;
}

void user_evolve_password(struct user *user, struct bus_str password_hash, bus_time now) {
  user->password_hash = password_hash;
  user->sessions_from = now;
  user->version++;
}

void user_evolve_name(struct user *user, struct bus_str name) {
  user->name = name;
  user->version++;
}

void user_evolve_erased(struct user *user, bus_time now) {
  user->email = user->name = user->password_hash = BUS_NO_STR;
  user->sessions_from = user->erased_at = now;
  user->version++;
}

/* 1 s after the first failure too many, then twice as long after each. */
static int64_t wait_s(int64_t failures, int64_t free_failures, int64_t most) {
  int64_t excess = failures - free_failures;
  if (excess <= 0)
    return 0;
  int64_t wait = INT64_C(1) << (excess - 1 < DOUBLINGS_MAX ? excess - 1 : DOUBLINGS_MAX);
  return wait < most ? wait : most;
}

void guard_evolve_failed(struct guard *guard, int64_t free_failures, int64_t lock_max_s, bus_time now) {
  if (guard->last_at == BUS_NO_TIME || now - guard->last_at > FORGET_AFTER)
    guard->failures = 0;
  if (guard->failures < USER_FAILURES_MAX)
    guard->failures++;
  guard->last_at = now;
  int64_t wait = wait_s(guard->failures, free_failures, lock_max_s);
  guard->blocked_until = wait > 0 ? now + wait * BUS_SECOND : BUS_NO_TIME;
}

void guard_evolve_passed(struct guard *guard, bus_time now) {
  guard->failures = 0;
  guard->last_at = now;
  guard->blocked_until = BUS_NO_TIME;
}

void user_view_of(const struct user *user, struct user_view *ret) {
  *ret = (struct user_view){.user_id = user->user_id,
                            .email = user->email,
                            .name = user->name,
                            .role = user->role,
                            .created_at = user->created_at,
                            .version = user->version};
}
