/* The columns of the inventory database's tables, for who looks at the rows. */
#ifndef SIM_TABLE_INVENTORY_H
#define SIM_TABLE_INVENTORY_H

#include "database.h"

enum { PRODUCTS, RESERVATIONS, STOCK_REQUESTS };

enum product_column {
  P_ID,
  P_NAME,
  P_PRICE,
  P_CURRENCY,
  P_ON_HAND,
  P_RESERVED,
  P_SOLD,
  P_RECEIVED,
  P_VERSION,
  P_COLUMNS
};

enum reservation_column {
  R_ORDER,
  R_STATE,
  R_REASON,
  R_PRODUCT,
  R_TOTAL,
  R_CURRENCY,
  R_EXPECTED,
  R_PRODUCTS,
  R_QUANTITIES,
  R_PRICES,
  R_CREATED,
  R_COLUMNS,
};

/* A list as the statements write it: takes the next item off its front; absent at the end. */
struct bus_str list_take(struct bus_str *list);
int64_t list_take_number(struct bus_str *list);

const struct row *products_find(const struct database *database, struct bus_str id);

#endif
