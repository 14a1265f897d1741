/* A circuit breaker: closed → open after enough failures in a window; half-open after a rest; closed again after enough
 * successes. Pure: time is an argument (monotonic microseconds). Not thread-safe. */
#ifndef BUS_BREAKER_H
#define BUS_BREAKER_H

#include <bus/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BUS_BREAKER_THRESHOLD_MAX = 100 };

struct bus_breaker_settings {
  int threshold;         /* failures in `window` that open it; 1 to BUS_BREAKER_THRESHOLD_MAX */
  int64_t window;        /* microseconds */
  int64_t open_for;      /* microseconds */
  int success_threshold; /* successes in a row, half-open, that close it */
};
#define BUS_BREAKER_DEFAULTS                                                                                           \
  { .threshold = 5, .window = 10 * BUS_SECOND, .open_for = 30 * BUS_SECOND, .success_threshold = 2 }

enum bus_breaker_state { BUS_BREAKER_CLOSED, BUS_BREAKER_OPEN, BUS_BREAKER_HALF_OPEN };

struct bus_breaker {
  struct bus_breaker_settings settings;
  enum bus_breaker_state state;
  int64_t failures[BUS_BREAKER_THRESHOLD_MAX]; /* ring of the last failures' times */
  int failure_count, next_failure;
  int64_t opened_at;
  int successes, probes; /* half-open: seen, and let through but not yet answered */
};

void bus_breaker_init(struct bus_breaker *breaker, const struct bus_breaker_settings *settings);
/* May a call go now? Half-open lets success_threshold probes through at once. Every true must be answered by one of
 * the next two. */
bool bus_breaker_allow(struct bus_breaker *breaker, int64_t now) BUS_MUST_CHECK;
void bus_breaker_success(struct bus_breaker *breaker, int64_t now);
void bus_breaker_failure(struct bus_breaker *breaker, int64_t now);
/* As it is at `now`: an open one whose rest is over shows as half-open. */
enum bus_breaker_state bus_breaker_state(const struct bus_breaker *breaker, int64_t now);
/* When an open breaker lets the first probe through; `now` where it would let one now. */
int64_t bus_breaker_retry_at(const struct bus_breaker *breaker, int64_t now);
/* How many calls would be let through one after the other, none being answered: 0 while open, SIZE_MAX while closed. */
size_t bus_breaker_room(const struct bus_breaker *breaker, int64_t now);
const char *bus_breaker_state_name(enum bus_breaker_state state);

#ifdef __cplusplus
}
#endif
#endif
