/* Errors: one list with code, class and text. The class alone decides what happens to a message or a process. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

/*
 * NONE       no error
 * CONFLICT   the same work again, soon (serialisation, deadlock, lock timeout)
 * DATA       one message of the batch is guilty: find it by halves, dead-letter it
 * FAULT      the other side refuses a statement that any message may need (a missing GRANT): no delivery is settled
 *            and no message blamed until a transaction commits
 * PERMANENT  this message can never be processed: dead-letter it
 * RETRYABLE  this message may succeed later: a retry tier
 * CONNECTION the other side is away: no delivery is settled, reconnect with backoff
 * FATAL      configuration or programming: the process logs it and ends
 */
enum bus_class {
  BUS_CLASS_NONE,
  BUS_CLASS_CONFLICT,
  BUS_CLASS_DATA,
  BUS_CLASS_FAULT,
  BUS_CLASS_PERMANENT,
  BUS_CLASS_RETRYABLE,
  BUS_CLASS_CONNECTION,
  BUS_CLASS_FATAL,
};

#define BUS_ERROR_MAP(X)                                                                                               \
  X(BUS_OK, NONE, "ok")                                                                                                \
  X(BUS_E_NOMEM, RETRYABLE, "out of memory or over an arena's limit")                                                  \
  X(BUS_E_CONFIG, FATAL, "configuration refused")                                                                      \
  X(BUS_E_SCHEMA, FATAL, "database schema does not fit this version")                                                  \
  X(BUS_E_TOPOLOGY, FATAL, "broker topology does not fit this version")                                                \
  X(BUS_E_DECODE, PERMANENT, "message cannot be decoded")                                                              \
  X(BUS_E_SENDER, PERMANENT, "message type does not belong to its sender")                                             \
  X(BUS_E_UNKNOWN_TYPE, RETRYABLE, "message type or version unknown to this consumer")                                 \
  X(BUS_E_INVALID, PERMANENT, "value refused")                                                                         \
  X(BUS_E_LATER, RETRYABLE, "cannot be decided yet")                                                                   \
  X(BUS_E_CRASHED, PERMANENT, "message was delivered and crashed its consumer repeatedly")                             \
  X(BUS_E_DB_CONNECTION, CONNECTION, "database away")                                                                  \
  X(BUS_E_DB_CONFLICT, CONFLICT, "database asks for the transaction again")                                            \
  X(BUS_E_DB_DATA, DATA, "database refused a value")                                                                   \
  X(BUS_E_DB_FAULT, FAULT, "database refuses a statement, whatever its values")                                        \
  X(BUS_E_DB_SCHEMA, FAULT, "database lacks a table, column or function")                                              \
  X(BUS_E_DB_OTHER, RETRYABLE, "database error that one message may cause")                                            \
  X(BUS_E_AMQP_CONNECTION, CONNECTION, "broker away")                                                                  \
  X(BUS_E_AMQP_REFUSED, FATAL, "broker refused")                                                                       \
  X(BUS_E_TIMEOUT, RETRYABLE, "deadline passed")                                                                       \
  X(BUS_E_SYSTEM, FATAL, "system call failed")

enum bus_errc {
#define BUS_ERROR_ENUM(code, class, text) code,
  BUS_ERROR_MAP(BUS_ERROR_ENUM)
#undef BUS_ERROR_ENUM
};

/* Owned by the caller, filled only on failure; every `err` argument may be NULL. `text` is one line for an operator:
 * what failed, on what, and what to do or what is allowed. It never holds a secret. */
struct bus_error {
  enum bus_errc code;
  char text[256];
};

/* The class of a code, by the list above. */
enum bus_class bus_error_class(enum bus_errc code);
/* "BUS_E_DECODE" */
const char *bus_error_name(enum bus_errc code);

/* Sets code and text; returns false, so that a function can `return bus_fail(err, …)`. */
bool bus_fail(struct bus_error *err, enum bus_errc code, const char *format, ...) BUS_PRINTF(3, 4);
/* Puts "context: " before the text on the way out; returns false. */
bool bus_error_wrap(struct bus_error *err, const char *format, ...) BUS_PRINTF(2, 3);

BUS_C_END
