/* How long the inbox must remember: as long as a message may come back under its own id. Pure. */
#include "worker_internal.h"

#include <inttypes.h>

enum { HOUR_MS = 3600000, TRIES_PER_TIER = 3 };

/* As bus_retry_tier leads it: each tier but the last a few times, the last until the message is given up, and once
 * more. */
static int64_t tiers_ms(const struct bus_topology *topology) {
  int64_t sum = 0;
  for (size_t i = 0; i < topology->tier_count; i++)
    sum += topology->tiers[i].ttl_ms * (i + 1 < topology->tier_count ? TRIES_PER_TIER : 1);
  return sum;
}

bool retention_is_enough(const struct bus_worker_settings *settings, const struct bus_topology *topology,
                         struct bus_error *err) {
  int64_t path = settings->give_up_ms + tiers_ms(topology);
  int64_t needed = (path + HOUR_MS - 1) / HOUR_MS + settings->parking_h;
  if (settings->inbox_keep_h >= needed)
    return true;
  return bus_fail(err, BUS_E_CONFIG,
                  "INBOX_KEEP_H is %" PRId64 ": a message may come back for %" PRId64 " h (RETRY_GIVE_UP_MS %" PRId64
                  ", retry tiers %" PRId64 " ms, PARKING_H %" PRId64 "), and would be processed twice; it must be at "
                  "least %" PRId64,
                  settings->inbox_keep_h, needed, settings->give_up_ms, tiers_ms(topology), settings->parking_h,
                  needed);
}
