/* Delays before the next try: exponential with jitter for connections and calls, tiers for messages. Pure. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

struct bus_backoff {
  int64_t first, max; /* microseconds */
  uint32_t failures;  /* in a row */
};

/* The next delay: first × 2^failures, at most max, of which the upper half is random (`random`: 64 random bits);
 * counts the failure. */
int64_t bus_backoff_next(struct bus_backoff *backoff, uint64_t random);
/* Records a success: the next delay is the first one again. */
void bus_backoff_reset(struct bus_backoff *backoff);

/* Choice among several equal hosts, beginning with the first: each is tried once at the shortest delay; only after all
 * have failed the delay grows. */
struct bus_rotation {
  struct bus_backoff backoff;
  size_t hosts;  /* how many */
  size_t host;   /* whose turn it is, from 0 */
  size_t failed; /* in this round */
};

/* Records a failure of this host and turns to the next. Returns the delay before the next one is tried. */
int64_t bus_rotation_next(struct bus_rotation *rotation, uint64_t random);
/* Records a success: the next failure begins a new round. */
void bus_rotation_reset(struct bus_rotation *rotation);

/* Counts consecutive nacks. If the first publication of a channel meets a quorum queue without a leader, the channel
 * may send each further one to a node that is down, and nack all of them until the node is back (RabbitMQ 3.10). A new
 * connection finds the new leader. A full queue nacks on a new connection, too, so reconnects slow down: after 1 s of
 * nacks, then 2 s, up to 60 s. Zeroed: none counted. */
struct bus_nacks {
  int64_t since, last;
  int64_t patience; /* 0: there are none */
};

/* Records a nack. True: close the connection and open another. */
bool bus_nacks_add(struct bus_nacks *nacks, int64_t now);
/* The broker accepts publications again. Fifteen seconds without a nack count as this call. */
void bus_nacks_end(struct bus_nacks *nacks);

/* The retry tier for a message whose attempt-th try failed (0: first delivery): its index, or -1 to dead-letter it.
 * Three tries in each tier but the last, which repeats until `age` (since the first failure) passes `give_up`. */
int bus_retry_tier(int64_t attempt, size_t tiers, int64_t age, int64_t give_up);

BUS_C_END
