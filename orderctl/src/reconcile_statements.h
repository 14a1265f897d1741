/* Statements of orderctl reconcile: the rows of each database, page by page; bodies of messages, made of rows; repairs.
 */
#ifndef RECONCILE_STATEMENTS_H
#define RECONCILE_STATEMENTS_H

#include "program.h"

/* Statements of every database, as its operator. PAGE: $1: the id behind which it begins; $2: Unix seconds; $3: at most
 * so many. OUTBOX: ids, $1: at most so many. TAKEN: how many of $1 the inbox has. */
enum { RECONCILE_SQL_PAGE, RECONCILE_SQL_OUTBOX, RECONCILE_SQL_TAKEN, RECONCILE_SQL_FIRST };
/* Bodies for $1: the order; of payments $2: the attempt. No row: the place has changed meanwhile. */
enum { RECONCILE_SQL_RESERVED = RECONCILE_SQL_FIRST };
enum { RECONCILE_SQL_CAPTURED = RECONCILE_SQL_FIRST, RECONCILE_SQL_REFUSED, RECONCILE_SQL_REFUNDED };
/* The same over the log's role, which reads customers' data. */
enum { RECONCILE_SQL_RESERVE, RECONCILE_SQL_CONFIRMED };
/* As the databases' owners. */
enum { RECONCILE_SQL_PUT_OFF };
enum { RECONCILE_SQL_ADOPT };

extern const struct bus_registry reconcile_statements[STORY_BROKER], reconcile_log_statements, reconcile_orders_repairs,
    reconcile_payments_repairs;

/* A reader of these statements, as the operator. */
bool reconcile_reader_open(const struct program *program, enum story_place place, int64_t timeout_ms,
                           struct bus_reader **ret, struct bus_error *err) BUS_MUST_CHECK;

#endif
