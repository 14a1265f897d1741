/* The tables of the orders database: of struct order, struct order_record and struct order_tombstone. */
#ifndef SIM_TABLE_ORDERS_H
#define SIM_TABLE_ORDERS_H

#include "database.h"

#include <order_schedule.h>
#include <order_service.h>

enum { ORDERS, ORDER_EVENTS, TOMBSTONES };

/* Orders that a customer may have not yet paid: fewer than by default, so that customers reach the limit. */
enum { SIM_UNPAID_MAX = 1 };

int64_t orders_in(const struct database *database, enum order_status status);
/* NULL: there is none. */
const struct order *orders_find(const struct database *database, const struct bus_uuid *order_id);
const struct order *order_in(const struct bus_memory_row *row);

#endif
