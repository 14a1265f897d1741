/* The failed tries of a message, as text in its header `bus-history`: one line a try, oldest first.
 *
 *   2026-03-01T12:00:00.123Z 3 payment-svc/1.2.0 BUS_E_DB_DATA SQLSTATE 23514: …
 *
 * Operators read this text to find out why a message was dead-lettered. Pure. */
#pragma once

#include <bus/error.h>
#include <bus/timefmt.h>

BUS_C_BEGIN

enum { BUS_HISTORY_MAX = 2048 };

/* One failed try. */
struct bus_failure {
  bus_time at;
  int64_t attempt;
  struct bus_str service; /* "payment-svc/1.2.0" */
  struct bus_str error;   /* "BUS_E_DB_DATA" */
  struct bus_str cause;
};

/* Writes `history` and one more line. If there is no room, lines between the first and the last ones are left out.
 * Returns the length; the result is well-formed UTF-8 whatever the arguments are. */
size_t bus_history_add(struct bus_str history, const struct bus_failure *failure, char text[BUS_HISTORY_MAX]);

/* The last line. False where there is none of that form. Its texts lie in `history`. */
bool bus_history_last(struct bus_str history, struct bus_failure *ret) BUS_MUST_CHECK;

BUS_C_END
