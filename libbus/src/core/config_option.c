/* Parsing of one option's text, and the words for what it takes. */
#include "config_option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "utf8.h"

static bool parse_string(const struct bus_option *option, const char *text) {
  size_t len = strlen(text);
  return (int64_t)len >= option->min && (int64_t)len <= option->max && bus_utf8_is_clean(text, len);
}

/* Decimal digits with an optional minus, and nothing else. */
static bool parse_int(const struct bus_option *option, const char *text, int64_t *ret) {
  const char *digits = text + (text[0] == '-');
  if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
    return false;
  errno = 0;
  long long number = strtoll(text, NULL, 10);
  if (errno != 0 || number < option->min || number > option->max)
    return false;
  *ret = number;
  return true;
}

static bool parse_bool(const char *text, int64_t *ret) {
  static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
  for (size_t i = 0; i < BUS_COUNT(words); i++) {
    if (strcasecmp(text, words[i]) == 0) {
      *ret = (int64_t)(i % 2);
      return true;
    }
  }
  return false;
}

static bool parse_enum(const struct bus_option *option, const char *text, int64_t *ret) {
  for (size_t i = 0; option->names[i]; i++) {
    if (strcmp(option->names[i], text) == 0) {
      *ret = (int64_t)i;
      return true;
    }
  }
  return false;
}

bool bus_option_parse(const struct bus_option *option, const char *text, struct bus_option_value *ret) {
  struct bus_option_value value = {.text = text};
  bool fits = false;
  switch (option->kind) {
  case BUS_OPTION_STRING:
  case BUS_OPTION_CREDENTIAL:
    fits = parse_string(option, text);
    break;
  case BUS_OPTION_INT:
    fits = parse_int(option, text, &value.number);
    break;
  case BUS_OPTION_BOOL:
    fits = parse_bool(text, &value.number);
    break;
  case BUS_OPTION_ENUM:
    fits = parse_enum(option, text, &value.number);
    break;
  }
  if (fits)
    *ret = value;
  return fits;
}

static void list_names(const struct bus_option *option, char *text, size_t size) {
  size_t len = (size_t)snprintf(text, size, "one of ");
  for (size_t i = 0; option->names[i] && len < size - 1; i++, len = strlen(text))
    snprintf(text + len, size - len, "%s%s", i > 0 ? ", " : "", option->names[i]);
}

void bus_option_range(const struct bus_option *option, char text[BUS_OPTION_RANGE_TEXT]) {
  switch (option->kind) {
  case BUS_OPTION_STRING:
  case BUS_OPTION_CREDENTIAL:
    snprintf(text, BUS_OPTION_RANGE_TEXT, "text of %" PRId64 " to %" PRId64 " bytes%s%s%s", option->min, option->max,
             option->secret ? ", or in the file that " : "", option->secret ? option->name : "",
             option->secret ? BUS_SECRET_FILE " names" : "");
    break;
  case BUS_OPTION_INT:
    snprintf(text, BUS_OPTION_RANGE_TEXT, "an integer from %" PRId64 " to %" PRId64 "%s%s", option->min, option->max,
             option->unit ? ", in " : "", option->unit ? option->unit : "");
    break;
  case BUS_OPTION_BOOL:
    snprintf(text, BUS_OPTION_RANGE_TEXT, "true or false");
    break;
  case BUS_OPTION_ENUM:
    list_names(option, text, BUS_OPTION_RANGE_TEXT);
    break;
  }
}
