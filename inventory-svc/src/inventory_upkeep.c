/* Periodics of inventory-svc: order-svc is asked about reservations that are held for longer than expected, own ones
 * expire, old requests that set stock are deleted, and products with little stock are counted. */
#include "inventory_upkeep.h"

#include "inventory.h"
#include "inventory_metrics.h"
#include "inventory_statements.h"
#include "inventory_walk.h"

#include <stdlib.h>

const struct bus_option inventory_options[INVENTORY_OPTIONS] = {
    {"LOW_STOCK", BUS_OPTION_INT, offsetof(struct inventory_settings, low_stock), "10", 1, STOCK_ON_HAND_MAX, NULL,
     false, NULL, "products with fewer on hand count as inventory_products_low_stock"},
};

struct inventory_context {
  int64_t low_stock;
  struct inventory_walk walk;
};

bool inventory_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  const struct inventory_settings *own = settings;
  if (!inventory_metrics_open(settings, worker, ret_context, err))
    return false;
  struct inventory_context *context = calloc(1, sizeof *context);
  if (!context)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker's context");
  context->low_stock = own->low_stock;
  *ret_context = context;
  return true;
}

void inventory_close(void *context) {
  free(context);
}

enum { PURGE_INTERVAL_MS = 600000, HELD_INTERVAL_MS = 5000 };

static void held_put_off_args(void *context, struct bus_args *args) {
  (void)context;
  bus_args_int64(args, RESERVATION_LONGEST_WAIT);
}

static void walk_args(void *opaque, struct bus_args *args) {
  const struct inventory_context *context = opaque;
  bus_args_text(args, bus_str(context->walk.after));
  bus_args_int64(args, INVENTORY_WALK_PAGE);
  bus_args_int64(args, context->low_stock);
}

static void walk_rows(void *opaque, struct bus_worker *worker, const struct bus_rows *rows) {
  struct inventory_context *context = opaque;
  const struct inventory_scarcity page = {bus_rows_int64(rows, 0, 2), bus_rows_int64(rows, 0, 3)};
  struct inventory_scarcity found;
  (void)worker;
  if (inventory_walk_page(&context->walk, bus_rows_int64(rows, 0, 0), bus_rows_text(rows, 0, 1), &page, &found))
    inventory_metrics_scarcity(&found);
}

const struct bus_periodic inventory_periodics[INVENTORY_PERIODICS] = {
    {.statement = PURGE_REQUESTS, .interval_ms = PURGE_INTERVAL_MS},
    {.statement = FIND_HELD, .interval_ms = HELD_INTERVAL_MS, .when_settled = true, .rows = bus_worker_push_due},
    {.statement = FIND_HELD_PUT_OFF,
     .interval_ms = HELD_INTERVAL_MS,
     .when_settled = true,
     .args = held_put_off_args,
     .rows = bus_worker_push_due},
    {.statement = WALK_STOCK, .interval_ms = INVENTORY_WALK_MS, .args = walk_args, .rows = walk_rows},
};
