/* Applies what was decided to endpoints and deliveries. */
#include "notify.h"

void delivery_evolve_claimed(struct delivery *delivery, const struct notify_policy *policy, bus_time now) {
  delivery->next_attempt_at = now + policy->lease;
}

void delivery_evolve_attempted(struct delivery *delivery, const struct attempt_decision *decision) {
  delivery->status = decision->status;
  delivery->attempts = decision->attempts;
  delivery->failures = decision->failures;
  delivery->next_attempt_at = decision->next_attempt_at;
}

void delivery_evolve_put_off(struct delivery *delivery, bus_time until) {
  delivery->next_attempt_at = until;
}

void delivery_evolve_replayed(struct delivery *delivery, bus_time now) {
  delivery->status = DELIVERY_WAITING;
  delivery->failures = 0;
  delivery->next_attempt_at = now;
}

bool endpoint_evolve_attempted(struct endpoint *endpoint, const struct attempt_decision *decision, bus_time now) {
  bool changed = endpoint->failing_since != decision->failing_since || endpoint->refusals != decision->refusals ||
                 decision->disables >= 0;
  endpoint->failing_since = decision->failing_since;
  endpoint->refusals = decision->refusals;
  if (decision->disables < 0)
    return changed;
  endpoint->status = WEBHOOK_DISABLED;
  endpoint->cause = decision->disables;
  endpoint->disabled_at = now;
  return true;
}

/* Its failures count from the next attempt on. */
void endpoint_evolve_enabled(struct endpoint *endpoint) {
  endpoint->status = WEBHOOK_ENABLED;
  endpoint->cause = -1;
  endpoint->disabled_at = endpoint->failing_since = BUS_NO_TIME;
  endpoint->refusals = 0;
}

void endpoint_evolve_deleted(struct endpoint *endpoint, bus_time now) {
  endpoint->status = WEBHOOK_DELETED;
  endpoint->disabled_at = now;
}

void endpoint_evolve_rotated(struct endpoint *endpoint, struct bus_str secret, const struct bus_uuid *rotation_id,
                             const struct notify_policy *policy, bus_time now) {
  endpoint->old_secret = endpoint->secret;
  endpoint->old_secret_until = now + policy->rotation_keep;
  endpoint->secret = secret;
  endpoint->rotation_id = *rotation_id;
}

void mail_window_evolve(struct mail_window *window, bool confirmed, bus_time now) {
  if (now >= window->began_at + notify_mail_window(confirmed)) {
    window->began_at = now;
    window->mails = 0;
  }
  window->mails++;
}

void webhook_view_of(const struct endpoint *endpoint, bus_time now, struct webhook_view *ret) {
  *ret = (struct webhook_view){
      .webhook_id = endpoint->endpoint_id,
      .url = endpoint->url,
      .description = endpoint->description,
      .events = endpoint->events,
      .status = endpoint->status,
      .cause = endpoint->cause,
      .disabled_at = endpoint->disabled_at,
      .failing_since = endpoint->failing_since,
      .old_secret_until = endpoint->old_secret_until > now ? endpoint->old_secret_until : BUS_NO_TIME,
      .created_at = endpoint->created_at,
  };
}
