/* The process's clocks, waits by them, and its entropy: the one place where pure code's arguments come from.
 * Thread-safe. */
#pragma once

#include <bus/base.h>

#include <pthread.h>

BUS_C_BEGIN

/* Microseconds of CLOCK_MONOTONIC: every timeout inside a process. */
int64_t bus_monotonic(void);
/* The same clock, up to one kernel tick (some milliseconds) late, at a fifth of the cost: for a read at every byte
 * under a deadline of seconds. */
int64_t bus_monotonic_coarse(void);
/* CLOCK_REALTIME: ids and log lines. Decisions take Postgres's now() instead. */
bus_time bus_wall_clock(void);
/* A condition variable for bus_cond_wait. */
void bus_cond_init(pthread_cond_t *cond);
/* Waits until it is signalled (true; also without a signal, as POSIX allows) or bus_monotonic reaches `until`. */
bool bus_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until);
/* Random bits from getrandom(2). Ends the process if the kernel has none. */
void bus_random_seed(uint64_t seed[4]);

BUS_C_END
