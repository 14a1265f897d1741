/* The list of the planted bugs. */
#include "bugs.h"

#include "../../libbus/src/pipeline/turn.h"

#include <stdlib.h>

/* Weak: NULL in a build without planted bugs. */
extern struct bus_bug *const __start_bus_bugs[] __attribute__((weak));
extern struct bus_bug *const __stop_bus_bugs[] __attribute__((weak));

static const struct planted seams[] = {
#define BUG_CARD(name, word, text) {word, text, BUG_##name},
    BUG_MAP(BUG_CARD)
#undef BUG_CARD
};

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct planted *)a)->name, ((const struct planted *)b)->name);
}

/* A bug may need several switches. */
static bool is_listed(const struct planted *bugs, size_t count, const char *name) {
  size_t i = 0;
  while (i < count && strcmp(bugs[i].name, name) != 0)
    i++;
  return i < count;
}

size_t bugs_list(struct planted ret[PLANTED_MAX]) {
  size_t count = 0;
  for (struct bus_bug *const *at = __start_bus_bugs; at < __stop_bus_bugs; at++) {
    assert(count < PLANTED_MAX - BUS_COUNT(seams));
    if (!is_listed(ret, count, (*at)->name))
      ret[count++] = (struct planted){(*at)->name, (*at)->text, BUG_NONE};
  }
  qsort(ret, count, sizeof *ret, by_name);
  memcpy(ret + count, seams, sizeof seams);
  return count + BUS_COUNT(seams);
}

bool bugs_find(const char *name, struct planted *ret) {
  struct planted all[PLANTED_MAX];
  size_t count = bugs_list(all), i = 0;
  while (i < count && strcmp(name, all[i].name) != 0)
    i++;
  if (i < count)
    *ret = all[i];
  return i < count;
}

void bugs_switch(const struct planted *bug, bool on) {
  for (struct bus_bug *const *at = __start_bus_bugs; at < __stop_bus_bugs && bug->name; at++)
    if (strcmp((*at)->name, bug->name) == 0)
      (*at)->on = on;
}
