/*
 * Structured logs: one JSON object a line on stderr. Thread-safe. Every value is escaped, cut at 256 bytes and checked
 * for UTF-8, so that no input can forge a line. No personal data and no secrets: ids only.
 *
 * Logging never blocks the caller: lines go into a ring of 1 MiB, and a writer thread writes them to stderr. While
 * stderr blocks (a stalled reader, a full disk), lines that do not fit the ring are dropped and counted; a line
 * reports their number once stderr accepts lines again. Lines below `error` may be 5 ms late. At exit the ring is
 * written out for at most a second; SIGKILL loses its content. A child of fork has its own ring and writer.
 */
#pragma once

#include <bus/base.h>
#include <bus/trace.h>
#include <bus/uuid.h>

BUS_C_BEGIN

enum bus_level { BUS_DEBUG, BUS_INFO, BUS_WARN, BUS_ERROR };
extern const char *const bus_level_names[]; /* "debug" … NULL, for the LOG_LEVEL option */

/* ACCESS_LOG: which requests have a line in the log, whatever its level; errors: those answered from 400 on. */
enum bus_access_log { BUS_ACCESS_OFF, BUS_ACCESS_ERRORS, BUS_ACCESS_ALL };
extern const char *const bus_access_log_names[]; /* "off" … NULL, for an option */

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
/* Are lines of that level written? For callers that would make a line in vain. */
bool bus_log_enabled(enum bus_level level);

/* {"time":"…","level":"info","service":"…","msg":"…", fields…}. Fields that are absent (nil, not set, NULL) are left
 * out. `fields` ends with a zeroed one, which the macro adds. */
void bus_log_write(enum bus_level level, const char *msg, const struct bus_log_field *fields);
/* The same at any level: for lines that another setting controls. */
void bus_log_write_always(enum bus_level level, const char *msg, const struct bus_log_field *fields);
#define bus_log(level, msg, ...)                                                                                       \
  bus_log_write((level), (msg), (const struct bus_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = BUS_LOG_END}})

/* Waits at most that long until all lines so far are written. False: some are not. */
bool bus_log_flush(int64_t timeout_ms);
/* Lines dropped since the start: the metric bus_log_lines_dropped_total. */
int64_t bus_log_dropped(void);

/* Writes the last line of a process that is about to end. It waits 100 ms for the ring, then writes the line itself if
 * stderr accepts it at once. Not for signal handlers. */
void bus_log_last_write(enum bus_level level, const char *msg, const struct bus_log_field *fields);
#define bus_log_last(level, msg, ...)                                                                                  \
  bus_log_last_write((level), (msg), (const struct bus_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = BUS_LOG_END}})
/* The same from a signal handler: async-signal-safe, and it does not wait for the ring. */
void bus_log_last_in_signal(enum bus_level level, const char *msg);
/* The same for text that is not a log line: a message of a program that cannot start. It is cut at 4,096 bytes. */
void bus_log_last_text(struct bus_str text);

/* Formats the line that bus_log would write, with this process's clock and service, into text (size at least 1024).
 * Returns its length. */
size_t bus_log_line(char *text, size_t size, enum bus_level level, const char *msg, const struct bus_log_field *fields);

/* Formats a line into text (size at least 1024), with '\n' and NUL; returns its length. Pure: for tests and other
 * sinks. */
size_t bus_log_format(char *text, size_t size, bus_time now, const char *service, enum bus_level level, const char *msg,
                      const struct bus_log_field *fields);

BUS_C_END
