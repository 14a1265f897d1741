/* Grouping by cause, and the rules of a canary. */
#include "dead_plan.h"

enum { ID_LEAST = 8 };

static bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
}

static bool is_word(char c) {
  return is_hex(c) || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '_';
}

static size_t word_length(struct bus_str text, size_t at, bool *ret_id) {
  size_t length = 0, digits = 0;
  bool hex = true;
  while (at + length < text.len && is_word(text.data[at + length])) {
    char c = text.data[at + length++];
    hex = hex && is_hex(c);
    digits += c >= '0' && c <= '9';
  }
  *ret_id = hex && digits > 0 && length >= ID_LEAST;
  return length;
}

void dead_cause(struct bus_str cause, char text[DEAD_CAUSE_MAX]) {
  size_t len = 0;
  for (size_t at = 0; at < cause.len && len + 1 < DEAD_CAUSE_MAX;) {
    bool id;
    size_t length = word_length(cause, at, &id);
    if (id) {
      text[len++] = '#';
      at += length;
      continue;
    }
    for (size_t end = at + (length > 0 ? length : 1); at < end && len + 1 < DEAD_CAUSE_MAX; at++)
      text[len++] = cause.data[at];
  }
  text[len] = '\0';
}

static bool belongs(const struct dead_group *group, const struct story_dead *dead, const char *cause) {
  return bus_str_equal(group->queue, dead->queue) && bus_str_equal(group->type, dead->type) &&
         bus_str_equal(group->error, dead->error) && strcmp(group->cause, cause) == 0;
}

static void add_to(struct dead_group *group, const struct story_dead *dead) {
  group->count++;
  group->forged += dead->forged;
  if (dead->at < group->first)
    group->first = dead->at;
  if (dead->at > group->last)
    group->last = dead->at;
}

size_t dead_groups(const struct story_dead *dead, size_t count, struct dead_group *groups) {
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    struct dead_group fresh = {.queue = dead[i].queue,
                               .type = dead[i].type,
                               .error = dead[i].error,
                               .first = dead[i].at,
                               .last = dead[i].at,
                               .example = dead[i].message_id};
    size_t g = 0;
    dead_cause(dead[i].cause, fresh.cause);
    while (g < used && !belongs(&groups[g], &dead[i], fresh.cause))
      g++;
    if (g == used)
      groups[used++] = fresh;
    add_to(&groups[g], &dead[i]);
  }
  return used;
}

enum dead_step dead_after_canary(const struct dead_watch *watch) {
  if (watch->failed > 0)
    return DEAD_STOP_FAILED;
  if (watch->taken >= watch->sent)
    return DEAD_GO_ON;
  return watch->waited_ms >= watch->patience_ms ? DEAD_STOP_SILENT : DEAD_WAIT;
}

enum dead_step dead_meanwhile(const struct dead_watch *watch) {
  return watch->failed > 0 ? DEAD_STOP_FAILED : DEAD_GO_ON;
}
