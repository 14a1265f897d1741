/* An order and its saga: what it is, what a message decides, how facts change it. Pure: time is an argument, and what
 * is to be sent comes out as data. */
#pragma once

#include "order_messages.h"
#include "order_reason.h"

#include <bus/effects.h>
#include <bus/saga.h>

/* The facts of an order, as data: the entries of its event log. Types and members here are read forever: a fact that
 * was once written must decode in every later version. */
enum order_fact_type {
  FACT_CREATED,   /* order.created: the request as it was decoded */
  FACT_RESERVED,  /* order.reserved: prices, total and currency are locked; it awaits its payment if it is paid later */
  FACT_PAID,      /* order.paid: captured while RESERVED; only in logs of the releases before CONFIRMED came at once */
  FACT_CONFIRMED, /* order.confirmed: captured, so that nothing can stop it; amount absent behind order.paid */
  FACT_REJECTED,  /* order.rejected */
  FACT_COMPENSATING,      /* order.compensating: undone from here on */
  FACT_CANCELLED,         /* order.cancelled: all of it is undone */
  FACT_STOCK_RETURNED,    /* stock.returned: inventory holds nothing for it */
  FACT_PAYMENT_REFUSED,   /* payment.refused: no money moved */
  FACT_PAYMENT_CAPTURED,  /* payment.captured: while it was being undone, or later */
  FACT_PAYMENT_REFUNDED,  /* payment.refunded: amount is all that came back */
  FACT_STOCK_MISSING,     /* stock.missing: CONFIRMED, and inventory could not sell it */
  FACT_PAYMENT_REQUESTED, /* payment.requested: an attempt to pay later has begun */
  FACT_TYPES,
};

/* Members that its type has in the log; the others are zero. */
struct order_fact {
  enum order_fact_type type;
  struct bus_str customer_id;   /* created */
  struct order_item *items;     /* created; reserved: the order's own, with unit_price */
  size_t item_count;            /* of items */
  struct bus_str payment;       /* created: "later"; absent: at once */
  struct order_request request; /* created */
  struct bus_str request_hash;  /* created; payment.requested: of the order.pay */
  struct bus_uuid pay_id;       /* payment.requested */
  int64_t attempt;              /* payment.requested: 1, 2, … */
  int64_t total;                /* reserved */
  struct bus_str currency;      /* reserved */
  int64_t amount;               /* minor units. paid, confirmed, payment.captured, payment.refunded */
  struct bus_str reason;        /* rejected, compensating, payment.refused, stock.missing: why; of others: absent */
  bool alarm;                   /* compensating: came behind the pivot: somebody should look */
};

/* "order.created" …, NULL-terminated */
extern const char *const order_fact_names[];
/* FACT_TYPES: none of that name. */
enum order_fact_type order_fact_find(struct bus_str name);

