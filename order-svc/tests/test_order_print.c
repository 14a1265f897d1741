/* The picture of the saga is drawn from the table, and the README shows this very picture. */
#include "saga.h"

#include <stdio.h>

static char printed[16384];

static void append(void *context, const char *text) {
  (void)context;
  size_t len = strlen(printed);
  assert_true(len + strlen(text) < sizeof printed);
  memcpy(printed + len, text, strlen(text) + 1);
}

static const char *picture(void) {
  printed[0] = '\0';
  bus_saga_print(&order_saga, append, NULL);
  return printed;
}

TEST(the_readme_shows_the_saga_as_it_is)
{
  static char readme[65536];
  FILE *file = fopen(README, "r");
  assert_non_null(file);
  size_t len = fread(readme, 1, sizeof readme - 1, file);
  readme[len] = '\0';
  assert_int_equal(fclose(file), 0);
  (void)picture();
  append(NULL, "\n"); /* the end of a table: a part of it is not enough */
  assert_non_null(strstr(readme, printed));
}

TEST(every_state_and_message_is_in_it)
{
  for (int from = 0; from < ORDER_STATES; from++)
    assert_non_null(strstr(picture(), order_state_name(from)));
  for (int message = 0; message < ORDER_MESSAGES; message++)
    assert_non_null(strstr(picture(), order_saga.messages[message].name));
}

TEST(the_arrows_of_the_way_forward)
{
  assert_non_null(strstr(picture(), "[*] --> PENDING: order.place / inventory.reserve\n"));
  assert_non_null(strstr(picture(), "PENDING --> RESERVED: stock.reserved / payment.charge\n"));
  assert_non_null(strstr(picture(), "RESERVED --> CONFIRMED: payment.captured / order.confirmed\n"));
  assert_null(strstr(picture(), "--> PAID"));
  assert_null(strstr(picture(), "CONFIRMED --> COMPENSATING"));
}
