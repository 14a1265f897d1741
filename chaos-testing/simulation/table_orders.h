/* The columns of orders.orders, orders.order_events and orders.tombstones, for who looks at the rows. */
#ifndef SIM_TABLE_ORDERS_H
#define SIM_TABLE_ORDERS_H

#include "database.h"

#include <order_intake.h>
#include <order_messages.h>

enum { ORDERS, ORDER_EVENTS, TOMBSTONES };

/* A list as the statements write it: takes the next item off its front; absent at the end. */
struct bus_str list_take(struct bus_str *list);
int64_t list_take_number(struct bus_str *list);

enum order_column {
  O_ID,
  O_CUSTOMER,
  O_STATUS,
  O_REASON,
  O_PRODUCTS,
  O_QUANTITIES,
  O_PRICES,
  O_TOTAL,
  O_CURRENCY,
  O_CREATED,
  O_UPDATED,
  O_VERSION,
  O_EXPECTED,
  O_HASH,
  O_CAPTURED,
  O_REFUNDED,
  O_STOCK_SETTLED,
  O_PAYMENT_SETTLED,
  O_DEADLINE,
  O_DUE,
  O_RESENDS,
  O_TOKEN,
  O_REPLY_TO,
  O_REQUEST,
  O_REPLY_UNTIL,
  O_TRACE,
  O_CAUSE,
  O_TRACESTATE,
  O_COLUMNS,
};

enum order_event_column { E_ORDER, E_SEQ, E_TYPE, E_AT, E_DATA, E_COLUMNS };
enum tombstone_column { T_ORDER, T_CUSTOMER, T_REASON, T_COLUMNS };

/* The number that order-svc's statement counts; now: the database's. */
struct order_load orders_load(const struct database *database, const struct order_policy *policy,
                              const struct order_limits *limits, bus_time now);
int64_t orders_in(const struct database *database, enum order_status status);
const struct row *orders_find(const struct database *database, const struct bus_uuid *order_id);

#endif
