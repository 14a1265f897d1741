/* From a message to what it does to the batch's model and to what is told: the pure half of the service. */
#ifndef INVENTORY_SERVICE_H
#define INVENTORY_SERVICE_H

#include "inventory_model.h"

/* An action of bus_act: the events that are counted after COMMIT. */
struct inventory_tally {
  struct bus_uuid order_id;
  enum reservation_command command;
  enum reservation_alarm alarm;
  bool changed;                 /* else it was answered again with the outcome as it is */
  enum reservation_state state; /* afterwards */
  enum stock_reason reason;     /* of REJECTED */
  int64_t units;                /* that moved */
};

/* bus_service.decide; model is a struct inventory_model whose products are set. */
void inventory_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

/* As clients see it; points to the product's text. */
void product_view_of(const struct product *product, struct product_view *ret);

#endif
