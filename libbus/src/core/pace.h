/* When a batch begins: at once at a low rate, a moment after the last one at a high rate, and in between so that
 * batches take a share of the time. Private to libbus. */
#pragma once

#include <bus/base.h>

struct pace {
  int64_t began_at; /* monotonic: when the last batch with inputs began */
  int64_t took;     /* from the begin of a batch to its end, lately */
  double rate;      /* inputs a second lately */
  double arrivals;  /* deliveries and local inputs a second lately: a bundle is one */
};

/* A batch of so many inputs begins, which came as so many arrivals. */
void pace_begin(struct pace *pace, int64_t now, size_t count, size_t arrivals);
/* The last batch has ended. */
void pace_end(struct pace *pace, int64_t now);
/* The earliest time for the next batch; window: microseconds between batches under load; worth: how many of what comes
 * at that rate must be expected within it, so that waiting pays. */
int64_t pace_next(const struct pace *pace, double rate, int64_t window, double worth);
bool pace_is_valid(const struct pace *pace) BUS_MUST_CHECK;
