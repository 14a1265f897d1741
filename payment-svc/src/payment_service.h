/* The service's decide(): inputs of the bus to inputs of the payment, and its effects to effects of the bus. Pure. */
#ifndef PAYMENT_SERVICE_H
#define PAYMENT_SERVICE_H

#include "payment_model.h"

/* Actions after COMMIT: a call, metrics and logs. */
struct payment_action {
  bool calls;
  struct payment_call call;
  bool moved; /* into `state` */
  enum payment_state state;
  enum payment_alarm alarm;
  struct bus_uuid order_id;
  struct bus_trace trace;
  int64_t attempts;
};

/* bus_service.decide over a struct payment_model. */
void payment_service_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

/* bus_service.decide of the queries: answers payment.ping. model: a struct bus_pong. */
void payment_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
