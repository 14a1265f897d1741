/* The transition table of a reservation: what each command does in each state. Pure. */
#ifndef INVENTORY_TABLE_H
#define INVENTORY_TABLE_H

#include "inventory.h"

enum reservation_step {
  STEP_MISSING, /* no cell may be left empty */
  STEP_TRY,     /* reserve, or reject with the reason */
  STEP_SELL,    /* without a reservation: from what is on hand, or the stock is missing */
  STEP_MOVE,    /* to the state `next` */
  STEP_TELL,    /* nothing happens: the outcome as it is */
  STEP_RECALL,  /* nothing happens: the rejection with the reason that was kept */
};

struct reservation_rule {
  enum reservation_step step;
  enum reservation_state next;
  enum reservation_answer answer;
  enum stock_reason reason;
  enum reservation_alarm alarm;
};

const struct reservation_rule *reservation_rule_of(enum reservation_state state, enum reservation_command command);

/* Own reservations: the state afterwards, and whether the command is done or comes too late. */
struct own_rule {
  enum reservation_state next;
  enum own_outcome outcome;
};
enum { OWN_COMMANDS = OWN_EXPIRE - OWN_CONFIRM + 1 };
const struct own_rule *own_rule_of(enum reservation_state state, enum own_command command);

/* The transition table in Markdown, for the README. */
void reservation_print_table(void (*write)(void *context, const char *text), void *context);

#endif
