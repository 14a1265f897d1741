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

enum reservation_command { RESERVATION_RESERVE, RESERVATION_COMMIT, RESERVATION_RELEASE, RESERVATION_COMMANDS };
extern const char *const reservation_command_names[];

struct reservation_line {
  struct product *product;
  int64_t quantity;
  int64_t unit_price; /* locked when it was reserved */
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
};

/* What RESERVATION_RESERVE asks for; a product may stand in several lines. */
struct reservation_request {
  struct reservation_line *lines; /* unit_price is written by reservation_decide */
  size_t line_count;
  int64_t expected_total; /* BUS_NO_INT64: whatever it costs */
};

enum reservation_answer { ANSWER_RESERVED, ANSWER_REJECTED, ANSWER_RELEASED, ANSWER_COMMITTED };

struct reservation_decision {
  enum reservation_state next; /* the present one: nothing happens */
  enum reservation_answer answer;
  enum stock_reason reason; /* of ANSWER_REJECTED */
  struct bus_str guilty;
  /* next is RESERVED for the first time */
  const struct reservation_request *request;
  int64_t total;
  struct bus_str currency;
};

/* request: for RESERVATION_RESERVE; else NULL. Changes nothing but the unit prices in the request's lines. */
void reservation_decide(const struct reservation *reservation, enum reservation_command command,
                        const struct reservation_request *request, struct reservation_decision *ret);

/* The one gate through which reservations and the stock under them change. Returns how many units moved. */
int64_t reservation_evolve(struct reservation *reservation, const struct reservation_decision *decision);

/* The transition table in Markdown, for the README. */
void reservation_print_table(void (*write)(void *context, const char *text), void *context);

#endif
