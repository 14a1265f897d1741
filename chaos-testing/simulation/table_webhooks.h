/* The tables of the webhooks database, for who looks at the rows: of struct endpoint, struct delivery and struct
 * attempt. */
#ifndef SIM_TABLE_WEBHOOKS_H
#define SIM_TABLE_WEBHOOKS_H

#include "database.h"

#include <notify_model.h>

enum { ENDPOINTS, DELIVERIES, ATTEMPTS };

static inline const struct delivery *delivery_in(const struct bus_memory_row *row) {
  return row->record;
}

#endif
