/* The last lines of a process that is about to end. */
#include <bus/log.h>

#include "log_writer.h"

enum { LAST_FLUSH_MS = 100 };

void bus_log_last_text(struct bus_str text) {
  (void)bus_log_flush(LAST_FLUSH_MS); /* lines that stderr has not accepted by then are lost with the process */
  (void)log_write_now(text.data, text.len < LOG_LINE_SIZE ? text.len : LOG_LINE_SIZE);
}

void bus_log_last_write(enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  char line[LOG_LINE_SIZE];
  size_t len = bus_log_line(line, sizeof line, level, msg, fields);
  bus_log_last_text((struct bus_str){line, len});
}

void bus_log_last_in_signal(enum bus_level level, const char *msg) {
  char line[LOG_LINE_SIZE];
  size_t len = bus_log_line(line, sizeof line, level, msg, NULL);
  (void)log_write_now(line, len); /* the process ends in any case */
}
