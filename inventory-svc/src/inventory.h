/*
 * The inventory: products with their stock, and the reservation of one order, all of it or nothing. Decide says what
 * happens and what the order is told, evolve lets it happen. One reservation an order forever, so that commands may
 * come late, twice and in any order. An own reservation is an operator's: it has no order, and expires. Every change
 * keeps received = on_hand + reserved + sold. Pure.
 */
#ifndef INVENTORY_H
#define INVENTORY_H

#include <bus/base.h>
#include <inventory_messages.h>

/* ---- products ---- */

struct product {
  struct bus_str id, name, currency;
  int64_t price;    /* minor units */
  int64_t on_hand;  /* what can still be reserved */
  int64_t reserved; /* held by open orders */
  int64_t sold;
  int64_t received;
  int64_t version;       /* +1 by each change of its name, price, currency or sale; 0: there is no such product (yet) */
  int64_t stock_version; /* +1 by each move of its stock */
  bool withdrawn;        /* from sale */
  int64_t stored;        /* product_changes in the database */
};

static inline bool product_exists(const struct product *product) {
  return product->version > 0;
}

/* How often anything of it has changed. */
static inline int64_t product_changes(const struct product *product) {
  return product->version + product->stock_version;
}

/* The invariant; an absent product has nothing. */
bool product_is_valid(const struct product *product);
/* On sale, under that name and price. */
bool product_is_as(const struct product *product, const struct inventory_put_product *put);

/* ---- reservations ---- */

enum reservation_state {
  RESERVATION_NONE,
  RESERVATION_RESERVED,
  RESERVATION_COMMITTED,
  RESERVATION_RELEASED, /* also a tombstone: a release that came before its reserve */
  RESERVATION_RETURNED, /* sold, and put back into stock */
  RESERVATION_REJECTED,
  RESERVATION_ORDER_STATES, /* of an order's reservation */
  RESERVATION_EXPIRED = RESERVATION_ORDER_STATES,
  RESERVATION_STATES,
};
/* "NONE", "RESERVED", …, as the database has them; NULL-terminated. */
extern const char *const reservation_state_names[];

/* SELL: the order is CONFIRMED. RETURN: an operator has refunded it and puts its stock back. */
enum reservation_command {
  RESERVATION_RESERVE,
  RESERVATION_SELL,
  RESERVATION_RELEASE,
  RESERVATION_RETURN,
  RESERVATION_COMMANDS
};
extern const char *const reservation_command_names[];

struct reservation_line {
  struct product *product;
  int64_t quantity;
  int64_t unit_price;        /* locked when it was reserved */
  struct bus_str product_id; /* of a reservation's line */
};

struct reservation {
  struct bus_uuid order_id; /* or its own id */
  enum reservation_state state;
  struct reservation_line *lines; /* none for what was never reserved */
  size_t line_count;
  int64_t total; /* with lines */
  struct bus_str currency;
  enum stock_reason reason; /* REJECTED */
  struct bus_str guilty;    /* REJECTED: the product, where there is one */
  bus_time created_at;
  bus_time expected_until; /* RESERVED: when order-svc is asked about it, or it expires; else BUS_NO_TIME */
  bus_time expires_at;     /* of an own one; BUS_NO_TIME: an order's */
};

static inline bool reservation_is_own(const struct reservation *reservation) {
  return reservation->expires_at != BUS_NO_TIME;
}

/* The items of a RESERVATION_RESERVE or RESERVATION_SELL; a product may stand in several lines. */
struct reservation_request {
  struct reservation_line *lines; /* RESERVE: unit_price is written by reservation_evolve */
  size_t line_count;
  int64_t expected_total;  /* RESERVE: BUS_NO_INT64 for any total. SELL: the total */
  struct bus_str currency; /* SELL */
  bus_time expected_until; /* RESERVE */
  bool is_own;             /* RESERVE: it expires then */
};

/* LATER: the command is to come again, behind one that is on its way. */
enum reservation_answer {
  ANSWER_NONE,
  ANSWER_RESERVED,
  ANSWER_REJECTED,
  ANSWER_RELEASED,
  ANSWER_MISSING,
  ANSWER_LATER
};

