/* Prints the table that payment.c decides by. */
#include "payment_table.h"

#include "payment.h"

#include <ctype.h>

struct printer {
  void (*write)(void *context, const char *text);
  void *context;
};

static void put(const struct printer *printer, const char *text) {
  printer->write(printer->context, text);
}

static void put_upper(const struct printer *printer, const char *text) {
  char upper[32];
  size_t i = 0;
  for (; text[i] && i < sizeof upper - 1; i++)
    upper[i] = (char)toupper((unsigned char)text[i]);
  upper[i] = '\0';
  put(printer, upper);
}

static void put_cell(const struct printer *printer, enum payment_state state, enum payment_input_kind input,
                     bool *first) {
  const char *rule = payment_rule_name(state, input);
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
