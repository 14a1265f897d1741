/* The log's sink: one write(2) a line on stderr. */
#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 }; /* PIPE_BUF: a line into a pipe is never torn */

static const char *log_service = "?";
static enum bus_level log_level = BUS_INFO;

void bus_log_init(const char *service, enum bus_level level) {
  log_service = service;
  log_level = level;
}

bool bus_log_enabled(enum bus_level level) {
  return level >= log_level;
}

void bus_log_write(enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  if (!bus_log_enabled(level))
    return;
  int saved = errno;
  char line[LINE_SIZE];
  size_t len = bus_log_format(line, sizeof line, bus_wall_clock(), log_service, level, msg, fields);
  ssize_t written;
  do
    written = write(STDERR_FILENO, line, len);
  while (written < 0 && errno == EINTR);
  errno = saved; /* a log line that nobody can take is no error of the caller's */
}
