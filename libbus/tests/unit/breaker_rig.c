/* The functions of breaker_rig.h. */
#include "breaker_rig.h"

#include "test.h"

const struct bus_breaker_settings defaults = BUS_BREAKER_DEFAULTS;
struct bus_breaker breaker;
struct bus_breaker_call calls[CALLS]; /* of the subject with that number */
int64_t now;

void begin(const struct bus_breaker_settings *settings) {
  bus_breaker_init(&breaker, settings);
  now = 77 * BUS_SECOND;
}

void begin_with_limit(int64_t time_limit) {
  struct bus_breaker_settings settings = defaults;
  settings.time_limit = time_limit;
  begin(&settings);
}

bool try_as(uint64_t subject, enum bus_breaker_past past) {
  return bus_breaker_begin(&breaker, &calls[subject], subject, past, now);
}

bool try_call(uint64_t subject) {
  return try_as(subject, BUS_BREAKER_FRESH);
}

void end_call(uint64_t subject, bool works) {
  bus_breaker_end(&breaker, &calls[subject], works, now);
}

void fail_subject(uint64_t subject) {
  assert_true(try_call(subject));
  end_call(subject, false);
}

void succeed(uint64_t subject) {
  assert_true(try_call(subject));
  end_call(subject, true);
}

void fail_subjects(uint64_t first, uint64_t count) {
  for (uint64_t subject = first; subject < first + count; subject++)
    fail_subject(subject);
}

void succeed_subjects(uint64_t first, uint64_t count) {
  for (uint64_t subject = first; subject < first + count; subject++)
    succeed(subject);
}

void assert_state(enum bus_breaker_state expected) {
  assert_string_equal(bus_breaker_state_name(bus_breaker_state(&breaker, now)), bus_breaker_state_name(expected));
}
