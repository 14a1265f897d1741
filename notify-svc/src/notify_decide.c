/* Decides what an attempt means: done, tried again, given up, or the end of the endpoint. */
#include "notify_mail.h"

enum { GONE = 410, JITTER_PARTS = 10, PERMANENT = 500 };

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

/* SMTP: another attempt would be refused, too. */
static bool is_refused(const struct endpoint *endpoint, const struct notify_result *result) {
  return notify_is_mail(endpoint->url) && result->kind == NOTIFY_ANSWERED && result->status >= PERMANENT;
}

/* An address is disabled by refusals alone: a relay that is away for days is not the address's fault. */
static int disabled_by(const struct endpoint *endpoint, const struct notify_result *result,
                       const struct notify_policy *policy, bus_time now, const struct attempt_decision *decision) {
  if (endpoint->status != WEBHOOK_ENABLED)
    return -1;
  if (notify_is_mail(endpoint->url))
    return decision->refusals >= policy->refusals_max ? WEBHOOK_REFUSED : -1;
  if (result->kind == NOTIFY_ANSWERED && result->status == GONE)
    return WEBHOOK_GONE;
  return now - decision->failing_since >= policy->disable_after ? WEBHOOK_FAILING : -1;
}

static void decide_failure(const struct endpoint *endpoint, const struct delivery *delivery,
                           const struct notify_result *result, const struct notify_policy *policy, bus_time now,
                           uint64_t random, struct attempt_decision *ret) {
  bool refused = is_refused(endpoint, result), more = !refused && delivery->failures < (int64_t)policy->schedule_count;
  ret->failures = delivery->failures + 1;
  ret->status = more ? DELIVERY_WAITING : DELIVERY_FAILED;
  if (more)
    ret->next_attempt_at = now + wait_of(policy, ret->failures, result->retry_after_s, random);
  if (ret->failing_since == BUS_NO_TIME)
    ret->failing_since = now;
  ret->refusals += refused;
  ret->disables = disabled_by(endpoint, result, policy, now, ret);
}

void notify_decide_attempt(const struct endpoint *endpoint, const struct delivery *delivery,
                           const struct notify_result *result, const struct notify_policy *policy, bus_time now,
                           uint64_t random, struct attempt_decision *ret) {
  *ret = (struct attempt_decision){.status = DELIVERY_WAITING,
                                   .attempts = delivery->attempts + (result->kind != NOTIFY_NOT_STARTED),
                                   .failures = delivery->failures,
                                   .next_attempt_at = BUS_NO_TIME,
                                   .failing_since = endpoint->failing_since,
                                   .refusals = endpoint->refusals,
                                   .disables = -1};
  if (delivery->status != DELIVERY_WAITING || result->number != delivery->attempts + 1)
    return;
  ret->counts = true;
  if (result->kind == NOTIFY_NOT_STARTED) {
    ret->next_attempt_at = now;
  } else if (succeeded(result)) {
    ret->status = DELIVERY_DELIVERED;
    ret->failing_since = BUS_NO_TIME;
    ret->refusals = 0;
  } else {
    decide_failure(endpoint, delivery, result, policy, now, random, ret);
  }
}

bool notify_decide_due(const struct endpoint *endpoint, const struct delivery *delivery, bus_time now) {
  return (endpoint->status == WEBHOOK_ENABLED || endpoint->status == WEBHOOK_UNCONFIRMED) &&
         delivery->status == DELIVERY_WAITING && delivery->next_attempt_at != BUS_NO_TIME &&
         delivery->next_attempt_at <= now;
}

bus_time notify_decide_mail(const struct mail_window *window, bool confirmed, const struct notify_policy *policy,
                            bus_time now) {
  bus_time ends = window->began_at + notify_mail_window(confirmed);
  int64_t most = confirmed ? policy->mails_per_hour : policy->confirmations_per_day;
  return now >= ends || window->mails < most ? now : ends;
}

int64_t notify_decide_limit(const struct endpoint *endpoint, const struct notify_policy *policy) {
  return endpoint->failing_since == BUS_NO_TIME ? policy->endpoint_concurrency : 1;
}
