/* The registry of inventory-svc's prepared statements. */
#ifndef INVENTORY_STATEMENTS_H
#define INVENTORY_STATEMENTS_H

#include <bus/sql.h>

enum inventory_statement {
  LOCK_RESERVATIONS,
  LOCK_PRODUCTS,
  READ_ITEMS,
  READ_REQUESTS,
  INSERT_RESERVATIONS,
  MOVE_RESERVATIONS,
  UPDATE_STOCK,
  UPDATE_CARDS,
  INSERT_PRODUCTS,
  INSERT_REQUESTS,
  PURGE_REQUESTS,
  FIND_HELD,
  INVENTORY_STATEMENTS,
};

extern const struct bus_statement inventory_statements[INVENTORY_STATEMENTS];

/* Those of the threads that answer queries. */
enum inventory_query_statement {
  GET_PRODUCTS,
  LIST_PRODUCTS,
  INVENTORY_QUERY_STATEMENTS,
};
extern const struct bus_statement inventory_query_statements[INVENTORY_QUERY_STATEMENTS];

#endif
