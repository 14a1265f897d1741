/* Adding up, and which cells some story leads to. */
#include "tally.h"

const char *const tally_outcome_names[OUTCOMES] = {
    "confirmed", "rejected", "declined", "cancelled by customer", "undone by deadline", "undone otherwise"};

/* All members are int64_t. */
void tally_add(struct tally *to, const struct tally *from) {
  int64_t *sums = (int64_t *)to;
  const int64_t *numbers = (const int64_t *)from;
  for (size_t i = 0; i < sizeof *to / sizeof *sums; i++)
    sums[i] += numbers[i];
}

#define CELL(message) (1U << (message))
#define COMMANDS (CELL(ORDER_ON_PLACE) | CELL(ORDER_ON_CANCEL) | CELL(ORDER_ON_PAY))
#define ANY_EVENT                                                                                                      \
  (CELL(ORDER_ON_STOCK_RESERVED) | CELL(ORDER_ON_STOCK_REJECTED) | CELL(ORDER_ON_STOCK_RELEASED) |                     \
   CELL(ORDER_ON_STOCK_HELD) | CELL(ORDER_ON_PAYMENT_CAPTURED) | CELL(ORDER_ON_PAYMENT_DECLINED) |                     \
   CELL(ORDER_ON_PAYMENT_FAILED) | CELL(ORDER_ON_PAYMENT_REFUNDED))
#define DEADLINE CELL(ORDER_ON_DEADLINE)

/* An event is the answer to a command: what was never sent is never answered, and what is answered once is answered so
 * for ever. The other cells are what is done when a service breaks its word. */
bool tally_is_reachable(int state, int message) {
  static const unsigned cells[ORDER_STATES] = {
      [ORDER_PENDING] = COMMANDS | CELL(ORDER_ON_STOCK_RESERVED) | CELL(ORDER_ON_STOCK_REJECTED) |
                        CELL(ORDER_ON_STOCK_HELD) | DEADLINE,
      [ORDER_RESERVED] = COMMANDS | CELL(ORDER_ON_STOCK_RESERVED) | CELL(ORDER_ON_STOCK_HELD) |
                         CELL(ORDER_ON_PAYMENT_CAPTURED) | CELL(ORDER_ON_PAYMENT_DECLINED) |
                         CELL(ORDER_ON_PAYMENT_FAILED) | CELL(ORDER_ON_PAYMENT_REFUNDED) | DEADLINE,
      /* A late capture of an attempt that was declined is refunded unasked. */
      [ORDER_AWAITING_PAYMENT] = COMMANDS | CELL(ORDER_ON_STOCK_RESERVED) | CELL(ORDER_ON_STOCK_HELD) |
                                 CELL(ORDER_ON_PAYMENT_CAPTURED) | CELL(ORDER_ON_PAYMENT_DECLINED) |
                                 CELL(ORDER_ON_PAYMENT_FAILED) | CELL(ORDER_ON_PAYMENT_REFUNDED) | DEADLINE,
      [ORDER_COMPENSATING] = COMMANDS | ANY_EVENT | DEADLINE,
      [ORDER_CONFIRMED] = COMMANDS | CELL(ORDER_ON_STOCK_RESERVED) | CELL(ORDER_ON_STOCK_HELD) |
                          CELL(ORDER_ON_PAYMENT_CAPTURED) | CELL(ORDER_ON_PAYMENT_REFUNDED) | DEADLINE |
                          CELL(ORDER_ON_PAYMENT_DECLINED) | CELL(ORDER_ON_PAYMENT_FAILED), /* of earlier attempts */
      [ORDER_REJECTED] = COMMANDS | CELL(ORDER_ON_STOCK_REJECTED) | DEADLINE,
      [ORDER_CANCELLED] = COMMANDS | ANY_EVENT | DEADLINE,
      [ORDER_NONE] = COMMANDS | (ANY_EVENT & ~CELL(ORDER_ON_STOCK_HELD)) | CELL(ORDER_ON_STOCK_MISSING),
      [ORDER_TOMBSTONE] = COMMANDS & ~CELL(ORDER_ON_PAY), /* an order that is not there: a payment sees no cancel */
  };
  return cells[state] >> message & 1;
}
