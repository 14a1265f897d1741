/* Periodics of inventory-svc: order-svc is asked about reservations that are held for longer than expected, own ones
 * expire, and old requests that set stock are deleted. */
#include "inventory_upkeep.h"

#include "inventory.h"
#include "inventory_statements.h"

enum { PURGE_INTERVAL_MS = 600000, HELD_INTERVAL_MS = 5000 };

static void held_put_off_args(void *context, struct bus_args *args) {
  (void)context;
  bus_args_int64(args, RESERVATION_LONGEST_WAIT);
}

const struct bus_periodic inventory_periodics[INVENTORY_PERIODICS] = {
    {.statement = PURGE_REQUESTS, .interval_ms = PURGE_INTERVAL_MS},
    {.statement = FIND_HELD, .interval_ms = HELD_INTERVAL_MS, .when_settled = true, .rows = bus_worker_push_due},
    {.statement = FIND_HELD_PUT_OFF,
     .interval_ms = HELD_INTERVAL_MS,
     .when_settled = true,
     .args = held_put_off_args,
     .rows = bus_worker_push_due},
};
