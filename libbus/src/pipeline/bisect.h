/* Halving of a batch that does not commit until each guilty input is alone: a stack of segments of it. */
#pragma once

#include <bus/error.h>

enum { SEGMENTS_MAX = 16 }; /* a batch has at most 2^15 inputs */

struct segment {
  size_t first, count;
};

/* How often the segment on top has failed so far. */
struct failures {
  int conflicts, losses, riders;
};

struct bisect {
  struct segment segments[SEGMENTS_MAX];
  size_t count;
  struct failures failures;
  int64_t commit_at;      /* of the stall, when the batch began */
  int64_t until;          /* 0: no part has been tried by itself yet; else when to stop while no part commits */
  bool deferred;          /* something of the batch is kept for later */
  struct bus_error cause; /* why */
};

void bisect_begin(struct bisect *bisect, size_t count, int64_t commit_at);
/* The segment that is tried. */
struct segment bisect_top(const struct bisect *bisect);
/* It is settled, or kept for later. False: it was the last. */
bool bisect_next(struct bisect *bisect);
/* Replaces it by its halves. */
void bisect_split(struct bisect *bisect);
/* Parts that fail one after the other while none commits: the rest need not be tried now. */
bool bisect_is_hopeless(const struct bisect *bisect, int64_t commit_at, int64_t now);
bool bisect_is_valid(const struct bisect *bisect) BUS_MUST_CHECK;
