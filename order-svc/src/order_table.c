/* The saga of an order, state × message: every cell is filled; a cell may be "ignore". */
#include "order_table.h"

#include <inventory_messages.h>
#include <payment_messages.h>

static const struct bus_saga_message messages[ORDER_MESSAGES] = {
    [ORDER_ON_PLACE] = {"order.place", &order_place_type},
    [ORDER_ON_CANCEL] = {"order.cancel", &order_cancel_type},
    [ORDER_ON_PAY] = {"order.pay", &order_pay_type},
    [ORDER_ON_STOCK_RESERVED] = {"stock.reserved", &stock_reserved_type},
    [ORDER_ON_STOCK_REJECTED] = {"stock.rejected", &stock_rejected_type},
    [ORDER_ON_STOCK_RELEASED] = {"stock.released", &stock_released_type},
    [ORDER_ON_STOCK_MISSING] = {"stock.missing", &stock_missing_type},
    [ORDER_ON_STOCK_HELD] = {"stock.held", &stock_held_type},
    [ORDER_ON_STOCK_COMMITTED] = {"stock.committed", &stock_committed_type},
    [ORDER_ON_PAYMENT_CAPTURED] = {"payment.captured", &payment_captured_type},
    [ORDER_ON_PAYMENT_DECLINED] = {"payment.declined", &payment_declined_type},
    [ORDER_ON_PAYMENT_FAILED] = {"payment.failed", &payment_failed_type},
    [ORDER_ON_PAYMENT_REFUNDED] = {"payment.refunded", &payment_refunded_type},
    [ORDER_ON_DEADLINE] = {"deadline", NULL},
};

static const struct bus_saga_state states[ORDER_STATES] = {
    [ORDER_PENDING] = {.name = "PENDING"},
    [ORDER_RESERVED] = {.name = "RESERVED"},
    [ORDER_PAID] = {.name = "PAID", .is_past = true},
    [ORDER_COMPENSATING] = {.name = "COMPENSATING"},
    [ORDER_CONFIRMED] = {.name = "CONFIRMED", .is_final = true},
    [ORDER_REJECTED] = {.name = "REJECTED", .is_final = true},
    [ORDER_CANCELLED] = {.name = "CANCELLED", .is_final = true},
    [ORDER_AWAITING_PAYMENT] = {.name = "AWAITING_PAYMENT"},
    [ORDER_NONE] = {.name = "none", .is_absent = true},
    [ORDER_TOMBSTONE] = {.name = "tombstone", .is_absent = true},
};

const char *order_state_name(int state) {
  return states[state].name;
}

/* clang-format off: a cell a line */
#define UNUSUAL(what, state, text)                                                                                     \
  {                                                                                                                    \
    .cell = {.step = (what), .next = (state), .alarm = (text) }                                                        \
  }
#define GO(what, state) UNUSUAL(what, state, NULL)
#define IGNORE(state) GO(STEP_IGNORE, state)
#define ALARM(state, text) UNUSUAL(STEP_IGNORE, state, text)
#define PARK(state) GO(STEP_PARK, state)
#define REFUSE(state, what)                                                                                            \
  { .cell = {.step = STEP_REFUSE, .next = (state)}, .outcome = (what) }
#define UNDO                                                                                                           \
  { .cell = {.step = STEP_COMPENSATE, .next = ORDER_COMPENSATING}, .outcome = ORDER_CANCEL_ACCEPTED }
/* An order that awaits no payment. */
#define NOT_DUE(state)                                                                                                 \
  { .cell = {.step = STEP_REFUSE_PAY, .next = (state)}, .outcome = ORDER_PAY_NOT_DUE }
/* Events of an order that does not exist. */
#define UNKNOWN_ORDER(state)                                                                                           \
  [ORDER_ON_STOCK_RESERVED] = PARK(state), [ORDER_ON_STOCK_REJECTED] = PARK(state),                                    \
  [ORDER_ON_STOCK_RELEASED] = PARK(state), [ORDER_ON_STOCK_MISSING] = PARK(state),                                     \
  [ORDER_ON_STOCK_HELD] = ALARM(state, "stock held for an order that does not exist"),                                 \
  [ORDER_ON_STOCK_COMMITTED] = PARK(state), [ORDER_ON_PAYMENT_CAPTURED] = PARK(state),                                 \
  [ORDER_ON_PAYMENT_DECLINED] = PARK(state), [ORDER_ON_PAYMENT_FAILED] = PARK(state),                                  \
  [ORDER_ON_PAYMENT_REFUNDED] = PARK(state), [ORDER_ON_DEADLINE] = IGNORE(state)

