/* The one thread that writes log lines to stderr. It starts with the first line, and again in a forked child. */
#pragma once

#include <bus/base.h>

enum { LOG_LINE_SIZE = 4096 }; /* PIPE_BUF: one write of that much into a pipe is never torn */

/* Queues a whole line; never blocks. A line that does not fit the ring is dropped and counted. urgent: write at once,
 * without waiting for further lines. */
void log_writer_put(struct bus_str line, bool urgent);
/* Writes to stderr from the calling thread, once, where that would not wait: for a process that is about to end.
 * Async-signal-safe. */
bool log_write_now(const char *text, size_t len);
