/* Shuts slow clients out: while less than a quarter of the threads is free, a request that is not complete 100 ms after
 * its first byte loses its connection, the oldest first. */
#include "internal.h"

#include <bus/clock.h>

#include <sys/socket.h>

enum { PATIENCE_MS = 100, LOOK_MS = 20, QUIET_MS = 60000 };

bool http_slow_is_short(const struct http_places *places) {
  return places->threads - places->open < places->threads / 4;
}

/* NULL: no request is old enough. */
static struct http_seat *oldest(struct http_places *places, int64_t now) {
  struct http_seat *found = NULL;
  for (size_t i = 0; i < places->threads; i++) {
    struct http_seat *seat = &places->seats[i];
    if (seat->fd < 0 || seat->reading_since == 0 || now - seat->reading_since < PATIENCE_MS * BUS_MILLISECOND)
      continue;
    if (found == NULL || seat->reading_since < found->reading_since)
      found = seat;
  }
  return found;
}

static size_t count_ending(const struct http_places *places) {
  size_t count = 0;
  for (size_t i = 0; i < places->threads; i++)
    count += places->seats[i].ends;
  return count;
}

/* With the lock held, so that no descriptor is closed meanwhile. The thread reads an end of input, answers if it can,
 * and closes. */
static void shut_oldest(struct http_places *places, int64_t now) {
  size_t open = places->open, ending = count_ending(places);
  struct http_seat *seat;
  while (places->threads - open + ending < places->threads / 4 && (seat = oldest(places, now)) != NULL) {
    (void)shutdown(seat->fd, SHUT_RD); /* fails where the peer is gone, which is as good */
    seat->reading_since = 0;
    seat->ends = true;
    ending++;
  }
}

static void *watch_slow(void *context) {
  struct http_places *places = context;
  pthread_mutex_lock(&places->lock);
  while (!places->slow_ends) {
    bool is_short = http_slow_is_short(places);
    int64_t now = bus_monotonic();
    if (is_short)
      shut_oldest(places, now);
    (void)bus_cond_wait(&places->shorter, &places->lock, now + (is_short ? LOOK_MS : QUIET_MS) * BUS_MILLISECOND);
  }
  pthread_mutex_unlock(&places->lock);
  return NULL;
}

bool http_slow_start(struct http_places *places) {
  places->slow_runs = pthread_create(&places->slow, NULL, watch_slow, places) == 0;
  return places->slow_runs;
}

void http_slow_stop(struct http_places *places) {
  if (!places->slow_runs)
    return;
  pthread_mutex_lock(&places->lock);
  places->slow_ends = true;
  pthread_cond_signal(&places->shorter);
  pthread_mutex_unlock(&places->lock);
  pthread_join(places->slow, NULL);
  places->slow_runs = false;
}

/* ---- what the threads say ---- */

void http_slow_begin(struct bus_http_exchange *exchange) {
  struct http_places *places = &exchange->server->places;
  struct http_seat *seat = http_connection_seat(&exchange->connection);
  pthread_mutex_lock(&places->lock);
  if (seat && seat->reading_since == 0 && !seat->ends)
    seat->reading_since = bus_monotonic();
  pthread_mutex_unlock(&places->lock);
}

void http_slow_end(struct bus_http_exchange *exchange) {
  struct http_places *places = &exchange->server->places;
  struct http_seat *seat = http_connection_seat(&exchange->connection);
  pthread_mutex_lock(&places->lock);
  if (seat)
    seat->reading_since = 0;
  pthread_mutex_unlock(&places->lock);
}
