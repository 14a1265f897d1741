/* The log's front: formats a line and hands it to the writer. */
#include <bus/log.h>

#include <errno.h>

#include "log_writer.h"

void bus_log_write_always(enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  int saved = errno;
  char line[LOG_LINE_SIZE];
  size_t len = bus_log_line(line, sizeof line, level, msg, fields);
  log_writer_put((struct bus_str){line, len}, level >= BUS_ERROR);
  errno = saved; /* a line that cannot be written is no error of the caller */
}

void bus_log_write(enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  if (bus_log_enabled(level))
    bus_log_write_always(level, msg, fields);
}
