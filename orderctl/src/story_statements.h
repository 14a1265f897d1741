/* The statements of orderctl, for each database. */
#ifndef STORY_STATEMENTS_H
#define STORY_STATEMENTS_H

#include "story.h"

#include <bus/sql.h>

/* Statements of every database. */
enum { STORY_SQL_OUTGOING, STORY_SQL_PARKED, STORY_SQL_COMMON };
enum {
  STORY_SQL_ORDER = STORY_SQL_COMMON,
  STORY_SQL_EVENTS,
  STORY_SQL_CANCEL,
  STORY_SQL_NOW,
  STORY_SQL_PLACE,
  STORY_SQL_STUCK,
};
enum { STORY_SQL_RESERVATION = STORY_SQL_COMMON };
enum {
  STORY_SQL_PAYMENTS = STORY_SQL_COMMON,
  STORY_SQL_LEDGER,
  STORY_SQL_REFUNDS,
  STORY_SQL_COMMANDS,
  STORY_SQL_MOVEMENTS
};

enum { STORY_ROWS_MAX = 200 };

/* Statements over the log of orders, whose data the operator's role does not read. */
enum { STORY_LOG_ORDERS, STORY_LOG_OF_ORDER };
extern const struct bus_registry story_log_statements;

/* Statements over the outbox of a service. */
enum { OUTBOX_SQL_NOW, OUTBOX_SQL_GROUPS };
extern const struct bus_registry outbox_statements;

/* Statements over the inbox and the dead letters of a service. */
enum { FATES_SQL_FATES, FATES_SQL_FIRST };
extern const struct bus_registry fates_statements;

/* By the place. */
extern const struct bus_registry story_statements[STORY_BROKER];

#endif
