/* Counts answers that came late, in a row, and lets one request a second look whether they come again. */
#include "accept_mode.h"

bool accept_mode_is_confirm(const struct accept_mode *mode) {
  return atomic_load(&mode->timeouts) >= ACCEPT_MODE_TIMEOUTS;
}

enum accept_patience accept_mode_enter(struct accept_mode *mode, int64_t now) {
  if (!accept_mode_is_confirm(mode))
    return ACCEPT_WAIT;
  long long next = atomic_load(&mode->next_probe);
  bool is_mine = now >= next && atomic_compare_exchange_strong(&mode->next_probe, &next, now + ACCEPT_MODE_PAUSE);
  return is_mine ? ACCEPT_PROBE : ACCEPT_CONFIRM;
}

/* Stops at the threshold, so that it cannot overflow. */
static bool count_timeout(struct accept_mode *mode) {
  int timeouts = atomic_load(&mode->timeouts);
  do {
    if (timeouts >= ACCEPT_MODE_TIMEOUTS)
      return false;
  } while (!atomic_compare_exchange_weak(&mode->timeouts, &timeouts, timeouts + 1));
  return timeouts + 1 == ACCEPT_MODE_TIMEOUTS;
}

bool accept_mode_leave(struct accept_mode *mode, enum accept_ending ending) {
  if (ending == ACCEPT_ANSWERED)
    return atomic_exchange(&mode->timeouts, 0) >= ACCEPT_MODE_TIMEOUTS;
  return ending == ACCEPT_TIMED_OUT && count_timeout(mode);
}
