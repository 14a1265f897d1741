/* The model of a batch: each payment of its inputs once, and the new rows of the ledger; and the service's decide():
 * inputs of the bus to inputs of the payment, and its effects to effects of the bus. Pure; in the batch's arena. */
#ifndef PAYMENT_SERVICE_H
#define PAYMENT_SERVICE_H

#include "payment.h"

#include <bus/aggregate.h>
#include <bus/effects.h>

/* The body of a BUS_INPUT_DEADLINE: the row's key. Plain data. The body of a BUS_INPUT_COMPLETION is a struct
 * payment_result. */
struct payment_due {
  struct bus_uuid order_id;
};

/* Money that moved: one row of the ledger. */
struct payment_booking {
  struct bus_uuid order_id;
  enum payment_money entry;
  int64_t refund; /* number of the refund's idempotency key; 0: the capture */
  int64_t amount;
  struct bus_str currency, psp_id; /* live as long as the model; as the inputs */
  struct payment_booking *next;
};

/* One piece of news of a dispute. */
struct payment_dispute_news {
  struct bus_uuid event_id;          /* of the message */
  struct bus_str dispute_id, psp_id; /* as in struct payment_dispute; live as long as the inputs */
  int64_t amount;
  struct bus_str currency, reason, status;
  bus_time at;
  struct payment_dispute_news *next;
};

struct payment_model {
  const struct payment_policy *policy;
  struct bus_set payments;          /* of struct payment, by order id; state NONE until loaded */
  struct bus_set refunds;           /* of struct refund: those that the inputs name, and the open ones of payments */
  struct payment_booking *bookings; /* the last one first */
  struct payment_dispute_news *disputes; /* likewise */
};

/* The payments that the inputs name. False: out of memory. */
bool payment_model_new(const struct bus_input *inputs, size_t count, const struct payment_policy *policy,
                       struct bus_arena *arena, struct payment_model **ret) BUS_MUST_CHECK;
/* The keys of all payments that an order can have; or the payment itself, where the id is one. */
void payment_add_keys(struct bus_set *payments, const struct bus_uuid *id);
/* Among those: the last attempt to pay the order later; else its one payment, which perhaps does not exist. A next
 * attempt follows only where the last took no money, so that no earlier one is what the order was paid with. */
struct payment *payment_last_of(const struct bus_set *payments, const struct bus_uuid *id);
/* The payment that an input is about. NULL: none that we know of. */
struct payment *payment_model_of(const struct payment_model *model, const struct bus_input *input);
/* NULL: not in the model. */
struct payment *payment_model_find(const struct payment_model *model, const struct bus_uuid *key);

/* The views for operators. The refunds' room: as many as there are. */
void refund_view_of(const struct refund *refund, const struct payment *payment, struct refund_view *ret);
void payment_view_of(const struct payment *payment, struct payment_view *ret);

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
  const struct payment_dispute_news *dispute; /* ALARM_DISPUTE alone: it names no order */
};

/* bus_service.decide over a struct payment_model. */
void payment_service_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
