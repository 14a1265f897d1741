/* Patterns grow by alternatives; one that overflows permits nothing. */
#include "topology_pattern.h"

static void pattern_put(struct bus_pattern *pattern, const char *text, size_t len) {
  if (pattern->full || len >= pattern->size - pattern->len) {
    pattern->full = true;
    return;
  }
  memcpy(pattern->text + pattern->len, text, len);
  pattern->len += len;
  pattern->text[pattern->len] = '\0';
}

struct bus_pattern bus_pattern_start(char *text, size_t size) {
  struct bus_pattern pattern = {.text = text, .size = size};
  pattern_put(&pattern, "^", 1);
  return pattern;
}

void bus_pattern_begin_alternative(struct bus_pattern *pattern) {
  pattern_put(pattern, pattern->open ? "|" : "(", 1);
  pattern->open = true;
}

void bus_pattern_begin_group(struct bus_pattern *pattern, const char *between) {
  pattern_put(pattern, ")", 1);
  pattern_put(pattern, between, strlen(between));
  pattern->open = false;
}

void bus_pattern_add_literal(struct bus_pattern *pattern, struct bus_str text) {
  for (size_t i = 0; i < text.len; i++) {
    if (strchr("\\^$.|?*+()[]{}", text.data[i]))
      pattern_put(pattern, "\\", 1);
    pattern_put(pattern, &text.data[i], 1);
  }
}

void bus_pattern_add_regex(struct bus_pattern *pattern, const char *regex) {
  pattern_put(pattern, regex, strlen(regex));
}

bool bus_pattern_end(struct bus_pattern *pattern) {
  pattern_put(pattern, pattern->open ? ")$" : "$", pattern->open ? 2 : 1);
  if (pattern->full)
    memcpy(pattern->text, "^$", sizeof "^$");
  return !pattern->full;
}
