/* Fields of every log line of this process, and the lowest level that is logged. */
#include <bus/clock.h>
#include <bus/log.h>

static const char *log_service = "?";
static enum bus_level log_level = BUS_INFO;

void bus_log_init(const char *service, enum bus_level level) {
  log_service = service;
  log_level = level;
}

bool bus_log_enabled(enum bus_level level) {
  return level >= log_level;
}

size_t bus_log_line(char *text, size_t size, enum bus_level level, const char *msg,
                    const struct bus_log_field *fields) {
  return bus_log_format(text, size, bus_wall_clock(), log_service, level, msg, fields);
}
