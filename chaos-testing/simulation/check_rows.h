/* Checks of rows: the fold of the log, the stock's balance, the payments' books. */
#ifndef SIM_CHECK_ROWS_H
#define SIM_CHECK_ROWS_H

#include "world.h"

struct worker;

void check_orders(struct world *world);
void check_inventory(struct world *world, const struct worker *worker);
void check_payments(struct world *world);

#endif
