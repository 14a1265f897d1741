/* Structured logs: one JSON object a line on stderr. Thread-safe; a line is one write(2). Every value is escaped, cut
 * at 256 bytes and checked for UTF-8, so that no input can forge a line. No personal data and no secrets: ids only. */
#ifndef BUS_LOG_H
#define BUS_LOG_H

#include <bus/base.h>
#include <bus/trace.h>
#include <bus/uuid.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bus_level { BUS_DEBUG, BUS_INFO, BUS_WARN, BUS_ERROR };
extern const char *const bus_level_names[]; /* "debug" … NULL, for the LOG_LEVEL option */

enum bus_log_kind { BUS_LOG_END, BUS_LOG_STR, BUS_LOG_INT, BUS_LOG_UUID, BUS_LOG_TRACE, BUS_LOG_BOOL };

struct bus_log_field {
  const char *name;
  enum bus_log_kind kind;
  struct bus_str text;
  int64_t number;
  const struct bus_uuid *uuid;
  const struct bus_trace *trace;
};

#define BUS_F_STR(key, value)                                                                                          \
  { .name = (key), .kind = BUS_LOG_STR, .text = bus_str(value) }
#define BUS_F_VIEW(key, value)                                                                                         \
  { .name = (key), .kind = BUS_LOG_STR, .text = (value) }
#define BUS_F_INT(key, value)                                                                                          \
  { .name = (key), .kind = BUS_LOG_INT, .number = (int64_t)(value) }
#define BUS_F_UUID(key, value)                                                                                         \
  { .name = (key), .kind = BUS_LOG_UUID, .uuid = (value) }
#define BUS_F_TRACE(value)                                                                                             \
  { .name = "trace_id", .kind = BUS_LOG_TRACE, .trace = (value) }

/* service: kept, not copied. Level and service hold for the process; call before other threads start. */
void bus_log_init(const char *service, enum bus_level level);
bool bus_log_enabled(enum bus_level level);

/* {"time":"…","level":"info","service":"…","msg":"…", fields…}. Fields that are absent (nil, not set, NULL) are left
 * out. `fields` ends with a zeroed one, which the macro adds. */
void bus_log_write(enum bus_level level, const char *msg, const struct bus_log_field *fields);
#define bus_log(level, msg, ...)                                                                                       \
  bus_log_write((level), (msg), (const struct bus_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = BUS_LOG_END}})

/* The line itself into text (size at least 1024), with '\n' and NUL; returns its length. Pure: for tests and for sinks
 * of one's own. */
size_t bus_log_format(char *text, size_t size, bus_time now, const char *service, enum bus_level level, const char *msg,
                      const struct bus_log_field *fields);

#ifdef __cplusplus
}
#endif
#endif
