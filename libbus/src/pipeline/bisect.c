/* The stack of segments; the first half lies on top. */
#include "bisect.h"

#include <assert.h>

void bisect_begin(struct bisect *bisect, size_t count, int64_t commit_at) {
  assert(count < (size_t)1 << (SEGMENTS_MAX - 1) && commit_at >= 0);
  *bisect = (struct bisect){.segments = {{0, count}}, .count = 1, .commit_at = commit_at};
}

struct segment bisect_top(const struct bisect *bisect) {
  assert(bisect->count > 0);
  return bisect->segments[bisect->count - 1];
}

bool bisect_next(struct bisect *bisect) {
  assert(bisect->count > 0);
  bisect->failures = (struct failures){0};
  return --bisect->count > 0;
}

void bisect_split(struct bisect *bisect) {
  struct segment whole = bisect_top(bisect);
  assert(whole.count > 1 && bisect->count < SEGMENTS_MAX);
  size_t half = whole.count / 2;
  bisect->segments[bisect->count - 1] = (struct segment){whole.first + half, whole.count - half};
  bisect->segments[bisect->count++] = (struct segment){whole.first, half};
  bisect->failures = (struct failures){0};
  assert(bisect_is_valid(bisect));
}

bool bisect_is_hopeless(const struct bisect *bisect, int64_t commit_at, int64_t now) {
  assert(bisect->count > 0 && (!bisect->deferred || bisect->until != 0)); /* else the whole batch was put off */
  return bisect->deferred && commit_at == bisect->commit_at && now > bisect->until;
}

/* Segments lie behind each other, the last of the batch at the bottom. */
bool bisect_is_valid(const struct bisect *bisect) {
  for (size_t i = 1; i < bisect->count; i++)
    if (bisect->segments[i].count == 0 ||
        bisect->segments[i].first + bisect->segments[i].count != bisect->segments[i - 1].first)
      return false;
  return bisect->count <= SEGMENTS_MAX;
}
