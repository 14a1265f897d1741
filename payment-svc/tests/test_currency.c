/* The table of currencies: how the provider counts each, and which amounts it takes. */
#include <currency.h>
#include <test.h>

#include <regex.h>

/* "-" for a code that the provider does not take, else decimals and step. */
static const char *rule_of(const char *code) {
  static char text[32];
  const struct currency *currency = currency_find(bus_str(code));
  if (!currency)
    return "-";
  (void)snprintf(text, sizeof text, "%d %d", currency->decimals, (int)currency->step);
  return text;
}

TEST(currencies_have_0_2_and_3_decimals)
{
  static const char *const rules[][2] = {
      {"EUR", "2 1"},  {"USD", "2 1"},  {"AED", "2 1"},   {"ZMW", "2 1"},   {"HUF", "2 1"}, {"TWD", "2 1"},
      {"JPY", "0 1"},  {"KRW", "0 1"},  {"BIF", "0 1"},   {"XPF", "0 1"},   {"MGA", "0 1"}, {"KWD", "3 10"},
      {"BHD", "3 10"}, {"TND", "3 10"}, {"ISK", "2 100"}, {"UGX", "2 100"},
  };
  for (size_t i = 0; i < BUS_COUNT(rules); i++)
    assert_string_equal(rule_of(rules[i][0]), rules[i][1]);
}

TEST(currency_codes_are_whole_and_in_capitals)
{
  static const char *const codes[] = {"", "E", "EU", "EURO", "eur", "Eur", "XXX", "UR|", "|AE", "AED|AFN", "R|U"};
  for (size_t i = 0; i < BUS_COUNT(codes); i++)
    assert_string_equal(rule_of(codes[i]), "-");
  assert_null(currency_find(BUS_NO_STR));
}

TEST(currency_groups_are_well_formed_and_share_no_code)
{
  static const char codes[] =
      CURRENCY_HUNDREDTHS "|" CURRENCY_UNITS "|" CURRENCY_THOUSANDTHS "|" CURRENCY_ZERO_HUNDREDTHS;
  assert_int_equal(sizeof codes % 4, 0); /* three letters, and "|" or the end */
  for (size_t i = 0; i < sizeof codes; i += 4) {
    assert_int_equal(strspn(codes + i, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 3);
    assert_true(codes[i + 3] == '|' || codes[i + 3] == '\0');
    for (size_t j = 0; j < i; j += 4)
      assert_memory_not_equal(codes + i, codes + j, 3);
  }
}

TEST(currency_pattern_has_the_codes_of_the_table)
{
  regex_t pattern;
  char code[4] = "AAA";
  assert_int_equal(regcomp(&pattern, CURRENCY_PATTERN, REG_EXTENDED | REG_NOSUB), 0);
  for (int n = 0; n < 26 * 26 * 26; n++) {
    code[0] = (char)('A' + n / 676);
    code[1] = (char)('A' + n / 26 % 26);
    code[2] = (char)('A' + n % 26);
    assert_int_equal(regexec(&pattern, code, 0, NULL, 0) == 0, currency_find(bus_str(code)) != NULL);
  }
  regfree(&pattern);
}

TEST(currency_takes_multiples_of_its_step)
{
  const struct currency *dinar = currency_find(BUS_STR("KWD")), *crown = currency_find(BUS_STR("ISK"));
  assert_true(currency_takes(dinar, 0) && currency_takes(dinar, 10) && currency_takes(dinar, 5120));
  assert_false(currency_takes(dinar, 5124) || currency_takes(dinar, 1));
  assert_true(currency_takes(crown, 500));
  assert_false(currency_takes(crown, 510));
  assert_true(currency_takes(currency_find(BUS_STR("JPY")), 1) && currency_takes(currency_find(BUS_STR("EUR")), 1));
}

TEST(currency_amounts_are_said_in_words)
{
  char text[CURRENCY_AMOUNTS_SIZE];
  currency_amounts(currency_find(BUS_STR("KWD")), BUS_STR("KWD"), text);
  assert_string_equal(text, "a multiple of 10 in KWD, whose amounts have 3 decimals");
  currency_amounts(currency_find(BUS_STR("ISK")), BUS_STR("ISK"), text);
  assert_string_equal(text, "a multiple of 100 in ISK, whose amounts have 2 decimals");
}
