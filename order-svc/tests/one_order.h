/* The rig with one order: a case begins in a state of it, runs a batch, and looks at its entry. */
#pragma once

#include "rig.h"

extern struct rig rig;
extern struct order order; /* as it was before the batch */

/* ORDER_NONE: no order yet. A case gives begin and run the same state. */
void begin(int before);
void run(int before);
const struct order_entry *entry(void);

#define ID "\"order_id\":\"" SAGA_ID_TEXT "\""
#define PRICED_ITEMS                                                                                                   \
  "[{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":999},"                                                     \
  "{\"product_id\":\"SKU-2\",\"quantity\":1,\"unit_price\":1}]"
#define PLAIN_ITEMS "[{\"product_id\":\"SKU-1\",\"quantity\":2},{\"product_id\":\"SKU-2\",\"quantity\":1}]"
