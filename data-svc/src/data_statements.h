/* The registries of data-svc's prepared statements, named by their index. */
#pragma once

#include <bus/sql.h>

enum data_statement {
  LOCK_ORDERS,
  READ_MONTHS,
  READ_ORDERS,
  PUT_ORDERS,
  PUT_LINES,
  PUT_ROLLUPS,
  KEEP_MONTHS,
  LOCK_JOBS,
  WALK_JOBS,
  COPY_ORDERS,
  SUM_HOURS,
  SUM_DAYS,
  UPDATE_JOBS,
  FIND_JOBS,
  COUNT_JOBS,
  PURGE_JOBS,
  DATA_STATEMENTS
};
/* Searches of orders: by time, of a customer, of a product; jobs, and the orders that an export copied. */
enum data_query_statement {
  REVENUE,
  SUMS,
  ORDERS_BY_TIME,
  ORDERS_BY_CUSTOMER,
  ORDERS_BY_PRODUCT,
  GET_JOBS,
  LIST_JOBS,
  COPIED_ORDERS,
  DATA_QUERY_STATEMENTS
};

extern struct bus_statement data_statements[DATA_STATEMENTS], data_query_statements[DATA_QUERY_STATEMENTS];

/* Before there is any thread. False: out of memory. */
bool data_statements_make(void) BUS_MUST_CHECK;