static const struct order_rule rules[ORDER_STATES][ORDER_MESSAGES] =
    {
        [ORDER_NONE] =
            {
                [ORDER_ON_PLACE] = GO(STEP_CREATE, ORDER_PENDING),
                [ORDER_ON_CANCEL] = {.cell = {.step = STEP_KEEP_CANCEL, .next = ORDER_TOMBSTONE},
                                     .outcome = ORDER_NOT_FOUND},
                [ORDER_ON_PAY] = REFUSE(ORDER_NONE, ORDER_NOT_FOUND),
                UNKNOWN_ORDER(ORDER_NONE),
            },
        [ORDER_TOMBSTONE] =
            {
                [ORDER_ON_PLACE] = GO(STEP_CREATE_CANCELLED, ORDER_CANCELLED),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_TOMBSTONE, ORDER_CANCEL_ACCEPTED),
                [ORDER_ON_PAY] = REFUSE(ORDER_TOMBSTONE, ORDER_NOT_FOUND),
                UNKNOWN_ORDER(ORDER_TOMBSTONE),
            },
        [ORDER_PENDING] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_PENDING),
                [ORDER_ON_CANCEL] = UNDO,
                [ORDER_ON_PAY] = NOT_DUE(ORDER_PENDING),
                [ORDER_ON_STOCK_RESERVED] = {.cell = {.step = STEP_LOCK_PRICES,
                                                      .next = ORDER_RESERVED,
                                                      .other = ORDER_AWAITING_PAYMENT}},
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
                [ORDER_ON_PAY] = NOT_DUE(ORDER_RESERVED),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_RESERVED),
                [ORDER_ON_STOCK_REJECTED] =
                    UNUSUAL(STEP_COMPENSATE, ORDER_COMPENSATING, "reservation gone before the payment"),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_RESERVED),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_RESERVED, "stock missing before it was sold"),
                [ORDER_ON_STOCK_HELD] = IGNORE(ORDER_RESERVED),
                [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_RESERVED, "stock committed before it was asked"),
                [ORDER_ON_PAYMENT_CAPTURED] = GO(STEP_CONFIRM, ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_DECLINED] = UNDO,
                [ORDER_ON_PAYMENT_FAILED] = UNDO,
                [ORDER_ON_PAYMENT_REFUNDED] = GO(STEP_NOTE_REFUND, ORDER_RESERVED),
                [ORDER_ON_DEADLINE] = UNDO,
            },
        [ORDER_PAID] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_PAID),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_PAID, ORDER_CANCEL_TOO_LATE),
                [ORDER_ON_PAY] = NOT_DUE(ORDER_PAID),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_PAID),
                [ORDER_ON_STOCK_REJECTED] =
                    UNUSUAL(STEP_COMPENSATE, ORDER_COMPENSATING, "reservation gone after the payment"),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_PAID),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_PAID, "stock missing of an order that is paid"),
                [ORDER_ON_STOCK_HELD] = IGNORE(ORDER_PAID),
                [ORDER_ON_STOCK_COMMITTED] = GO(STEP_CONFIRM_PAID, ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_CAPTURED] = IGNORE(ORDER_PAID),
                [ORDER_ON_PAYMENT_DECLINED] = ALARM(ORDER_PAID, "payment declined after it was captured"),
                [ORDER_ON_PAYMENT_FAILED] = ALARM(ORDER_PAID, "payment failed after it was captured"),
                [ORDER_ON_PAYMENT_REFUNDED] = GO(STEP_NOTE_REFUND, ORDER_PAID),
                [ORDER_ON_DEADLINE] = GO(STEP_CONFIRM_PAID, ORDER_CONFIRMED),
            },
        [ORDER_COMPENSATING] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_COMPENSATING),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_COMPENSATING, ORDER_CANCEL_ACCEPTED),
                [ORDER_ON_PAY] = NOT_DUE(ORDER_COMPENSATING),
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
                [ORDER_ON_PAY] = NOT_DUE(ORDER_CONFIRMED),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_STOCK_REJECTED] = ALARM(ORDER_CONFIRMED, "stock rejected after it was sold"),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_STOCK_MISSING] =
                    UNUSUAL(STEP_NOTE_MISSING, ORDER_CONFIRMED, "stock missing of an order that is CONFIRMED"),
                [ORDER_ON_STOCK_HELD] = GO(STEP_END_HOLD, ORDER_CONFIRMED),
                [ORDER_ON_STOCK_COMMITTED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_CAPTURED] = IGNORE(ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_DECLINED] = ALARM(ORDER_CONFIRMED, "payment declined after it was captured"),
                [ORDER_ON_PAYMENT_FAILED] = ALARM(ORDER_CONFIRMED, "payment failed after it was captured"),
                [ORDER_ON_PAYMENT_REFUNDED] = GO(STEP_NOTE_REFUND, ORDER_CONFIRMED),
                [ORDER_ON_DEADLINE] = IGNORE(ORDER_CONFIRMED),
            },
        [ORDER_REJECTED] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_REJECTED),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_REJECTED, ORDER_CANCEL_TOO_LATE),
                [ORDER_ON_PAY] = NOT_DUE(ORDER_REJECTED),
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
                [ORDER_ON_PAY] = NOT_DUE(ORDER_CANCELLED),
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
        [ORDER_AWAITING_PAYMENT] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_AWAITING_PAYMENT),
                [ORDER_ON_CANCEL] = UNDO,
                [ORDER_ON_PAY] = GO(STEP_PAY, ORDER_AWAITING_PAYMENT),
                [ORDER_ON_STOCK_RESERVED] = IGNORE(ORDER_AWAITING_PAYMENT),
                [ORDER_ON_STOCK_REJECTED] =
                    UNUSUAL(STEP_COMPENSATE, ORDER_COMPENSATING, "reservation gone before the payment"),
                [ORDER_ON_STOCK_RELEASED] = IGNORE(ORDER_AWAITING_PAYMENT),
                [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_AWAITING_PAYMENT, "stock missing before it was sold"),
                [ORDER_ON_STOCK_HELD] = IGNORE(ORDER_AWAITING_PAYMENT),
                [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_AWAITING_PAYMENT, "stock committed before it was asked"),
                [ORDER_ON_PAYMENT_CAPTURED] = GO(STEP_CONFIRM, ORDER_CONFIRMED),
                [ORDER_ON_PAYMENT_DECLINED] = GO(STEP_NOTE_REFUSAL, ORDER_AWAITING_PAYMENT),
                [ORDER_ON_PAYMENT_FAILED] = GO(STEP_NOTE_REFUSAL, ORDER_AWAITING_PAYMENT),
                [ORDER_ON_PAYMENT_REFUNDED] = GO(STEP_NOTE_REFUND, ORDER_AWAITING_PAYMENT),
                [ORDER_ON_DEADLINE] = UNDO,
            },
};
/* clang-format on */

