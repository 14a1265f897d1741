/* From an input to what it does to the batch's model and to what is told: the service's decide() and what its actions
 * count. Pure. */
#ifndef ORDER_SERVICE_H
#define ORDER_SERVICE_H

#include "order_model.h"

/* An action for metrics and alarms, carried out after COMMIT. */
struct order_tally {
  struct bus_uuid order_id;
  bool created;
  int finished;      /* the final status that it came into, or -1 */
  int64_t age;       /* finished: µs since it was placed */
  int64_t earned;    /* CONFIRMED: captured and not refunded, in minor units of the currency; else 0 */
  char currency[4];  /* earned: ISO 4217 */
  unsigned resent;   /* SEND_… bits */
  const char *alarm; /* or NULL */
  int status;        /* with the alarm */
};

/* The worker's decide(); model is a struct order_model. */
void order_decide_input(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
