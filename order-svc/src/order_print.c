/* The saga as a picture and as a table, drawn from the transition table itself. */
#include "order_table.h"

struct step_text {
  const char *sends; /* NULL: nothing */
  const char *word;  /* in the table, where the state does not say it */
};

static const struct step_text texts[] = {
    [STEP_IGNORE] = {NULL, "–"},
    [STEP_PARK] = {NULL, "parked"},
    [STEP_REFUSE] = {NULL, NULL},
    [STEP_KEEP_CANCEL] = {NULL, "`not_found`; if marked accepted"},
    [STEP_CREATE] = {"inventory.reserve", NULL},
    [STEP_CREATE_CANCELLED] = {NULL, NULL},
    [STEP_REPLAY] = {NULL, "answered as it is"},
    [STEP_LOCK_PRICES] = {"payment.charge", NULL},
    [STEP_REJECT] = {NULL, NULL},
    [STEP_CONFIRM] = {"order.confirmed", NULL},
    [STEP_CONFIRM_PAID] = {"order.confirmed", NULL},
    [STEP_COMPENSATE] = {"inventory.release and payment.refund as far as asked", NULL},
    [STEP_STOCK_BACK] = {NULL, "stock settled"},
    [STEP_MONEY_BACK] = {NULL, "payment settled"},
    [STEP_MONEY_REFUSED] = {NULL, "payment settled"},
    [STEP_NOTE_CAPTURE] = {NULL, "`payment.refund` unless one covers it"},
    [STEP_RESEND] = {NULL, "open commands again"},
    [STEP_NOTE_MISSING] = {NULL, "noted"},
    [STEP_END_HOLD] = {NULL, "told again"},
};

typedef void write_text(void *context, const char *text);

/* Writes the texts one after the other, up to NULL. */
static void print(write_text *write, void *context, const char *const *pieces) {
  for (; *pieces; pieces++)
    write(context, *pieces);
}
#define PRINT(...) print(write, context, (const char *const[]){__VA_ARGS__, NULL})

/* ---- the picture ---- */

static bool is_arrow(const struct order_rule *rule, int from) {
  bool settles = rule->step == STEP_STOCK_BACK || rule->step == STEP_MONEY_BACK || rule->step == STEP_MONEY_REFUSED;
  return rule->next != from || (settles && from != ORDER_CANCELLED) || rule->step == STEP_RESEND ||
         (rule->step == STEP_NOTE_CAPTURE && from == ORDER_CANCELLED);
}

static const char *arrow_note(const struct order_rule *rule) {
  switch (rule->step) {
  case STEP_CREATE:
  case STEP_LOCK_PRICES:
  case STEP_CONFIRM:
  case STEP_CONFIRM_PAID:
    return texts[rule->step].sends;
  case STEP_KEEP_CANCEL:
    return "if marked accepted";
  case STEP_CREATE_CANCELLED:
    return "nothing is asked";
  case STEP_COMPENSATE:
    return rule->alarm ? "alarm" : "release, refund";
  case STEP_STOCK_BACK:
    return "once the payment is settled too";
  case STEP_MONEY_BACK:
  case STEP_MONEY_REFUSED:
    return "once the stock is settled too";
  case STEP_RESEND:
    return "open commands again";
  case STEP_NOTE_CAPTURE:
    return "refund again";
  default:
    return NULL;
  }
}

static void print_arrow(write_text *write, void *context, int from, enum order_message message) {
  const struct order_rule *rule = &order_rules[from][message];
  const char *name = order_message_names[message], *note = arrow_note(rule);
  if (!is_arrow(rule, from))
    return;
  PRINT("  ", from == ORDER_NONE ? "[*]" : order_state_name(from), " --> ", order_state_name(rule->next), ": ", name);
  if (note)
    PRINT(" / ", note);
  write(context, "\n");
}

static void print_diagram(write_text *write, void *context) {
  write(context, "```mermaid\nstateDiagram-v2\n");
  for (int i = 0; i < ORDER_STATES; i++) {
    int from = i < 2 ? ORDER_NONE + i : i - 2; /* what comes before an order first */
    for (int message = 0; message < ORDER_MESSAGES; message++)
      print_arrow(write, context, from, (enum order_message)message);
  }
  for (int state = ORDER_CONFIRMED; state <= ORDER_CANCELLED; state++)
    PRINT("  ", order_state_name(state), " --> [*]\n");
  write(context, "```\n\n");
}

/* ---- the table ---- */

static void print_cell(write_text *write, void *context, int state, enum order_message message) {
  const struct order_rule *rule = &order_rules[state][message];
  const struct step_text *text = &texts[rule->step];
  if (rule->step == STEP_REFUSE)
    PRINT(" `", order_outcome_names[rule->outcome], "`");
  else if (text->word)
    PRINT(" ", rule->alarm && rule->step == STEP_IGNORE ? "alarm" : text->word);
  if (rule->next != state)
    PRINT(" → ", order_state_name(rule->next));
  if (rule->alarm && rule->step != STEP_IGNORE)
    write(context, ", alarm");
  write(context, " |");
}

static void print_table(write_text *write, void *context) {
  write(context, "| message |");
  for (int state = 0; state < ORDER_STATES; state++)
    PRINT(" ", order_state_name(state), " |");
  write(context, "\n|---|");
  for (int state = 0; state < ORDER_STATES; state++)
    write(context, "---|");
  for (int message = 0; message < ORDER_MESSAGES; message++) {
    PRINT("\n| `", order_message_names[message], "` |");
    for (int state = 0; state < ORDER_STATES; state++)
      print_cell(write, context, state, (enum order_message)message);
  }
  write(context, "\n");
}

void order_print_saga(write_text *write, void *context) {
  print_diagram(write, context);
  print_table(write, context);
}
