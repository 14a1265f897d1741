/* The tables of the users database. */
#ifndef USER_COLUMNS_H
#define USER_COLUMNS_H

#include <bus/column.h>

extern const struct bus_table user_columns, session_columns, refresh_token_columns, reset_token_columns, guard_columns,
    past_request_columns, client_columns;

#endif
