/* The registry of payment-svc's prepared statements. */
#ifndef PAYMENT_STATEMENTS_H
#define PAYMENT_STATEMENTS_H

#include <bus/sql.h>

enum payment_statement {
  LOCK_PAYMENTS,
  READ_REFUNDS, /* order ids, refund ids → open refunds of these orders, and these refunds */
  INSERT_PAYMENTS,
  UPDATE_PAYMENTS,
  INSERT_LEDGER,
  FIND_DUE,     /* most rows that never failed, most others → order_id: what failed least comes first */
  LOOK_AFTER,   /* attempts from which a refund counts as failing → open, failing, unknown, oldest's age */
  FIND_PUT_OFF, /* most rows, µs that nothing is put off for → order_id */
  INSERT_REFUNDS,
  UPDATE_REFUNDS,
  INSERT_DISPUTES,
  PAYMENT_STATEMENTS,
};

enum payment_query_statement {
  GET_PAYMENTS,        /* order ids */
  GET_PAYMENT_REFUNDS, /* order ids → their refunds, oldest first */
  LIST_OPEN_REFUNDS, /* limits, payments that pages begin behind → pages of payments whose refund is not carried out */
  PAYMENT_QUERY_STATEMENTS,
};

extern struct bus_statement payment_statements[PAYMENT_STATEMENTS], payment_query_statements[PAYMENT_QUERY_STATEMENTS];
/* Makes their texts, once, before they are used. False: out of memory. */
bool payment_statements_make(void) BUS_MUST_CHECK;

/* No gauge counts further. */
#define PAYMENT_GAUGE_MAX "10000"

#endif
