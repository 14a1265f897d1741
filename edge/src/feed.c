/* A ring of changes. */
#include "feed.h"

#include <inttypes.h>

void feed_init(struct feed *feed) {
  feed->next = feed->whole_from = 1;
  (void)pthread_mutex_init(&feed->mutex, NULL); /* a default mutex: cannot fail on Linux */
}

void feed_add(struct feed *feed, const struct order_change *change) {
  (void)pthread_mutex_lock(&feed->mutex);
  feed->changes[feed->next++ % FEED_MAX] = *change;
  (void)pthread_mutex_unlock(&feed->mutex);
}

/* The missed events have a number, which the feed does not have. */
void feed_gap(struct feed *feed) {
  (void)pthread_mutex_lock(&feed->mutex);
  feed->whole_from = ++feed->next;
  (void)pthread_mutex_unlock(&feed->mutex);
}

uint64_t feed_end(struct feed *feed) {
  (void)pthread_mutex_lock(&feed->mutex);
  uint64_t end = feed->next - 1;
  (void)pthread_mutex_unlock(&feed->mutex);
  return end;
}

/* With the mutex held. */
static uint64_t first_of(const struct feed *feed) {
  uint64_t kept = feed->next > FEED_MAX ? feed->next - FEED_MAX : 1;
  return kept > feed->whole_from ? kept : feed->whole_from;
}

size_t feed_read(struct feed *feed, uint64_t *position, struct feed_entry *ret, size_t room, bool *ret_missed) {
  size_t count = 0;
  (void)pthread_mutex_lock(&feed->mutex);
  uint64_t first = first_of(feed);
  *ret_missed = *position + 1 < first || *position >= feed->next;
  if (*ret_missed)
    *position = feed->next - 1;
  for (; count < room && *position + 1 < feed->next; count++) {
    ++*position;
    ret[count] = (struct feed_entry){*position, feed->changes[*position % FEED_MAX]};
  }
  (void)pthread_mutex_unlock(&feed->mutex);
  return count;
}

struct bus_str feed_event(const struct feed_entry *entry, const char *instance, struct bus_arena *arena) {
  struct bus_str json;
  if (!bus_encode(&order_change_schema, &entry->change, arena, &json))
    return BUS_NO_STR;
  return bus_arena_printf(arena, "id: %s-%" PRIu64 "\nevent: order\ndata: %.*s\n\n", instance, entry->number,
                          (int)json.len, json.data);
}

bool feed_position(struct bus_str text, const char *instance, uint64_t *ret) {
  enum { DIGITS_MAX = 18 };
  size_t len = strlen(instance), digits = text.len - len - 1;
  uint64_t number = 0;
  if (text.len < len + 2 || digits > DIGITS_MAX || memcmp(text.data, instance, len) != 0 || text.data[len] != '-')
    return false;
  for (size_t i = len + 1; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9')
      return false;
    number = number * 10 + (uint64_t)(text.data[i] - '0');
  }
  *ret = number;
  return true;
}
