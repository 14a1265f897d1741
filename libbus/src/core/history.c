/* Lines of failed tries: written into a bounded text, and the last one read back. */
#include <bus/history.h>

#include "ascii.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINE_MAX_LEN = 512, ATTEMPT_DIGITS_MAX = 9 };

static struct bus_str last_line(struct bus_str text) {
  size_t begin = text.len;
  while (begin > 0 && text.data[begin - 1] != '\n')
    begin--;
  return (struct bus_str){text.data + begin, text.len - begin};
}

static size_t first_line_len(struct bus_str text) {
  const char *end = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;
  return end ? (size_t)(end - text.data) + 1 : text.len;
}

/* The first line shows the beginning, the last ones the present: drops the second line until the rest fits. */
static size_t keep_what_fits(struct bus_str history, size_t room, char *text) {
  if (history.len == 0)
    return 0;
  size_t first = first_line_len(history), from = first;
  if (first + 1 > room)
    return 0;
  while (from < history.len && first + (history.len - from) + 1 > room)
    from += first_line_len((struct bus_str){history.data + from, history.len - from});
  memcpy(text, history.data, first);
  memcpy(text + first, history.data + from, history.len - from);
  size_t len = first + history.len - from;
  if (text[len - 1] != '\n')
    text[len++] = '\n';
  return len;
}

size_t bus_history_add(struct bus_str history, const struct bus_failure *failure, char text[BUS_HISTORY_MAX]) {
  char line[LINE_MAX_LEN], at[BUS_TIME_TEXT];
  bus_time_format(failure->at, at);
  int printed = snprintf(line, sizeof line, "%s %" PRId64 " %.*s %.*s %.*s", at, failure->attempt,
                         (int)failure->service.len, failure->service.data, (int)failure->error.len, failure->error.data,
                         (int)failure->cause.len, failure->cause.data);
  size_t len = (size_t)printed < sizeof line ? (size_t)printed : sizeof line - 1;
  bus_utf8_clean(line, len, false);
  size_t kept = keep_what_fits(history, BUS_HISTORY_MAX - 1 - len, text);
  bus_utf8_clean(text, kept, true);
  memcpy(text + kept, line, len);
  text[kept + len] = '\0';
  return kept + len;
}

bool bus_history_last(struct bus_str history, struct bus_failure *ret) {
  struct bus_str rest = last_line(history);
  struct bus_str at = bus_str_cut(&rest, ' '), attempt = bus_str_cut(&rest, ' ');
  struct bus_failure found = {.service = bus_str_cut(&rest, ' ')};
  found.error = bus_str_cut(&rest, ' ');
  found.cause = rest;
  if (!bus_time_parse(at, &found.at) || !bus_str_number(attempt, ATTEMPT_DIGITS_MAX, &found.attempt) ||
      found.error.len == 0)
    return false;
  *ret = found;
  return true;
}
