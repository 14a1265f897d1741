/* Customers, operators, and those who send what they should not. */
#ifndef SIM_CLIENTS_H
#define SIM_CLIENTS_H

#include "edge.h"

#include <inventory_messages.h>
#include <payment_messages.h>

enum { CLIENT_PRODUCTS = 4, VARIANTS = 2, TRIES_MAX = 12, REFUNDS_MAX = 16, PAY_KEYS_MAX = 3 };

struct client_order {
  int number;
  struct bus_uuid order_id; /* as the customer and the key make it */
  struct bus_str bodies[VARIANTS];
  struct bus_str shown;         /* what it gives and is to be shown again, as a JSON object */
  int64_t quantities[VARIANTS]; /* of the first item */
  int64_t tries, cancels;
  bool later;                              /* it is paid later */
  int pay_keys;                            /* under so many keys */
  struct bus_str pay_bodies[PAY_KEYS_MAX]; /* one for each key */
  int64_t pays;
  bool bad_card;                                     /* its payment fails by itself */
  bool accepted;                                     /* a 2xx was heard */
  bool cancel_accepted;                              /* by order-svc itself */
  const struct letter *taken_cancels[TRIES_MAX + 1]; /* answered 2xx without an order */
  size_t taken_count;
};

/* A reservation without an order. */
struct client_own {
  struct own_make make;
  struct stock_item item;
};

struct clients {
  struct client_own own[OWN_MAX];
  struct client_order orders[ORDERS_MAX];
  size_t order_count;
  struct payment_refund_part refunds[REFUNDS_MAX]; /* that an operator has asked for */
  size_t refund_count;
};

void clients_init(struct world *world);
/* Has an operator asked for it? */
bool clients_asked_refund(const struct world *world, const struct bus_uuid *refund_id);
bool clients_is_set_stock(const struct bus_message_type *type);

#endif
