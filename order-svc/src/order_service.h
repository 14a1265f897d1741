/* A batch of commands and events: the orders that it touches, each once, what each input does to them, and what is
 * told. Pure. */
#pragma once

#include "order_schedule.h"

#include <bus/aggregate.h>

struct order_entry {
  struct order now;
  struct order_record *first, *last;
};

/* The open orders of a customer that are paid later, when the batch began and as it decides. */
struct order_customer {
  struct bus_str customer_id;
  int64_t unpaid, unpaid_of_all;
};

/* Rows that a batch needs besides its orders. */
struct order_need {
  bool tombstones; /* may be met */
  bool alone;      /* a tombstone may be written */
  bool customers;  /* an order may be placed that is paid later */
  bool attempts;   /* an order is paid */
};

struct order_model {
  struct bus_arena *arena;
  const struct order_policy *policy;
  const struct order_unpaid_limits *unpaid;
  struct order_need need;
  struct bus_set customers; /* of struct order_customer, by id: those who place an order that is paid later */
  int64_t placed_unpaid;    /* such orders, by this batch */
  struct bus_set orders;    /* of struct order_entry, by id; status ORDER_NONE until it is loaded or created */
};

/* ORDER_MESSAGES: no such message is taken. The body of any other input begins with the order's id. */
enum order_message order_input_message(const struct bus_input *input);

bool order_model_new(const struct bus_input *inputs, size_t count, const struct order_policy *policy,
                     const struct order_unpaid_limits *unpaid, struct bus_arena *arena,
                     struct order_model **ret) BUS_MUST_CHECK;
/* NULL: no input named it. */
struct order_entry *order_model_find(const struct order_model *model, const struct bus_uuid *order_id);
/* A cancel that came before the order, as it is loaded or decided. False when out of memory. */
bool order_model_add_tombstone(struct order_model *model, struct order_entry *entry,
                               const struct order_tombstone *tombstone) BUS_MUST_CHECK;
/* An order.pay that an attempt followed, as it is loaded or decided. False when out of memory. */
bool order_model_add_attempt(struct order_model *model, struct order_entry *entry,
                             const struct order_fact *requested) BUS_MUST_CHECK;
/* Lets a fact happen: into the log and onto the order. False when out of memory; nothing has changed then. */
bool order_model_record(struct order_model *model, struct order_entry *entry, const struct order_fact *fact,
                        bus_time now) BUS_MUST_CHECK;

/* An action for metrics and alarms, carried out after COMMIT. */
struct order_tally {
  struct bus_uuid order_id;
  bool created;
  int finished;           /* the final status that it came into, or -1 */
  size_t why;             /* finished, and not CONFIRMED: as order_why_find */
  int64_t age;            /* finished: µs since it was placed */
  struct bus_trace trace; /* finished: that of the order.place, without its state */
  int64_t earned;         /* CONFIRMED: captured and not refunded, in minor units of the currency; else 0 */
  char currency[4];       /* earned: ISO 4217 */
  unsigned resent;        /* SEND_… bits */
  const char *alarm;      /* or NULL */
  int status;             /* with the alarm */
};

/* The event that order-svc publishes with a fact (NULL: none), and its body, of the order as it is then. */
const struct bus_message_type *order_event_type(enum order_fact_type fact);
struct order_event order_event_of(const struct order *order, const struct bus_message_type *type);

/* The worker's decide() and conclude(); model is a struct order_model. */
void order_decide_input(void *model, const struct bus_input *input, struct bus_effects *effects);
void order_conclude(void *model, struct bus_effects *effects);
