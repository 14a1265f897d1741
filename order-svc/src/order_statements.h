/* order-svc's SQL, as data: one registry for commands and events, one for queries. */
#pragma once

#include <bus/sql.h>

enum {
  GUARD_SHARED,
  GUARD_ALONE,
  GUARD_UNPAID,
  LOCK_ORDERS,
  FIND_TOMBSTONES,
  COUNT_UNPAID,
  FIND_ATTEMPTS,
  INSERT_ORDERS,
  UPDATE_ORDERS,
  INSERT_EVENTS,
  INSERT_TOMBSTONES,
  PURGE_TOMBSTONES,
  FIND_DUE,
  FIND_PUT_OFF,
  COUNT_OPEN,
  ORDER_STATEMENTS,
};
extern struct bus_statement order_statements[ORDER_STATEMENTS];

enum { GET_ORDERS, LIST_ORDERS, LIST_ORDERS_OF_CUSTOMERS, LIST_EVENTS, OUTBOX_AGE, ORDER_QUERY_STATEMENTS };
extern struct bus_statement order_query_statements[ORDER_QUERY_STATEMENTS];

/* Makes their texts, once, before they are used. False: out of memory. */
bool order_statements_make(void) BUS_MUST_CHECK;
