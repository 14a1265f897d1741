/* The one thread that writes log lines to stderr. It starts with the first line, and again in a forked child. */
#ifndef BUS_LOG_WRITER_H
#define BUS_LOG_WRITER_H

#include <bus/base.h>

enum { LOG_LINE_SIZE = 4096 }; /* PIPE_BUF: one write of that much into a pipe is never torn */

/* Hands a whole line over; never waits. What does not fit is dropped and counted. urgent: do not wait for others to
 * write together with this one. */
void log_writer_put(struct bus_str line, bool urgent);
/* Writes to stderr from the calling thread, once, where that would not wait: for a process that is about to end.
 * Async-signal-safe. */
bool log_write_now(const char *text, size_t len);

#endif
