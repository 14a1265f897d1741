/* Invariant of circuit breakers: one that has opened had to, by a count of all calls of the window. */
#include "check.h"

#include "psp.h"

struct count {
  size_t failed_calls, failed_items, tried_items, succeeded_calls;
};

static bool has_failed(const struct psp_call_state *call, const struct bus_breaker_settings *settings, bus_time at) {
  if (call->ended_at == 0 || call->ended_at > at)
    return at - call->began >= settings->time_limit / 2;
  return !call->works && at - call->ended_at <= settings->window;
}

static bool has_succeeded(const struct psp_call_state *call, const struct bus_breaker_settings *settings, bus_time at) {
  bool ended = call->ended_at != 0 && call->ended_at <= at;
  return ended && call->works && at - call->ended_at <= settings->window;
}

/* Is a later call of the same payment one of those? */
static bool is_counted(const struct psp_call_state *newest, const struct psp_call_state *call, bool failed_alone,
                       const struct bus_breaker_settings *settings, bus_time at) {
  for (const struct psp_call_state *other = newest; other != call; other = other->earlier)
    if (bus_uuid_equal(&other->call.order_id, &call->call.order_id) &&
        (has_failed(other, settings, at) || (!failed_alone && has_succeeded(other, settings, at))))
      return true;
  return false;
}

static struct count count_calls(const struct worker *worker, const struct bus_breaker_settings *settings, bus_time at) {
  struct count count = {0};
  for (const struct psp_call_state *call = worker->calls; call; call = call->earlier) {
    bool failed = has_failed(call, settings, at), succeeded = has_succeeded(call, settings, at);
    count.failed_calls += failed;
    count.succeeded_calls += succeeded;
    count.failed_items += failed && !is_counted(worker->calls, call, true, settings, at);
    count.tried_items += (failed || succeeded) && !is_counted(worker->calls, call, false, settings, at);
  }
  return count;
}

void check_opening(struct world *world, const struct worker *worker, const struct bus_breaker_settings *settings) {
  bus_time at = worker->breaker.lanes[BUS_BREAKER_FRESH].until - settings->first_rest;
  struct count count = count_calls(worker, settings, at);
  size_t threshold = (size_t)settings->threshold;
  world->breaker_opened = true;
  bool most_items_fail = count.failed_items >= threshold &&
                         count.failed_items * 100 >= count.tried_items * (size_t)settings->share_percent;
  bool every_call_fails = count.succeeded_calls == 0 && count.failed_calls >= threshold;
  if (!most_items_fail && !every_call_fails)
    world_violate(world, "the PSP's breaker opens though %zu of %zu payments failed, in %zu calls", count.failed_items,
                  count.tried_items, count.failed_calls);
}
