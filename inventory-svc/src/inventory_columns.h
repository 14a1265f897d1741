/* The tables of the inventory database, column by column. */
#ifndef INVENTORY_COLUMNS_H
#define INVENTORY_COLUMNS_H

#include <bus/column.h>

extern const struct bus_table product_columns;     /* inventory.products, a struct product */
extern const struct bus_table reservation_columns; /* inventory.reservations, a struct reservation */
extern const struct bus_table request_columns;     /* inventory.stock_requests, a struct stock_request */

#endif
