/* State × message: every cell is filled; a cell may be "ignore". */
#include "order_table.h"

const char *const order_message_names[ORDER_MESSAGES] = {
    [ORDER_ON_PLACE] = "order.place",
    [ORDER_ON_CANCEL] = "order.cancel",
    [ORDER_ON_STOCK_RESERVED] = "stock.reserved",
    [ORDER_ON_STOCK_REJECTED] = "stock.rejected",
    [ORDER_ON_STOCK_RELEASED] = "stock.released",
    [ORDER_ON_STOCK_MISSING] = "stock.missing",
    [ORDER_ON_STOCK_HELD] = "stock.held",
    [ORDER_ON_STOCK_COMMITTED] = "stock.committed",
    [ORDER_ON_PAYMENT_CAPTURED] = "payment.captured",
    [ORDER_ON_PAYMENT_DECLINED] = "payment.declined",
    [ORDER_ON_PAYMENT_FAILED] = "payment.failed",
    [ORDER_ON_PAYMENT_REFUNDED] = "payment.refunded",
    [ORDER_ON_DEADLINE] = "deadline",
};

const char *order_state_name(int state) {
  if (state < ORDER_STATUS_COUNT)
    return order_status_names[state];
  return state == ORDER_NONE ? "none" : "tombstone";
}

/* clang-format off: a cell a line */
#define IGNORE(state)                                                                                                  \
  { .step = STEP_IGNORE, .next = (state) }
#define ALARM(state, text)                                                                                             \
  { .step = STEP_IGNORE, .next = (state), .alarm = (text) }
#define PARK(state)                                                                                                    \
  { .step = STEP_PARK, .next = (state) }
#define REFUSE(state, what)                                                                                            \
  { .step = STEP_REFUSE, .next = (state), .outcome = (what) }
#define GO(what, state)                                                                                                \
  { .step = (what), .next = (state) }
#define UNDO                                                                                                           \
  { .step = STEP_COMPENSATE, .next = ORDER_COMPENSATING, .outcome = ORDER_CANCEL_ACCEPTED }