/* word: in the table, where the state does not say it; note: at the arrow. */
static const struct bus_saga_step steps[] = {
    [STEP_IGNORE] = {.word = "–", .stays_put = true},
    [STEP_PARK] = {.word = "parked"},
    [STEP_REFUSE] = {.word = NULL},
    [STEP_KEEP_CANCEL] = {.word = "`not_found`; if marked accepted", .note = "if marked accepted"},
    [STEP_CREATE] = {.note = "inventory.reserve"},
    [STEP_CREATE_CANCELLED] = {.note = "nothing is asked"},
    [STEP_REPLAY] = {.word = "answered as it is"},
    [STEP_LOCK_PRICES] = {.note = "payment.charge"},
    [STEP_PAY] = {.word = "`pay_accepted`, unless an attempt is open or it is the same again",
                  .note = "payment.charge"},
    [STEP_REFUSE_PAY] = {.word = NULL},
    [STEP_NOTE_REFUSAL] = {.word = "the next attempt may follow"},
    [STEP_REJECT] = {.word = NULL},
    [STEP_CONFIRM] = {.note = "order.confirmed"},
    [STEP_CONFIRM_PAID] = {.note = "order.confirmed"},
    [STEP_COMPENSATE] = {.note = "release, refund"},
    [STEP_STOCK_BACK] = {.word = "stock settled", .note = "once the payment is settled too"},
    [STEP_NOTE_REFUND] = {.word = "noted"},
    [STEP_MONEY_BACK] = {.word = "payment settled", .note = "once the stock is settled too"},
    [STEP_MONEY_REFUSED] = {.word = "payment settled", .note = "once the stock is settled too"},
    [STEP_NOTE_CAPTURE] = {.word = "`payment.refund` unless one covers it",
                           .note = "refund again",
                           .is_drawn_here = true},
    [STEP_RESEND] = {.word = "open commands again", .note = "open commands again", .is_drawn_here = true},
    [STEP_NOTE_MISSING] = {.word = "noted"},
    [STEP_END_HOLD] = {.word = "told again"},
};

static const char *own_word(const struct bus_saga_cell *cell) {
  bool refuses = cell->step == STEP_REFUSE || cell->step == STEP_REFUSE_PAY;
  return refuses ? order_outcome_names[((const struct order_rule *)cell)->outcome] : NULL;
}

const struct bus_saga order_saga = {BUS_SAGA_STATES(states), BUS_SAGA_MESSAGES(messages), BUS_SAGA_STEPS(steps),
                                    BUS_SAGA_CELLS(rules),   .other = "to be paid later", .word = own_word};

const struct order_rule *order_rule_of(int state, enum order_message message) {
  return &rules[state][message];
}
