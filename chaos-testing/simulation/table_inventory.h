/* The tables of the inventory database: of struct product, struct reservation and struct stock_request. */
#ifndef SIM_TABLE_INVENTORY_H
#define SIM_TABLE_INVENTORY_H

#include "database.h"

#include <inventory_service.h>

enum { PRODUCTS, RESERVATIONS, STOCK_REQUESTS };

/* NULL: there is none. */
const struct product *products_find(const struct database *database, struct bus_str id);
const struct reservation *reservation_in(const struct bus_memory_row *row);

#endif