bool order_fact_encode(const struct order_fact *fact, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;
bool order_fact_decode(enum order_fact_type type, struct bus_str json, struct bus_arena *arena, struct order_fact *ret,
                       struct bus_problems *problems) BUS_MUST_CHECK;

/* A fact as a row of the log. */
struct order_record {
  struct bus_uuid order_id;
  int64_t seq;
  enum order_fact_type type;
  bus_time at;
  struct bus_str data; /* JSON */
  struct order_record *next;
};

/* The states of an order that does not exist: rows of the table like every status. ORDER_TOMBSTONE: a cancel came
 * before it. The member `status` is ORDER_NONE for both, since whom a tombstone concerns depends on the message: see
 * order_state_for. */
enum { ORDER_NONE = ORDER_STATUS_COUNT, ORDER_TOMBSTONE, ORDER_STATES };

/* A cancel that came before its order. */
struct order_tombstone {
  struct bus_str customer_id; /* it concerns this customer's order alone; absent: anybody's */
  struct bus_str reason;      /* the customer's own words, or absent */
  bool stored;                /* it is in the database */
  struct order_tombstone *next;
  struct bus_uuid order_id;
};

/* An order.pay that an attempt followed. */
struct order_attempt {
  struct bus_uuid order_id, pay_id;
  struct bus_str request_hash;
  struct order_attempt *next;
};

/* Whether one more order may be paid later. */
enum order_room { ORDER_ROOM, ORDER_ROOM_CUSTOMER_FULL, ORDER_ROOM_FULL };

struct order {
  struct bus_uuid order_id;

  /* The fold of its facts, member for member. */
  int status;      /* enum order_status, or ORDER_NONE */
  int64_t version; /* seq of its last fact */
  struct bus_str customer_id;
  struct order_item *items;
  size_t item_count;
  bool pay_later;
  struct order_request request;
  struct bus_str request_hash;
  struct bus_str reason;
  int64_t total; /* BUS_NO_INT64 until RESERVED or AWAITING_PAYMENT */
  struct bus_str currency;
  int64_t captured, refunded; /* as far as payment-svc has said */
  bool stock_settled;         /* inventory holds nothing for it (CONFIRMED: it sells it) */
  bool payment_settled; /* no money of it is held, or may yet be taken (CONFIRMED: it was earned). To be paid later:
                         * no attempt is open */
  int64_t attempts;     /* to pay it later; the last one alone may be open */
  bus_time created_at, updated_at;

  /* Operational: what the log does not tell. */
  bus_time deadline; /* BUS_NO_TIME in a final state */
  bus_time due_at;   /* when to look at the deadline: never later than it, often earlier (see order_schedule) */
  int64_t resends;
  struct bus_str payment_token; /* until it was sent with the charge */
  struct bus_asker asker;       /* who waits for a final state */
  bus_time reply_until;
  struct bus_cause cause; /* the order.place, for what deadlines send */

  /* Needed by messages of a batch, and not stored. */
  enum order_room room;        /* order.place */
  struct order_attempt *tried; /* order.pay: those that an attempt followed */

  struct order_tombstone *tombstones; /* order.place, order.cancel: cancels that came before the order */
};

enum order_message {
  ORDER_ON_PLACE,            /* struct order_place */
  ORDER_ON_CANCEL,           /* struct order_cancel */
  ORDER_ON_PAY,              /* struct order_pay */
  ORDER_ON_STOCK_RESERVED,   /* struct stock_reserved */
  ORDER_ON_STOCK_REJECTED,   /* struct stock_rejected */
  ORDER_ON_STOCK_RELEASED,   /* struct stock_event */
  ORDER_ON_STOCK_MISSING,    /* struct stock_rejected */
  ORDER_ON_STOCK_HELD,       /* struct stock_event */
  ORDER_ON_STOCK_COMMITTED,  /* struct stock_event; from an inventory-svc of the release before */
  ORDER_ON_PAYMENT_CAPTURED, /* struct payment_event */
  ORDER_ON_PAYMENT_DECLINED, /* struct payment_refusal */
  ORDER_ON_PAYMENT_FAILED,   /* struct payment_refusal */
  ORDER_ON_PAYMENT_REFUNDED, /* struct payment_event */
  ORDER_ON_DEADLINE,         /* nothing */
  ORDER_MESSAGES,
};
/* The table of all states and messages, in the order of their enumerations. */
extern const struct bus_saga order_saga;
/* "PENDING", …; "none", "tombstone" */
const char *order_state_name(int state);

/* Commands to other services. SEND_CONFIRMED: the event order.confirmed once more; FACT_CONFIRMED sends the first. */
enum {
  SEND_RESERVE = 1 << 0,
  SEND_CHARGE = 1 << 1,
  SEND_CONFIRMED = 1 << 2,
  SEND_RELEASE = 1 << 3,
  SEND_REFUND = 1 << 4,
};

enum { ORDER_FACTS_MAX = 4, ORDER_NO_OUTCOME = -1 };

struct order_decision {
  struct order_fact facts[ORDER_FACTS_MAX]; /* in order; none: the order stays as it is */
  size_t fact_count;
  unsigned sends;
  int outcome;          /* enum order_outcome, to whom sent the command; ORDER_NO_OUTCOME for events */
  bool resend;          /* sends are a repetition of what was asked before */
  const char *alarm;    /* what somebody should look at, or NULL */
  const char *unusable; /* the message contradicts the order or has none: to be parked, nothing else is decided */
  bool keeps_cancel;    /* the message is an order.cancel that becomes a tombstone */
};

/* The row of the table that a message finds: the order's status, ORDER_NONE or ORDER_TOMBSTONE. Someone else's order or
 * tombstone is none. */
int order_state_for(const struct order *order, enum order_message message, const void *body);

/* Texts of the result lie in the arena, the message or the order. False when out of memory. */
bool order_decide(const struct order *order, enum order_message message, const void *body, bus_time now,
                  struct bus_arena *arena, struct order_decision *ret) BUS_MUST_CHECK;

/* An order of which nothing is known yet. */
void order_init(struct order *order, const struct bus_uuid *order_id);
/* The one gate through which an order changes. The fact's texts and items must live as long as the order. The fact's
 * own time is order->updated_at afterwards: `at`, but never before what it was. */
void order_evolve(struct order *order, const struct order_fact *fact, bus_time at);

bool order_is_final(const struct order *order);
/* True for every valid order in the database. */
bool order_is_valid(const struct order *order);

/* As clients see it; items are the order's own. */
struct order_view order_view_of(struct order *order);
