/* The facts of an order, as data: the entries of its event log. Types and members here are read forever: a fact that
 * was once written must decode in every later version. Pure. */
#ifndef ORDER_FACT_H
#define ORDER_FACT_H

#include "order_messages.h"

enum order_fact_type {
  FACT_CREATED,   /* order.created: the request as it was decoded */
  FACT_RESERVED,  /* order.reserved: prices, total and currency are locked */
  FACT_PAID,      /* order.paid: captured while RESERVED; only in logs of the releases before CONFIRMED came at once */
  FACT_CONFIRMED, /* order.confirmed: captured, so that nothing can stop it; amount absent behind order.paid */
  FACT_REJECTED,  /* order.rejected */
  FACT_COMPENSATING,     /* order.compensating: undone from here on */
  FACT_CANCELLED,        /* order.cancelled: all of it is undone */
  FACT_STOCK_RETURNED,   /* stock.returned: inventory holds nothing for it */
  FACT_PAYMENT_REFUSED,  /* payment.refused: no money moved */
  FACT_PAYMENT_CAPTURED, /* payment.captured: while it was being undone, or later */
  FACT_PAYMENT_REFUNDED, /* payment.refunded: amount is all that came back */
  FACT_STOCK_MISSING,    /* stock.missing: CONFIRMED, and inventory could not sell it */
  FACT_TYPES,
};

struct fact_created {
  struct bus_str customer_id;
  struct order_item *items;
  size_t item_count;
  struct order_request request;
  struct bus_str request_hash;
};
struct fact_reserved {
  struct order_item *items; /* the order's own, with unit_price */
  size_t item_count;
  int64_t total;
  struct bus_str currency;
};
/* paid, payment.captured, payment.refunded */
struct fact_money {
  int64_t amount; /* minor units */
};
struct fact_confirmed {
  int64_t amount;        /* captured; BUS_NO_INT64 behind order.paid */
  struct bus_str reason; /* of the release before, which never wrote one */
};
/* rejected, payment.refused, stock.missing: why; of the others: absent */
struct fact_reason {
  struct bus_str reason;
};
struct fact_compensating {
  struct bus_str reason;
  bool alarm; /* came behind the pivot: somebody should look */
};

struct order_fact {
  enum order_fact_type type;
  union {
    struct fact_created created;
    struct fact_reserved reserved;
    struct fact_money money;
    struct fact_confirmed confirmed;
    struct fact_reason reason;
    struct fact_compensating compensating;
  } data;
};

/* "order.created" …, NULL-terminated */
extern const char *const order_fact_names[];
/* FACT_TYPES: none of that name. */
enum order_fact_type order_fact_find(struct bus_str name);

bool order_fact_encode(const struct order_fact *fact, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;
bool order_fact_decode(enum order_fact_type type, struct bus_str json, struct bus_arena *arena, struct order_fact *ret,
                       struct bus_problems *problems) BUS_MUST_CHECK;

#endif
