/* Counts answers that came late, in a row, and lets one request a second look whether they come again. */
#include "accept_gate.h"

bool accept_gate_is_shut(const struct accept_gate *gate) {
  return atomic_load(&gate->timeouts) >= ACCEPT_GATE_TIMEOUTS;
}

enum accept_patience accept_gate_enter(struct accept_gate *gate, int64_t now) {
  if (!accept_gate_is_shut(gate))
    return ACCEPT_WAIT;
  long long next = atomic_load(&gate->next_probe);
  bool is_mine = now >= next && atomic_compare_exchange_strong(&gate->next_probe, &next, now + ACCEPT_GATE_PAUSE);
  return is_mine ? ACCEPT_PROBE : ACCEPT_CONFIRM;
}

/* Stops at the threshold, so that it cannot overflow. */
static bool count_timeout(struct accept_gate *gate) {
  int timeouts = atomic_load(&gate->timeouts);
  do {
    if (timeouts >= ACCEPT_GATE_TIMEOUTS)
      return false;
  } while (!atomic_compare_exchange_weak(&gate->timeouts, &timeouts, timeouts + 1));
  return timeouts + 1 == ACCEPT_GATE_TIMEOUTS;
}

bool accept_gate_leave(struct accept_gate *gate, enum accept_ending ending) {
  if (ending == ACCEPT_ANSWERED)
    return atomic_exchange(&gate->timeouts, 0) >= ACCEPT_GATE_TIMEOUTS;
  return ending == ACCEPT_TIMED_OUT && count_timeout(gate);
}
