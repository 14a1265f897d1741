/* The table of currencies. */
#include "currency.h"

#include <inttypes.h>
#include <stdio.h>

enum { CODE_LEN = 3 };

static const struct currency currencies[] = {
    {CURRENCY_HUNDREDTHS, 2, 1},
    {CURRENCY_UNITS, 0, 1},
    {CURRENCY_THOUSANDTHS, 3, 10},
    {CURRENCY_ZERO_HUNDREDTHS, 2, 100},
};

static bool has_code(const char *codes, struct bus_str code) {
  const char *end = codes + strlen(codes);
  for (const char *at = codes; at < end; at += CODE_LEN + 1)
    if (memcmp(at, code.data, CODE_LEN) == 0)
      return true;
  return false;
}

const struct currency *currency_find(struct bus_str code) {
  for (size_t i = 0; code.len == CODE_LEN && i < BUS_COUNT(currencies); i++)
    if (has_code(currencies[i].codes, code))
      return &currencies[i];
  return NULL;
}

bool currency_takes(const struct currency *currency, int64_t amount) {
  return amount % currency->step == 0;
}

void currency_amounts(const struct currency *currency, struct bus_str code, char ret[CURRENCY_AMOUNTS_SIZE]) {
  (void)snprintf(ret, CURRENCY_AMOUNTS_SIZE, "a multiple of %" PRId64 " in %.*s, whose amounts have %d decimals",
                 currency->step, (int)code.len, code.data, currency->decimals); /* fits: 3 letters, small numbers */
}