const struct order_rule order_rules[ORDER_STATES][ORDER_MESSAGES] =
    {
        [ORDER_NONE] =
            {
                [ORDER_ON_PLACE] = GO(STEP_CREATE, ORDER_PENDING),
                [ORDER_ON_CANCEL] = {.step = STEP_KEEP_CANCEL, .next = ORDER_TOMBSTONE, .outcome = ORDER_NOT_FOUND},
                [ORDER_ON_STOCK_RESERVED] = PARK(ORDER_NONE),
                [ORDER_ON_STOCK_REJECTED] = PARK(ORDER_NONE),
                [ORDER_ON_STOCK_RELEASED] = PARK(ORDER_NONE),
                [ORDER_ON_STOCK_MISSING] = PARK(ORDER_NONE),
                [ORDER_ON_STOCK_HELD] = ALARM(ORDER_NONE, "stock held for an order that does not exist"),
                [ORDER_ON_STOCK_COMMITTED] = PARK(ORDER_NONE),
                [ORDER_ON_PAYMENT_CAPTURED] = PARK(ORDER_NONE),
                [ORDER_ON_PAYMENT_DECLINED] = PARK(ORDER_NONE),
                [ORDER_ON_PAYMENT_FAILED] = PARK(ORDER_NONE),
                [ORDER_ON_PAYMENT_REFUNDED] = PARK(ORDER_NONE),
                [ORDER_ON_DEADLINE] = IGNORE(ORDER_NONE),
            },
        [ORDER_TOMBSTONE] =
            {
                [ORDER_ON_PLACE] = GO(STEP_CREATE_CANCELLED, ORDER_CANCELLED),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_TOMBSTONE, ORDER_CANCEL_ACCEPTED),
                [ORDER_ON_STOCK_RESERVED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_STOCK_REJECTED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_STOCK_RELEASED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_STOCK_MISSING] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_STOCK_HELD] = ALARM(ORDER_TOMBSTONE, "stock held for an order that does not exist"),
                [ORDER_ON_STOCK_COMMITTED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_PAYMENT_CAPTURED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_PAYMENT_DECLINED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_PAYMENT_FAILED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_PAYMENT_REFUNDED] = PARK(ORDER_TOMBSTONE),
                [ORDER_ON_DEADLINE] = IGNORE(ORDER_TOMBSTONE),
            },
        [ORDER_PENDING] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_PENDING),
                [ORDER_ON_CANCEL] = UNDO,
                [ORDER_ON_STOCK_RESERVED] = GO(STEP_LOCK_PRICES, ORDER_RESERVED),
                [ORDER_ON_STOCK_REJECTED] = GO(STEP_REJECT, ORDER_REJECTED),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_PENDING),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_PENDING, "stock missing before it was sold"),
                [ORDER_ON_STOCK_HELD] = IGNORE(ORDER_PENDING),
                [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_PENDING, "stock committed before it was asked"),
                [ORDER_ON_PAYMENT_CAPTURED] = ALARM(ORDER_PENDING, "payment captured before it was asked"),
                [ORDER_ON_PAYMENT_DECLINED] = IGNORE(ORDER_PENDING),
                [ORDER_ON_PAYMENT_FAILED] = IGNORE(ORDER_PENDING),
                [ORDER_ON_PAYMENT_REFUNDED] = IGNORE(ORDER_PENDING),
                [ORDER_ON_DEADLINE] = UNDO,
            },
        [ORDER_RESERVED] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_RESERVED),
                [ORDER_ON_CANCEL] = UNDO,
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_RESERVED),
                [ORDER_ON_STOCK_REJECTED] = {.step = STEP_COMPENSATE,
                                             .next = ORDER_COMPENSATING,
                                             .alarm = "reservation gone before the payment"},
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_RESERVED),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_RESERVED, "stock missing before it was sold"),
                [ORDER_ON_STOCK_HELD] = IGNORE(ORDER_RESERVED),
                [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_RESERVED, "stock committed before it was asked"),
                [ORDER_ON_PAYMENT_CAPTURED] = GO(STEP_CONFIRM, ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_DECLINED] = UNDO,
                [ORDER_ON_PAYMENT_FAILED] = UNDO,
                [ORDER_ON_PAYMENT_REFUNDED] = IGNORE(ORDER_RESERVED),
                [ORDER_ON_DEADLINE] = UNDO,
            },
        [ORDER_PAID] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_PAID),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_PAID, ORDER_CANCEL_TOO_LATE),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_PAID),
                [ORDER_ON_STOCK_REJECTED] = {.step = STEP_COMPENSATE,
                                             .next = ORDER_COMPENSATING,
                                             .alarm = "reservation gone after the payment"},
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_PAID),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_PAID, "stock missing of an order that is paid"),
                [ORDER_ON_STOCK_HELD] = IGNORE(ORDER_PAID),
                [ORDER_ON_STOCK_COMMITTED] = GO(STEP_CONFIRM_PAID, ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_CAPTURED] = IGNORE(ORDER_PAID),
                [ORDER_ON_PAYMENT_DECLINED] = ALARM(ORDER_PAID, "payment declined after it was captured"),
                [ORDER_ON_PAYMENT_FAILED] = ALARM(ORDER_PAID, "payment failed after it was captured"),
                [ORDER_ON_PAYMENT_REFUNDED] = ALARM(ORDER_PAID, "payment refunded that nobody asked back"),
                [ORDER_ON_DEADLINE] = GO(STEP_CONFIRM_PAID, ORDER_CONFIRMED),
            },
        [ORDER_COMPENSATING] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_COMPENSATING),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_COMPENSATING, ORDER_CANCEL_ACCEPTED),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_COMPENSATING), /* the release is on its way behind it */
                [ORDER_ON_STOCK_REJECTED] = GO(STEP_STOCK_BACK, ORDER_CANCELLED),
                [ORDER_ON_STOCK_RELEASED] = GO(STEP_STOCK_BACK, ORDER_CANCELLED),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_COMPENSATING, "stock missing of an order that is being undone"),
                [ORDER_ON_STOCK_HELD] = GO(STEP_END_HOLD, ORDER_COMPENSATING),
                [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_COMPENSATING, "stock sold for an order that is being undone"),
                [ORDER_ON_PAYMENT_CAPTURED] = GO(STEP_NOTE_CAPTURE, ORDER_COMPENSATING),
                [ORDER_ON_PAYMENT_DECLINED] = GO(STEP_MONEY_REFUSED, ORDER_CANCELLED),
                [ORDER_ON_PAYMENT_FAILED] = GO(STEP_MONEY_REFUSED, ORDER_CANCELLED),
                [ORDER_ON_PAYMENT_REFUNDED] = GO(STEP_MONEY_BACK, ORDER_CANCELLED),
                [ORDER_ON_DEADLINE] = GO(STEP_RESEND, ORDER_COMPENSATING),
            },
        [ORDER_CONFIRMED] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_CONFIRMED),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_CONFIRMED, ORDER_CANCEL_TOO_LATE),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_STOCK_REJECTED] = ALARM(ORDER_CONFIRMED, "stock rejected after it was sold"),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_STOCK_MISSING] = {.step = STEP_NOTE_MISSING,
                                            .next = ORDER_CONFIRMED,
                                            .alarm = "stock missing of an order that is CONFIRMED"},
                [ORDER_ON_STOCK_HELD] = GO(STEP_END_HOLD, ORDER_CONFIRMED),
                [ORDER_ON_STOCK_COMMITTED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_CAPTURED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_DECLINED] = ALARM(ORDER_CONFIRMED, "payment declined after it was captured"),
                [ORDER_ON_PAYMENT_FAILED] = ALARM(ORDER_CONFIRMED, "payment failed after it was captured"),
                [ORDER_ON_PAYMENT_REFUNDED] = ALARM(ORDER_CONFIRMED, "payment refunded that nobody asked back"),
                [ORDER_ON_DEADLINE] = IGNORE(ORDER_CONFIRMED),
            },
        [ORDER_REJECTED] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_REJECTED),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_REJECTED, ORDER_CANCEL_TOO_LATE),
                [ORDER_ON_STOCK_RESERVED] = ALARM(ORDER_REJECTED, "stock reserved for an order that was rejected"),
                [ORDER_ON_STOCK_REJECTED] = IGNORE(ORDER_REJECTED),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_REJECTED),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_REJECTED, "stock missing of an order that was rejected"),
                [ORDER_ON_STOCK_HELD] = GO(STEP_END_HOLD, ORDER_REJECTED),
                [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_REJECTED, "stock sold for an order that was rejected"),
                [ORDER_ON_PAYMENT_CAPTURED] = ALARM(ORDER_REJECTED, "payment captured for an order that was rejected"),
                [ORDER_ON_PAYMENT_DECLINED] = IGNORE(ORDER_REJECTED),
                [ORDER_ON_PAYMENT_FAILED] = IGNORE(ORDER_REJECTED),
                [ORDER_ON_PAYMENT_REFUNDED] = IGNORE(ORDER_REJECTED),
                [ORDER_ON_DEADLINE] = IGNORE(ORDER_REJECTED),
            },
        [ORDER_CANCELLED] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_CANCELLED),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_CANCELLED, ORDER_CANCEL_DONE),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_CANCELLED), /* overtaken by its own release */
                [ORDER_ON_STOCK_REJECTED] = IGNORE(ORDER_CANCELLED),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_CANCELLED),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_CANCELLED, "stock missing of an order that was cancelled"),
                [ORDER_ON_STOCK_HELD] = GO(STEP_END_HOLD, ORDER_CANCELLED),
                [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_CANCELLED, "stock sold for an order that was cancelled"),
                [ORDER_ON_PAYMENT_CAPTURED] = GO(STEP_NOTE_CAPTURE, ORDER_CANCELLED),
                [ORDER_ON_PAYMENT_DECLINED] = IGNORE(ORDER_CANCELLED),
                [ORDER_ON_PAYMENT_FAILED] = IGNORE(ORDER_CANCELLED),
                [ORDER_ON_PAYMENT_REFUNDED] = GO(STEP_MONEY_BACK, ORDER_CANCELLED),
                [ORDER_ON_DEADLINE] = IGNORE(ORDER_CANCELLED),
            },
};
/* clang-format on */