/* Alarms for an operator. */
enum reservation_alarm {
  ALARM_NONE,
  ALARM_MISSING, /* an order is CONFIRMED, and its stock is not there */
  ALARM_SOLD,    /* a release came for stock that is sold */
  ALARM_HELD,    /* neither sold nor released after RESERVATION_ALARM_AFTER */
  RESERVATION_ALARMS,
};
extern const char *const reservation_alarm_names[RESERVATION_ALARMS];

/* A reservation is held no longer without a question to order-svc, or an alarm, unless order-svc said when it expects
 * to decide. */
#define RESERVATION_ALARM_AFTER (10 * BUS_MINUTE)
#define RESERVATION_ASK_EVERY BUS_MINUTE
/* order-svc may expect to decide so much later: an order that is paid later has up to a day. */
#define RESERVATION_HOLD_MAX (25 * BUS_HOUR)
/* Upper bound of every expected_until, including transactions that began a little later: a reservation that is expected
 * later was written before the database's clock was set back. */
#define RESERVATION_LONGEST_WAIT (RESERVATION_HOLD_MAX + 5 * BUS_SECOND)

struct reservation_decision {
  enum reservation_state next; /* the present one: nothing happens */
  enum reservation_answer answer;
  enum reservation_alarm alarm;
  enum stock_reason reason; /* of ANSWER_REJECTED and ANSWER_MISSING */
  struct bus_str guilty;
  /* The reservation gets its items: RESERVED, or COMMITTED without a reservation before. */
  const struct reservation_request *request;
  int64_t total;
  struct bus_str currency;
};

/* ---- decide ---- */

/* INVENTORY_CREATED, INVENTORY_UPDATED: product_put is to be called. INVENTORY_CHANGED_MEANWHILE: the condition does
 * not hold, and the product is not as the command wants it either. */
enum inventory_outcome product_decide_put(const struct product *product, const struct product_put *put);
/* INVENTORY_UPDATED: product_withdraw is to be called; INVENTORY_NOT_FOUND, INVENTORY_CHANGED_MEANWHILE. */
enum inventory_outcome product_decide_withdraw(const struct product *product, const struct product_withdraw *withdraw);

/* INVENTORY_UPDATED: product_set_on_hand is to be called with *ret_on_hand. INVENTORY_NOT_FOUND,
 * INVENTORY_CHANGED_MEANWHILE, INVENTORY_BELOW_RESERVED, INVENTORY_TOO_MUCH: it is not. */
enum inventory_outcome product_decide_stock(const struct product *product, const struct stock_update *update,
                                            int64_t *ret_on_hand);

/* request: for RESERVATION_RESERVE and RESERVATION_SELL; else NULL. */
void reservation_decide(const struct reservation *reservation, enum reservation_command command,
                        const struct reservation_request *request, struct reservation_decision *ret);

/* Own reservations. now: a RESERVED one whose time is over expires, whatever is asked. ret: as above, but for answer
 * and alarm; reason and guilty where it is refused. request: of OWN_MAKE, with the prices of the day; else NULL. */
enum own_command { OWN_MAKE, OWN_CONFIRM, OWN_RELEASE, OWN_EXPIRE };
enum own_outcome own_decide(const struct reservation *reservation, enum own_command command,
                            const struct reservation_request *request, bus_time now, struct reservation_decision *ret);

/* Whether order-svc is to be asked about it: it is still RESERVED after its expected_until. */
bool reservation_is_due(const struct reservation *reservation, bus_time now);

/* ---- evolve ---- */

/* The one gate through which reservations and the stock under them change. Returns how many units moved. */
int64_t reservation_evolve(struct reservation *reservation, const struct reservation_decision *decision);
/* order-svc was asked: it is asked again after RESERVATION_ASK_EVERY. */
void reservation_asked(struct reservation *reservation, bus_time now);

/* on_hand → reserved. The caller has seen that so much is there. */
void product_reserve(struct product *product, int64_t quantity);
/* reserved → on_hand */
void product_release(struct product *product, int64_t quantity);
/* reserved → sold */
void product_sell(struct product *product, int64_t quantity);
/* sold → on_hand */
void product_return(struct product *product, int64_t quantity);
/* received moves by the difference. */
void product_set_on_hand(struct product *product, int64_t on_hand);

/* Adds the product or changes what the command says; on_hand of a new one only. It is on sale again. */
void product_put(struct product *product, const struct inventory_put_product *put);
void product_withdraw(struct product *product);

#endif
