/* Decides what an attempt means: done, tried again, given up, or the end of the endpoint. */
#include "notify.h"

enum { GONE = 410, JITTER_PARTS = 10 };

static bool succeeded(const struct notify_result *result) {
  return result->kind == NOTIFY_ANSWERED && result->status >= 200 && result->status <= 299;
}

/* Between 90 % and 110 % of the wait. */
static int64_t jitter(int64_t wait, uint64_t random) {
  int64_t part = wait / JITTER_PARTS;
  return wait - part + (int64_t)(random % (uint64_t)(2 * part + 1));
}

static int64_t wait_of(const struct notify_policy *policy, int64_t failures, int64_t retry_after_s, uint64_t random) {
  int64_t asked = retry_after_s > 0 ? retry_after_s * BUS_SECOND : 0;
  int64_t floor = asked < policy->retry_after_max ? asked : policy->retry_after_max;
  int64_t wait = jitter(policy->schedule[failures - 1], random);
  return wait > floor ? wait : floor;
}

static void decide_failure(const struct endpoint *endpoint, const struct delivery *delivery,
                           const struct notify_result *result, const struct notify_policy *policy, bus_time now,
                           uint64_t random, struct attempt_decision *ret) {
  bool more = delivery->failures < (int64_t)policy->schedule_count;
  ret->failures = delivery->failures + 1;
  ret->status = more ? DELIVERY_WAITING : DELIVERY_FAILED;
  if (more)
    ret->next_attempt_at = now + wait_of(policy, ret->failures, result->retry_after_s, random);
  if (ret->failing_since == BUS_NO_TIME)
    ret->failing_since = now;
  if (endpoint->status != WEBHOOK_ENABLED)
    return;
  if (result->kind == NOTIFY_ANSWERED && result->status == GONE)
    ret->disables = WEBHOOK_GONE;
  else if (now - ret->failing_since >= policy->disable_after)
    ret->disables = WEBHOOK_FAILING;
}

void notify_decide_attempt(const struct endpoint *endpoint, const struct delivery *delivery,
                           const struct notify_result *result, const struct notify_policy *policy, bus_time now,
                           uint64_t random, struct attempt_decision *ret) {
  *ret = (struct attempt_decision){.status = DELIVERY_WAITING,
                                   .attempts = delivery->attempts + (result->kind != NOTIFY_NOT_STARTED),
                                   .failures = delivery->failures,
                                   .next_attempt_at = BUS_NO_TIME,
                                   .failing_since = endpoint->failing_since,
                                   .disables = -1};
  if (delivery->status != DELIVERY_WAITING || result->number != delivery->attempts + 1)
    return;
  ret->counts = true;
  if (result->kind == NOTIFY_NOT_STARTED) {
    ret->next_attempt_at = now;
  } else if (succeeded(result)) {
    ret->status = DELIVERY_DELIVERED;
    ret->failing_since = BUS_NO_TIME;
  } else {
    decide_failure(endpoint, delivery, result, policy, now, random, ret);
  }
}

bool notify_decide_due(const struct endpoint *endpoint, const struct delivery *delivery, bus_time now) {
  return endpoint->status == WEBHOOK_ENABLED && delivery->status == DELIVERY_WAITING &&
         delivery->next_attempt_at != BUS_NO_TIME && delivery->next_attempt_at <= now;
}

int64_t notify_decide_limit(const struct endpoint *endpoint, const struct notify_policy *policy) {
  return endpoint->failing_since == BUS_NO_TIME ? policy->endpoint_concurrency : 1;
}
