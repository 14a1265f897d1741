/* An order and its saga: what it is, what a message decides, how facts change it. Pure: time is an argument, and what
 * is to be sent comes out as data. */
#ifndef ORDER_H
#define ORDER_H

#include "order_fact.h"

#include <bus/effects.h>

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

struct order {
  struct bus_uuid order_id;

  /* The fold of its facts, member for member. */
  int status;      /* enum order_status, or ORDER_NONE */
  int64_t version; /* seq of its last fact */
  struct bus_str customer_id;
  struct order_item *items;
  size_t item_count;
  struct order_request request;
  struct bus_str request_hash;
  struct bus_str reason;
  int64_t total; /* BUS_NO_INT64 until RESERVED; from then on a charge was asked */
  struct bus_str currency;
  int64_t captured, refunded; /* as far as payment-svc has said */
  bool stock_settled;         /* inventory holds nothing for it (CONFIRMED: it sells it) */
  bool payment_settled;       /* no money of it is held, or may yet be taken (CONFIRMED: it was earned) */
  bus_time created_at, updated_at;

  /* Operational: what the log does not tell. */
  bus_time deadline; /* BUS_NO_TIME in a final state */
  bus_time due_at;   /* when to look at the deadline: never later than it, often earlier (see order_schedule) */
  int64_t resends;
  struct bus_str payment_token; /* until it was sent with the charge */
  struct bus_asker asker;       /* who waits for a final state */
  bus_time reply_until;
  struct bus_cause cause; /* the order.place, for what deadlines send */

  struct order_tombstone *tombstones; /* cancels that came before the order */
};

enum order_message {
  ORDER_ON_PLACE,            /* struct order_place */
  ORDER_ON_CANCEL,           /* struct order_cancel */
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
/* "order.place", … "deadline" */
extern const char *const order_message_names[ORDER_MESSAGES];
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

/* Why an order was undone that was not reserved, or not paid, within its deadline. */
#define ORDER_REASON_TIMEOUT "timeout"

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

struct order_policy {
  int64_t deadline; /* µs in PENDING and in RESERVED; then it is undone */
  int64_t resend;   /* µs between repetitions in COMPENSATING */
};
/* µs: nothing is put off for longer, transactions that began a little later included. A deadline that is further away
 * was set before the clock was set back, and is set anew when it is looked at. */
int64_t order_longest_wait(const struct order_policy *policy);
/* When a new order is decided at the latest, if its deadlines are met: it may spend one in PENDING and one in RESERVED.
 */
bus_time order_expected_until(const struct order *order, bus_time now);
/* µs, a quarter of the deadline: an order that is younger is not late. */
int64_t order_late_after(const struct order_policy *policy);
/* µs: an order whose deadline is no further away has waited for more than a quarter of it, and is late. */
int64_t order_late_within(const struct order_policy *policy);
/* Sets deadline and due_at after a decision; before: the status before it. due_at is indexed and follows the deadline
 * only where it must (the deadline came closer) or when it is reached, so that the common steps leave the index alone.
 */
void order_schedule(struct order *order, int before, bool deadline_reached, const struct order_policy *policy,
                    bus_time now);

/* As clients see it; items are the order's own. */
struct order_view order_view_of(struct order *order);

#endif
