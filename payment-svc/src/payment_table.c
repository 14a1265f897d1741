/* The table state × input, and its print for the README. */
#include "payment_table.h"

#include <ctype.h>

#define RULE(function, text) static const struct payment_rule on_##function = {text, payment_rule_##function};
PAYMENT_RULES(RULE)
#undef RULE

/* A row has a cell for each input. */
#define ROW(charge, refund, part, check, due, captured, declined, refused, refunded, not_refunded, pending, unsure,    \
            not_started, suspect)                                                                                      \
  {                                                                                                                    \
    [PAYMENT_ON_CHARGE] = &on_##charge, [PAYMENT_ON_REFUND] = &on_##refund, [PAYMENT_ON_REFUND_PART] = &on_##part,     \
    [PAYMENT_ON_CHECK] = &on_##check, [PAYMENT_ON_DUE] = &on_##due, [PAYMENT_ON_CAPTURED] = &on_##captured,            \
    [PAYMENT_ON_DECLINED] = &on_##declined, [PAYMENT_ON_REFUSED] = &on_##refused,                                      \
    [PAYMENT_ON_REFUNDED] = &on_##refunded, [PAYMENT_ON_NOT_REFUNDED] = &on_##not_refunded,                            \
    [PAYMENT_ON_PENDING] = &on_##pending, [PAYMENT_ON_UNSURE] = &on_##unsure,                                          \
    [PAYMENT_ON_NOT_STARTED] = &on_##not_started, [PAYMENT_ON_SUSPECT] = &on_##suspect                                 \
  }

static const struct payment_rule *const rules[PAYMENT_STATES][PAYMENT_INPUTS] = {
    [PAYMENT_NONE] = ROW(charge, make_void, refuse_part, ignore, ignore, contradict, ignore, ignore, contradict, ignore,
                         contradict, ignore, ignore, contradict),
    [PAYMENT_PROCESSING] = ROW(ignore, note_refund, refuse_part, call_now, charge_again, capture, decline, fail,
                               contradict, ignore, read_back, retry, take_back, suspect),
    [PAYMENT_CAPTURED] = ROW(answer, refund, refund_part, ignore, announce, same_capture, contradict, contradict,
                             same_refund, ignore, ignore, ignore, ignore, contradict),
    [PAYMENT_DECLINED] = ROW(answer, answer, refuse_part, ignore, announce, give_back, ignore, ignore, contradict,
                             ignore, ignore, ignore, ignore, suspect),
    [PAYMENT_FAILED] = ROW(answer, answer, refuse_part, ignore, announce, give_back, ignore, ignore, contradict, ignore,
                           ignore, ignore, ignore, suspect),
    [PAYMENT_VOIDED] = ROW(refuse_voided, answer, refuse_part, ignore, announce, contradict, ignore, ignore, contradict,
                           ignore, contradict, ignore, ignore, contradict),
    [PAYMENT_REFUNDING] = ROW(ignore, note_refund, refund_part, call_now, refund_again, same_capture, contradict,
                              contradict, refunded, new_refund, read_back, retry, take_back, suspect),
    [PAYMENT_REFUNDED] = ROW(answer, answer, refund_part, ignore, announce, same_capture, contradict, contradict,
                             ignore, ignore, ignore, ignore, ignore, contradict),
    [PAYMENT_UNKNOWN] = ROW(ignore, note_refund, refuse_part, ignore, ignore, settle_capture, contradict, contradict,
                            settle_refund, ignore, ignore, ignore, ignore, contradict),
};

const struct payment_rule *payment_rule_of(enum payment_state state, enum payment_input_kind input) {
  return rules[state][input];
}

struct printer {
  void (*write)(void *context, const char *text);
  void *context;
};

static void put(const struct printer *printer, const char *text) {
  printer->write(printer->context, text);
}

static void put_upper(const struct printer *printer, const char *text) {
  for (; *text; text++) {
    const char upper[] = {(char)toupper((unsigned char)*text), '\0'};
    put(printer, upper);
  }
}

static void put_cell(const struct printer *printer, enum payment_state state, enum payment_input_kind input,
                     bool *first) {
  const char *rule = payment_rule_of(state, input)->name;
  if (strcmp(rule, "ignore") == 0)
    return;
  put(printer, *first ? "" : " · ");
  put(printer, payment_input_names[input]);
  put(printer, " → ");
  put(printer, rule);
  *first = false;
}

void payment_table_print(void (*write)(void *context, const char *text), void *context) {
  const struct printer printer = {write, context};
  put(&printer, "| state | inputs |\n|---|---|\n");
  for (int state = 0; state < PAYMENT_STATES; state++) {
    bool first = true;
    put(&printer, "| `");
    put_upper(&printer, payment_state_names[state]);
    put(&printer, "` | ");
    for (int input = 0; input < PAYMENT_INPUTS; input++)
      put_cell(&printer, (enum payment_state)state, (enum payment_input_kind)input, &first);
    put(&printer, " |\n");
  }
}
