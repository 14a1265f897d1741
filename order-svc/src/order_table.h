/* The transition table: what each message does in each state. The one source of the decisions, the tests and the
 * picture. */
#pragma once

#include "order.h"

enum order_step {
  STEP_MISSING,          /* no cell may be */
  STEP_IGNORE,           /* late, twice, or without meaning here */
  STEP_PARK,             /* there is no such order */
  STEP_REFUSE,           /* a command: answered with rule.outcome */
  STEP_KEEP_CANCEL,      /* kept where the edge has accepted the order; else refused with rule.outcome */
  STEP_CREATE,           /* a new order; REJECTED at once where it asks for nonsense */
  STEP_CREATE_CANCELLED, /* a new order whose cancel came before it: nothing is asked */
  STEP_REPLAY,           /* the same request again, or another one under its key */
  STEP_LOCK_PRICES,      /* the stock is reserved: charge, or await the payment */
  STEP_PAY,              /* one more attempt, if none is open; a repetition is answered as it is */
  STEP_REFUSE_PAY,       /* refused with rule.outcome; a repetition is answered as it is */
  STEP_NOTE_REFUSAL,     /* the attempt captured nothing: another one may follow */
  STEP_REJECT,           /* nothing was reserved */
  STEP_CONFIRM,          /* the money is there: inventory sells what it has reserved */
  STEP_CONFIRM_PAID,     /* an order that the release before left in PAID */
  STEP_COMPENSATE,       /* undo whatever was asked */
  STEP_STOCK_BACK,       /* inventory holds nothing; CANCELLED once the money is settled too */
  STEP_NOTE_REFUND,      /* an operator has refunded a part, or all */
  STEP_MONEY_BACK,       /* all that was captured was refunded; CANCELLED once the stock is settled too */
  STEP_MONEY_REFUSED,    /* nothing was ever captured; CANCELLED once the stock is settled too */
  STEP_NOTE_CAPTURE,     /* captured after all: the refund that was asked, or a new one, covers it */
  STEP_RESEND,           /* the open commands once more */
  STEP_NOTE_MISSING,     /* inventory could not sell: the order stays CONFIRMED, and a person refunds */
  STEP_END_HOLD,         /* inventory still holds stock: order.confirmed or the release once more */
};

struct order_rule {
  struct bus_saga_cell cell; /* other: LOCK_PRICES: the state of an order that is paid later */
  int outcome;               /* REFUSE and KEEP_CANCEL; and what a COMPENSATE by command is answered */
};

/* Never of STEP_MISSING. */
const struct order_rule *order_rule_of(int state, enum order_message message);
