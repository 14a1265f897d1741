/* Clock, log and failpoints of a process, for the services' periodics: no seed sees the real clock, and log lines go
 * nowhere. */
#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/log.h>

int64_t bus_monotonic(void) {
  return 0;
}

bus_time bus_wall_clock(void) {
  return 0;
}

bool bus_log_enabled(enum bus_level level) {
  (void)level;
  return false;
}

void bus_log_write(enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)level, (void)msg, (void)fields;
}

#ifdef ORDERBUS_FAILPOINTS
enum bus_fault bus_failpoint_hit(const struct bus_failpoint *point) {
  (void)point;
  return BUS_FAULT_NONE;
}
#endif
