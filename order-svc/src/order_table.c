/* State × message: every cell is filled; a cell may be "ignore". */
#include "order_table.h"

#include <inventory_messages.h>
#include <payment_messages.h>

const struct order_incoming order_incoming[ORDER_MESSAGES] = {
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
/* An order that awaits no payment. */
#define NOT_DUE(state)                                                                                                 \
  { .step = STEP_REFUSE_PAY, .next = (state), .outcome = ORDER_PAY_NOT_DUE }
/* Events of an order that does not exist. */
#define UNKNOWN_ORDER(state)                                                                                           \
  [ORDER_ON_STOCK_RESERVED] = PARK(state), [ORDER_ON_STOCK_REJECTED] = PARK(state),                                    \
  [ORDER_ON_STOCK_RELEASED] = PARK(state), [ORDER_ON_STOCK_MISSING] = PARK(state),                                     \
  [ORDER_ON_STOCK_HELD] = ALARM(state, "stock held for an order that does not exist"),                                 \
  [ORDER_ON_STOCK_COMMITTED] = PARK(state), [ORDER_ON_PAYMENT_CAPTURED] = PARK(state),                                 \
  [ORDER_ON_PAYMENT_DECLINED] = PARK(state), [ORDER_ON_PAYMENT_FAILED] = PARK(state),                                  \
  [ORDER_ON_PAYMENT_REFUNDED] = PARK(state), [ORDER_ON_DEADLINE] = IGNORE(state)

const struct order_rule order_rules[ORDER_STATES][ORDER_MESSAGES] =
    {
        [ORDER_NONE] =
            {
                [ORDER_ON_PLACE] = GO(STEP_CREATE, ORDER_PENDING),
                [ORDER_ON_CANCEL] = {.step = STEP_KEEP_CANCEL, .next = ORDER_TOMBSTONE, .outcome = ORDER_NOT_FOUND},
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
                [ORDER_ON_STOCK_RESERVED] = {.step = STEP_LOCK_PRICES,
                                             .next = ORDER_RESERVED,
                                             .later = ORDER_AWAITING_PAYMENT},
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
                [ORDER_ON_PAYMENT_REFUNDED] = GO(STEP_NOTE_REFUND, ORDER_RESERVED),
                [ORDER_ON_DEADLINE] = UNDO,
            },
        [ORDER_PAID] =
            {
                [ORDER_ON_PLACE] = GO(STEP_REPLAY, ORDER_PAID),
                [ORDER_ON_CANCEL] = REFUSE(ORDER_PAID, ORDER_CANCEL_TOO_LATE),
                [ORDER_ON_PAY] = NOT_DUE(ORDER_PAID),
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
                [ORDER_ON_STOCK_MISSING] = {.step = STEP_NOTE_MISSING,
                                            .next = ORDER_CONFIRMED,
                                            .alarm = "stock missing of an order that is CONFIRMED"},
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
                [ORDER_ON_STOCK_REJECTED] = {.step = STEP_COMPENSATE,
                                             .next = ORDER_COMPENSATING,
                                             .alarm = "reservation gone before the payment"},
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

/* ---- the table as Markdown ---- */

/* word: in the table, where the state does not say it; note: at the arrow; NULL: nothing. */
static const struct step_text {
  const char *word, *note;
} step_texts[] = {
    [STEP_IGNORE] = {"–", NULL},
    [STEP_PARK] = {"parked", NULL},
    [STEP_REFUSE] = {NULL, NULL},
    [STEP_KEEP_CANCEL] = {"`not_found`; if marked accepted", "if marked accepted"},
    [STEP_CREATE] = {NULL, "inventory.reserve"},
    [STEP_CREATE_CANCELLED] = {NULL, "nothing is asked"},
    [STEP_REPLAY] = {"answered as it is", NULL},
    [STEP_LOCK_PRICES] = {NULL, "payment.charge"},
    [STEP_PAY] = {"`pay_accepted`, unless an attempt is open or it is the same again", "payment.charge"},
    [STEP_REFUSE_PAY] = {NULL, NULL},
    [STEP_NOTE_REFUSAL] = {"the next attempt may follow", NULL},
    [STEP_REJECT] = {NULL, NULL},
    [STEP_CONFIRM] = {NULL, "order.confirmed"},
    [STEP_CONFIRM_PAID] = {NULL, "order.confirmed"},
    [STEP_COMPENSATE] = {NULL, "release, refund"},
    [STEP_STOCK_BACK] = {"stock settled", "once the payment is settled too"},
    [STEP_NOTE_REFUND] = {"noted", NULL},
    [STEP_MONEY_BACK] = {"payment settled", "once the stock is settled too"},
    [STEP_MONEY_REFUSED] = {"payment settled", "once the stock is settled too"},
    [STEP_NOTE_CAPTURE] = {"`payment.refund` unless one covers it", "refund again"},
    [STEP_RESEND] = {"open commands again", "open commands again"},
    [STEP_NOTE_MISSING] = {"noted", NULL},
    [STEP_END_HOLD] = {"told again", NULL},
};

typedef void write_text(void *context, const char *text);

/* Writes the texts one after the other, up to NULL. */
static void write_pieces(write_text *write, void *context, const char *const *pieces) {
  for (; *pieces; pieces++)
    write(context, *pieces);
}
#define PRINT(...) write_pieces(write, context, (const char *const[]){__VA_ARGS__, NULL})

/* ---- the picture ---- */

static bool is_arrow(const struct order_rule *rule, int from) {
  return rule->next != from || rule->step == STEP_RESEND ||
         (rule->step == STEP_NOTE_CAPTURE && from == ORDER_CANCELLED);
}

static void print_arrow(write_text *write, void *context, int from, enum order_message message) {
  const struct order_rule *rule = &order_rules[from][message];
  const char *note = rule->alarm ? "alarm" : step_texts[rule->step].note;
  if (!is_arrow(rule, from))
    return;
  PRINT("  ", from == ORDER_NONE ? "[*]" : order_state_name(from), " --> ", order_state_name(rule->next), ": ",
        order_incoming[message].name);
  if (note)
    PRINT(" / ", note);
  write(context, "\n");
}

static void print_later(write_text *write, void *context, int from, enum order_message message) {
  int later = order_rules[from][message].later;
  if (later)
    PRINT("  ", order_state_name(from), " --> ", order_state_name(later), ": ", order_incoming[message].name,
          " / to be paid later\n");
}

static void print_diagram(write_text *write, void *context) {
  write(context, "```mermaid\nstateDiagram-v2\n");
  for (int i = 0; i < ORDER_STATES; i++) {
    int from = i < 2 ? ORDER_NONE + i : i - 2; /* what comes before an order first */
    for (int message = 0; message < ORDER_MESSAGES; message++) {
      print_arrow(write, context, from, (enum order_message)message);
      print_later(write, context, from, (enum order_message)message);
    }
  }
  for (int state = 0; state < ORDER_STATUS_COUNT; state++)
    if (order_status_is_final(state))
      PRINT("  ", order_state_name(state), " --> [*]\n");
  write(context, "```\n\n");
}

/* ---- the table ---- */

static void print_cell(write_text *write, void *context, int state, enum order_message message) {
  const struct order_rule *rule = &order_rules[state][message];
  const struct step_text *text = &step_texts[rule->step];
  if (rule->step == STEP_REFUSE || rule->step == STEP_REFUSE_PAY)
    PRINT(" `", order_outcome_names[rule->outcome], "`");
  else if (text->word)
    PRINT(" ", rule->alarm && rule->step == STEP_IGNORE ? "alarm" : text->word);
  if (rule->next != state)
    PRINT(" → ", order_state_name(rule->next));
  if (rule->later)
    PRINT("; to be paid later → ", order_state_name(rule->later));
  if (rule->alarm && rule->step != STEP_IGNORE)
    write(context, ", alarm");
  write(context, " |");
}

static void print_saga_table(write_text *write, void *context) {
  write(context, "| message |");
  for (int state = 0; state < ORDER_STATES; state++)
    PRINT(" ", order_state_name(state), " |");
  write(context, "\n|---|");
  for (int state = 0; state < ORDER_STATES; state++)
    write(context, "---|");
  for (int message = 0; message < ORDER_MESSAGES; message++) {
    PRINT("\n| `", order_incoming[message].name, "` |");
    for (int state = 0; state < ORDER_STATES; state++)
      print_cell(write, context, state, (enum order_message)message);
  }
  write(context, "\n");
}

void order_print_saga(write_text *write, void *context) {
  print_diagram(write, context);
  print_saga_table(write, context);
}
