/* The registries of notify-svc's prepared statements, named by their index. */
#pragma once

#include <bus/sql.h>

enum notify_statement {
  LOCK_CUSTOMERS,
  LOCK_ENDPOINTS,
  LOCK_DELIVERIES,
  LOCK_MAIL_WINDOWS,
  INSERT_ENDPOINTS,
  UPDATE_ENDPOINTS,
  INSERT_DELIVERIES,
  UPDATE_DELIVERIES,
  INSERT_ATTEMPTS,
  INSERT_MAIL_WINDOWS,
  UPDATE_MAIL_WINDOWS,
  TELL_DISABLED,
  REPLAY_DELIVERIES,
  FIND_DUE,
  LOOK_AFTER,
  PURGE_DELIVERIES,
  PURGE_OF_DELETED,
  PURGE_ENDPOINTS,
  PURGE_UNCONFIRMED,
  PURGE_MAIL_WINDOWS,
  NOTIFY_STATEMENTS
};
enum notify_query_statement { GET_ENDPOINTS, LIST_ENDPOINTS, PAGE_DELIVERIES, PAGE_ATTEMPTS, NOTIFY_QUERY_STATEMENTS };

extern struct bus_statement notify_statements[NOTIFY_STATEMENTS], notify_query_statements[NOTIFY_QUERY_STATEMENTS];

/* Before there is any thread. False: out of memory. */
bool notify_statements_make(void) BUS_MUST_CHECK;
