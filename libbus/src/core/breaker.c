/* The circuit breaker's three states and what leads from one to the next. */
#include <bus/breaker.h>

#include <assert.h>

void bus_breaker_init(struct bus_breaker *breaker, const struct bus_breaker_settings *settings) {
  assert(settings->threshold >= 1 && settings->threshold <= BUS_BREAKER_THRESHOLD_MAX);
  assert(settings->success_threshold >= 1 && settings->window > 0 && settings->open_for >= 0);
  *breaker = (struct bus_breaker){.settings = *settings, .state = BUS_BREAKER_CLOSED};
}

static void close_breaker(struct bus_breaker *breaker) {
  breaker->state = BUS_BREAKER_CLOSED;
  breaker->failure_count = breaker->next_failure = 0;
}

static void open_breaker(struct bus_breaker *breaker, int64_t now) {
  breaker->state = BUS_BREAKER_OPEN;
  breaker->opened_at = now;
}

static bool is_rested(const struct bus_breaker *breaker, int64_t now) {
  return now - breaker->opened_at >= breaker->settings.open_for;
}

bool bus_breaker_allow(struct bus_breaker *breaker, int64_t now) {
  if (breaker->state == BUS_BREAKER_OPEN && is_rested(breaker, now)) {
    breaker->state = BUS_BREAKER_HALF_OPEN;
    breaker->successes = breaker->probes = 0;
  }
  if (breaker->state != BUS_BREAKER_HALF_OPEN)
    return breaker->state == BUS_BREAKER_CLOSED;
  if (breaker->successes + breaker->probes >= breaker->settings.success_threshold)
    return false;
  breaker->probes++;
  return true;
}

/* An answer to a call from before it opened counts as no probe. */
static bool take_probe(struct bus_breaker *breaker) {
  if (breaker->state != BUS_BREAKER_HALF_OPEN || breaker->probes == 0)
    return false;
  breaker->probes--;
  return true;
}

void bus_breaker_success(struct bus_breaker *breaker, int64_t now) {
  (void)now; /* a success ages nothing: failures leave the window by themselves */
  if (take_probe(breaker) && ++breaker->successes >= breaker->settings.success_threshold)
    close_breaker(breaker);
}

static void record_failure(struct bus_breaker *breaker, int64_t now) {
  int threshold = breaker->settings.threshold;
  breaker->failures[breaker->next_failure] = now;
  breaker->next_failure = (breaker->next_failure + 1) % threshold;
  if (breaker->failure_count < threshold)
    breaker->failure_count++;
  /* In a full ring the place to be written next holds the oldest. */
  if (breaker->failure_count == threshold && now - breaker->failures[breaker->next_failure] <= breaker->settings.window)
    open_breaker(breaker, now);
}

void bus_breaker_failure(struct bus_breaker *breaker, int64_t now) {
  if (breaker->state == BUS_BREAKER_CLOSED)
    record_failure(breaker, now);
  else if (take_probe(breaker))
    open_breaker(breaker, now);
}

enum bus_breaker_state bus_breaker_state(const struct bus_breaker *breaker, int64_t now) {
  if (breaker->state == BUS_BREAKER_OPEN && is_rested(breaker, now))
    return BUS_BREAKER_HALF_OPEN;
  return breaker->state;
}

int64_t bus_breaker_retry_at(const struct bus_breaker *breaker, int64_t now) {
  bool waits = breaker->state == BUS_BREAKER_OPEN && !is_rested(breaker, now);
  return waits ? breaker->opened_at + breaker->settings.open_for : now;
}

size_t bus_breaker_room(const struct bus_breaker *breaker, int64_t now) {
  int probes = breaker->settings.success_threshold;
  switch (bus_breaker_state(breaker, now)) {
  case BUS_BREAKER_OPEN:
    return 0;
  case BUS_BREAKER_HALF_OPEN:
    /* One that has just rested still counts what was before. */
    return (size_t)(breaker->state == BUS_BREAKER_OPEN ? probes : probes - breaker->successes - breaker->probes);
  case BUS_BREAKER_CLOSED:
    break;
  }
  return SIZE_MAX;
}

const char *bus_breaker_state_name(enum bus_breaker_state state) {
  static const char *const names[] = {"closed", "open", "half-open"};
  return (size_t)state < BUS_COUNT(names) ? names[state] : "?";
}
