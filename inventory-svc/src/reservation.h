/*
 * The reservation of one order, all of it or nothing: decide says what happens and what the order is told, evolve lets
 * it happen. One row an order for ever, so that commands may come late, twice and in any order. Pure.
 */
#ifndef INVENTORY_RESERVATION_H
#define INVENTORY_RESERVATION_H

#include "stock.h"

#include <inventory_messages.h>

enum reservation_state {
  RESERVATION_NONE,
  RESERVATION_RESERVED,
  RESERVATION_COMMITTED,
  RESERVATION_RELEASED, /* also a tombstone: a release that came before its reserve */
  RESERVATION_REJECTED,
  RESERVATION_STATES,
};
/* "NONE", "RESERVED", …, as the database has them; NULL-terminated. */
extern const char *const reservation_state_names[];

/* SELL: the order is CONFIRMED. */
enum reservation_command { RESERVATION_RESERVE, RESERVATION_SELL, RESERVATION_RELEASE, RESERVATION_COMMANDS };
extern const char *const reservation_command_names[];

struct reservation_line {
  struct product *product;
  int64_t quantity;
  int64_t unit_price;        /* locked when it was reserved */
  struct bus_str product_id; /* of a reservation's line */
};

struct reservation {
  struct bus_uuid order_id;
  enum reservation_state state;
  struct reservation_line *lines; /* none for what was never reserved */
  size_t line_count;
  int64_t total; /* with lines */
  struct bus_str currency;
  enum stock_reason reason; /* REJECTED */
  struct bus_str guilty;    /* REJECTED: the product, where there is one */
  bus_time created_at;
  bus_time expected_until; /* RESERVED: when order-svc is asked about it; else BUS_NO_TIME */
};

/* The items of a RESERVATION_RESERVE or RESERVATION_SELL; a product may stand in several lines. */
struct reservation_request {
  struct reservation_line *lines; /* RESERVE: unit_price is written by reservation_decide */
  size_t line_count;
  int64_t expected_total;  /* RESERVE: BUS_NO_INT64 for any total. SELL: the total */
  struct bus_str currency; /* SELL */
  bus_time expected_until; /* RESERVE */
};

enum reservation_answer { ANSWER_NONE, ANSWER_RESERVED, ANSWER_REJECTED, ANSWER_RELEASED, ANSWER_MISSING };

/* Alarms for an operator. */
enum reservation_alarm {
  ALARM_NONE,
  ALARM_MISSING, /* an order is CONFIRMED, and its stock is not there */
  ALARM_SOLD,    /* a release came for stock that is sold */
  ALARM_HELD,    /* neither sold nor released after RESERVATION_ALARM_AFTER */
  RESERVATION_ALARMS,
};
extern const char *const reservation_alarm_names[RESERVATION_ALARMS];

/* A reservation is held no longer without a question to order-svc, or an alarm. */
#define RESERVATION_ALARM_AFTER (10 * BUS_MINUTE)
#define RESERVATION_ASK_EVERY BUS_MINUTE

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

/* request: for RESERVATION_RESERVE and RESERVATION_SELL; else NULL. Changes only the unit prices in the lines of a
 * RESERVATION_RESERVE. */
void reservation_decide(const struct reservation *reservation, enum reservation_command command,
                        const struct reservation_request *request, struct reservation_decision *ret);

/* The one gate through which reservations and the stock under them change. Returns how many units moved. */
int64_t reservation_evolve(struct reservation *reservation, const struct reservation_decision *decision);

/* Whether order-svc is to be asked about it. If so, expected_until moves on. */
bool reservation_ask(struct reservation *reservation, bus_time now);

/* The transition table in Markdown, for the README. */
void reservation_print_table(void (*write)(void *context, const char *text), void *context);

#endif
