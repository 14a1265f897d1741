/* The registry of inventory-svc's prepared statements. */
#ifndef INVENTORY_STATEMENTS_H
#define INVENTORY_STATEMENTS_H

#include <bus/sql.h>
#include <inventory_messages.h>

enum inventory_statement {
  LOCK_RESERVATIONS,
  LOCK_PRODUCTS,
  READ_REQUESTS,
  INSERT_RESERVATIONS,
  UPDATE_RESERVATIONS,
  INSERT_PRODUCTS,
  UPDATE_PRODUCTS,
  INSERT_REQUESTS,
  PURGE_REQUESTS,
  FIND_HELD,
  FIND_HELD_PUT_OFF,
  WALK_STOCK,
  INVENTORY_STATEMENTS,
};

extern struct bus_statement inventory_statements[INVENTORY_STATEMENTS];

/* Those of the threads that answer queries. */
enum inventory_query_statement {
  GET_PRODUCTS,
  GET_RESERVATIONS,
  LIST_PRODUCTS,                                   /* by id; then by price, and by price downwards */
  SEARCH_PRODUCTS = LIST_PRODUCTS + PRODUCT_SORTS, /* in the same orders */
  INVENTORY_QUERY_STATEMENTS = SEARCH_PRODUCTS + PRODUCT_SORTS,
};
extern struct bus_statement inventory_query_statements[INVENTORY_QUERY_STATEMENTS];

/* Makes their texts, once, before they are used. False: out of memory. */
bool inventory_statements_make(void) BUS_MUST_CHECK;

#endif
