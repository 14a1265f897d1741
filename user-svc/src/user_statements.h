/* The registry of user-svc's prepared statements. */
#ifndef USER_STATEMENTS_H
#define USER_STATEMENTS_H

#include <bus/sql.h>

enum user_statement {
  READ_PAST_REQUESTS,
  LOCK_USERS,
  LOCK_SESSIONS,
  LOCK_REFRESH_TOKENS,
  LOCK_RESET_TOKENS,
  LOCK_GUARDS,
  INSERT_PAST_REQUESTS,
  INSERT_USERS,
  UPDATE_USERS,
  INSERT_SESSIONS,
  UPDATE_SESSIONS,
  INSERT_REFRESH_TOKENS,
  UPDATE_REFRESH_TOKENS,
  INSERT_RESET_TOKENS,
  UPDATE_RESET_TOKENS,
  INSERT_GUARDS,
  UPDATE_GUARDS,
  PURGE_PAST_REQUESTS,
  PURGE_REFRESH_TOKENS,
  PURGE_SESSIONS,
  PURGE_RESET_TOKENS,
  PURGE_GUARDS,
  USER_STATEMENTS,
};
extern struct bus_statement user_statements[USER_STATEMENTS];

/* Those of the threads that answer queries. */
enum user_query_statement { GET_USERS, LIST_USERS, GET_CLIENTS, USER_QUERY_STATEMENTS };
extern struct bus_statement user_query_statements[USER_QUERY_STATEMENTS];

/* Makes their texts, once, before they are used. False: out of memory. */
bool user_statements_make(void) BUS_MUST_CHECK;

#endif
