/* Reads a Prefer header: preferences with optional values and parameters, separated by commas outside quotes. */
#include "prefer.h"

struct reader {
  const char *at, *end;
};

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static struct bus_str trim(const char *begin, const char *end) {
  while (begin < end && is_space(*begin))
    begin++;
  while (end > begin && is_space(end[-1]))
    end--;
  return (struct bus_str){begin, (size_t)(end - begin)};
}

/* Up to the next `stop` outside quotes, which is passed over; false at the end. */
static bool take_until(struct reader *reader, char stop, struct bus_str *ret) {
  if (reader->at == NULL)
    return false;
  const char *begin = reader->at, *at = begin;
  for (bool quoted = false; at < reader->end && (quoted || *at != stop); at++) {
    if (quoted && *at == '\\' && at + 1 < reader->end)
      at++;
    else if (*at == '"')
      quoted = !quoted;
  }
  *ret = trim(begin, at);
  reader->at = at < reader->end ? at + 1 : NULL;
  return true;
}

static bool is_wait(struct bus_str name) {
  static const char wait[] = "wait";
  for (size_t i = 0; i < name.len; i++)
    if (i >= sizeof wait - 1 || (name.data[i] | 0x20) != wait[i])
      return false;
  return name.len == sizeof wait - 1;
}

/* A token or a quoted string of digits; larger numbers are as good as max. */
static int64_t seconds_of(struct bus_str text, int64_t max) {
  if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
    text = (struct bus_str){text.data + 1, text.len - 2};
  int64_t seconds = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (!is_digit(text.data[i]))
      return 0;
    seconds = seconds > max ? seconds : seconds * 10 + (text.data[i] - '0');
  }
  return seconds < max ? seconds : max;
}

int64_t prefer_wait(struct bus_str value, int64_t max) {
  struct reader preferences = {value.data, value.data + value.len};
  struct bus_str preference;
  while (take_until(&preferences, ',', &preference)) {
    struct bus_str name = BUS_NO_STR, argument = BUS_NO_STR;
    struct reader parameters = {preference.data, preference.data + preference.len};
    (void)take_until(&parameters, ';', &name); /* never at its end yet: there is at least an empty one */
    struct reader halves = {name.data, name.data + name.len};
    if (take_until(&halves, '=', &name) && is_wait(name))
      return take_until(&halves, ';', &argument) ? seconds_of(argument, max) : 0;
  }
  return 0;
}
