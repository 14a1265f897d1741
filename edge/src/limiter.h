/*
 * Rates of customers: a token bucket for each, in a table of fixed size. A new customer takes the place of the fullest
 * bucket of its set: that customer has asked for nothing lately, and loses nothing. Thread-safe; times are
 * bus_monotonic's.
 */
#ifndef EDGE_LIMITER_H
#define EDGE_LIMITER_H

#include <bus/base.h>

struct limiter;

/* rate: requests a second; burst: how many at once, at least 1. entries is rounded up to a power of two, 8 at least; an
 * entry takes 24 bytes. seed: random bytes, so that no client can choose whose bucket it shares. NULL when out of
 * memory. */
struct limiter *limiter_new(size_t entries, int64_t rate, int64_t burst, const uint8_t seed[32]);
void limiter_free(struct limiter *limiter); /* accepts NULL */

struct limit {
  int64_t remaining; /* requests that may follow at once */
  int64_t reset_s;   /* until the bucket is full again, rounded up */
  int64_t retry_s;   /* refused: until the next request is allowed, rounded up */
};

/* True: the request is allowed, and counted. */
bool limiter_take(struct limiter *limiter, struct bus_str customer, int64_t now, struct limit *ret) BUS_MUST_CHECK;

#endif
