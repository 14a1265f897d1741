/* Places that contradict each other about one order, as after databases were restored to different moments, and the
 * repair of each contradiction. Pure. */
#ifndef MISFIT_H
#define MISFIT_H

#include <bus/base.h>
#include <bus/uuid.h>

/* States in order-svc's rows. PAID, of an earlier release, counts as RESERVED. */
enum misfit_order_state {
  MISFIT_NO_ORDER,
  MISFIT_PENDING,
  MISFIT_RESERVED,
  MISFIT_COMPENSATING,
  MISFIT_CONFIRMED,
  MISFIT_REJECTED,
  MISFIT_CANCELLED,
  MISFIT_AWAITING_PAYMENT,
  MISFIT_ORDER_STATES,
};
/* States in inventory-svc's rows. */
enum misfit_stock_state {
  MISFIT_NO_STOCK,
  MISFIT_STOCK_RESERVED,
  MISFIT_STOCK_COMMITTED,
  MISFIT_STOCK_RELEASED,
  MISFIT_STOCK_RETURNED,
  MISFIT_STOCK_REJECTED,
  MISFIT_STOCK_STATES,
};
/* States in payment-svc's rows. */
enum misfit_payment_state {
  MISFIT_PROCESSING,
  MISFIT_CAPTURED,
  MISFIT_DECLINED,
  MISFIT_FAILED,
  MISFIT_VOIDED,
  MISFIT_REFUNDING,
  MISFIT_REFUNDED,
  MISFIT_UNKNOWN,
  MISFIT_PAYMENT_STATES,
};
/* As the databases write them. False: another word. */
bool misfit_order_state_of(struct bus_str word, enum misfit_order_state *ret) BUS_MUST_CHECK;
bool misfit_stock_state_of(struct bus_str word, enum misfit_stock_state *ret) BUS_MUST_CHECK;
bool misfit_payment_state_of(struct bus_str word, enum misfit_payment_state *ret) BUS_MUST_CHECK;

/* All rows and movements begin with it. */
struct misfit_row {
  struct bus_uuid order_id;
  bus_time created_at, updated_at;
};
struct misfit_payment {
  struct misfit_row row;
  int64_t attempt; /* 0: of an order that is paid at once */
  enum misfit_payment_state state;
  int64_t amount, refunded;
  struct bus_str psp_id;
};
/* A movement in the provider's records. */
struct misfit_movement {
  struct misfit_row row;
  bool is_refund;
  int64_t amount;
  struct bus_str currency, psp_id;
};

/* All that is known of one order. */
struct misfit_facts {
  enum misfit_order_state order;
  int64_t refunded, attempts; /* of the order */
  int64_t total;              /* BUS_NO_INT64: unknown */
  bool pay_later, stock_settled, payment_settled;
  bool stock_missing; /* order-svc has noted that its stock could not be sold */
  enum misfit_stock_state stock;
  const struct misfit_payment *payments; /* by attempt */
  size_t payment_count;
  const struct misfit_movement *movements;
  size_t movement_count;
};

enum misfit_repair {
  MISFIT_BY_HAND,       /* none: a person decides */
  MISFIT_ADOPT,         /* the payment becomes what the provider's records say */
  MISFIT_RESERVE,       /* inventory.reserve to inventory-svc, which answers again */
  MISFIT_RELEASE,       /* inventory.release to inventory-svc */
  MISFIT_SELL,          /* order.confirmed to inventory-svc */
  MISFIT_RETURN,        /* inventory.restock to inventory-svc */
  MISFIT_REFUND,        /* payment.refund to payment-svc */
  MISFIT_TELL_RESERVED, /* events to order-svc, of what the other services have */
  MISFIT_TELL_RELEASED,
  MISFIT_TELL_CAPTURED,
  MISFIT_TELL_REFUSED,
  MISFIT_TELL_REFUNDED,
  MISFIT_REPAIRS,
};
/* "adopt", …: how JSON and the record name it. */
extern const char *const misfit_repair_names[MISFIT_REPAIRS + 1];

enum { MISFIT_TEXT = 200, MISFITS_MAX = 8 };
struct misfit {
  enum misfit_repair repair;
  int64_t attempt;                                /* of the payment */
  int64_t captured, refunded;                     /* ADOPT: as the provider has it */
  struct bus_str currency, psp_id, refund_psp_id; /* ADOPT */
  enum misfit_payment_state payment;              /* TELL_REFUSED: DECLINED or FAILED */
  char text[MISFIT_TEXT];                         /* the sentence, without the order's id */
};

/* Repairs stand in the order in which they are carried out. Returns how many there are. */
size_t misfit_find(const struct misfit_facts *facts, struct misfit ret[MISFITS_MAX]);

#endif
