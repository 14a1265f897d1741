/* State of inventory-svc for each worker of commands, and its periodic statements. */
#ifndef INVENTORY_UPKEEP_H
#define INVENTORY_UPKEEP_H

#include <bus/config.h>
#include <bus/worker.h>

/* inventory-svc's own variable. */
struct inventory_settings {
  int64_t low_stock;
};

enum { INVENTORY_OPTIONS = 1 };
extern const struct bus_option inventory_options[INVENTORY_OPTIONS];

/* The first ones are about reservations; the last one counts products for metrics alone. */
enum { INVENTORY_RESERVATION_PERIODICS = 3, INVENTORY_PERIODICS };
extern const struct bus_periodic inventory_periodics[INVENTORY_PERIODICS];

/* As struct bus_service has them; settings: struct inventory_settings. */
bool inventory_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void inventory_close(void *context);

#endif
