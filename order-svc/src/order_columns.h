/* The tables of the orders database, column by column. */
#pragma once

#include <bus/column.h>

extern const char order_schema_change[];         /* the newest change of the migrations that the tables need */
extern const struct bus_table order_columns;     /* orders.orders, a struct order */
extern const struct bus_table event_columns;     /* orders.order_events, a struct order_record */
extern const struct bus_table tombstone_columns; /* orders.tombstones, a struct order_tombstone */
extern const struct bus_table customer_columns;  /* of COUNT_UNPAID, a struct order_customer */
