/* Who may hold a thread. Each connection has a thread for as long as the connection lives, so kept
 * connections get at most half of the threads and requests that wait for their client at most a quarter. The last
 * quarter serves one request a connection: a new connection always finds a thread soon. */
#include "internal.h"

#include <bus/clock.h>

#include <poll.h>
#include <sys/socket.h>

/* The note that is kept with each connection. */
enum { KEPT_BIT = 1, SERVED_ONE = 2 };

void http_places_init(struct http_places *places, int threads) {
  *places = (struct http_places){.threads = (size_t)threads};
  pthread_mutex_init(&places->lock, NULL);
  bus_cond_init(&places->fewer);
}

void http_places_done(struct http_places *places) {
  pthread_cond_destroy(&places->fewer);
  pthread_mutex_destroy(&places->lock);
}

/* At least one, however few threads there are. */
static size_t share(const struct http_places *places, size_t divisor) {
  return places->threads >= divisor ? places->threads / divisor : 1;
}

/* With the lock held. */
static void signal_fewer(struct http_places *places) {
  if (places->draining)
    pthread_cond_broadcast(&places->fewer);
}

void http_places_open(struct http_places *places) {
  pthread_mutex_lock(&places->lock);
  places->open++;
  pthread_mutex_unlock(&places->lock);
}

void http_places_closed(struct http_places *places) {
  pthread_mutex_lock(&places->lock);
  places->open--;
  signal_fewer(places);
  pthread_mutex_unlock(&places->lock);
}

void http_places_forget(struct http_places *places, uintptr_t note) {
  if (!(note & KEPT_BIT))
    return;
  pthread_mutex_lock(&places->lock);
  places->kept--;
  signal_fewer(places);
  pthread_mutex_unlock(&places->lock);
}

/* With the lock held. More connections wait than there are free threads. */
static bool is_crowded(const struct http_places *places, size_t waiting) {
  return places->open + waiting > places->threads;
}

/* Frees its own place first: each response of a kept connection competes for the place again, so all take turns. */
static bool take_kept(struct http_places *places, bool was_kept, bool may, size_t waiting) {
  pthread_mutex_lock(&places->lock);
  places->kept -= was_kept;
  bool taken = may && !places->draining && !is_crowded(places, waiting) && places->kept < share(places, 2);
  places->kept += taken;
  if (was_kept && !taken)
    signal_fewer(places);
  pthread_mutex_unlock(&places->lock);
  return taken;
}

bool http_places_keep(struct bus_http_exchange *exchange, bool wanted) {
  struct bus_http_server *server = exchange->server;
  uintptr_t note = http_connection_note(&exchange->connection);
  uintptr_t served = note / SERVED_ONE + 1;
  bool may = wanted && served < (uintptr_t)server->settings.requests_per_connection;
  size_t waiting = may ? http_listener_waiting(atomic_load(&server->listener)) : 0;
  bool kept = take_kept(&server->places, (note & KEPT_BIT) != 0, may, waiting);
  http_connection_set_note(&exchange->connection, served * SERVED_ONE + (kept ? KEPT_BIT : 0));
  return kept;
}

/* ---- connections that have sent nothing yet ---- */
enum {
  PROMPT_MS = 20,   /* it was silent in the kernel before, see http_listener_defer */
  LOOK_MS = 100,    /* without a place, where no connection waits for a thread */
  SILENT_MS = 3000, /* and while a thread is free */
};

static bool is_readable(int fd, int64_t timeout_ms) {
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  return poll(&entry, 1, (int)timeout_ms) != 0; /* an error is seen by whoever reads */
}

static bool has_free_thread(struct http_places *places) {
  pthread_mutex_lock(&places->lock);
  bool has = places->open < places->threads;
  pthread_mutex_unlock(&places->lock);
  return has;
}

static bool speaks_in_time(struct bus_http_server *server, int fd) {
  for (int64_t waited = 0; waited < SILENT_MS; waited += LOOK_MS) {
    if (is_readable(fd, LOOK_MS))
      return true;
    if (!has_free_thread(&server->places))
      return false;
  }
  return false;
}

/* Pools open connections before they have a request, and keep them: such a connection is kept as one after an answer
 * is. */
uintptr_t http_places_await(struct bus_http_server *server, int fd) {
  if (fd < 0 || is_readable(fd, PROMPT_MS))
    return 0;
  size_t waiting = http_listener_waiting(atomic_load(&server->listener));
  bool kept = take_kept(&server->places, false, true, waiting);
  if (!(kept ? is_readable(fd, server->settings.idle_ms) : waiting == 0 && speaks_in_time(server, fd)))
    (void)shutdown(fd, SHUT_RD);
  return kept ? KEPT_BIT : 0;
}

/* ---- requests that wait for their client ---- */
bool bus_http_hold(struct bus_http_exchange *exchange) {
  struct http_places *places = &exchange->server->places;
  if (exchange->holds)
    return true;
  pthread_mutex_lock(&places->lock);
  exchange->holds = places->held < share(places, 4);
  places->held += exchange->holds;
  pthread_mutex_unlock(&places->lock);
  return exchange->holds;
}

void http_places_release(struct bus_http_exchange *exchange) {
  struct http_places *places = &exchange->server->places;
  if (!exchange->holds)
    return;
  pthread_mutex_lock(&places->lock);
  places->held--;
  pthread_mutex_unlock(&places->lock);
  exchange->holds = false;
}

bool http_places_may_dawdle(struct bus_http_exchange *exchange) {
  struct bus_http_server *server = exchange->server;
  if (bus_http_hold(exchange))
    return true;
  size_t waiting = http_listener_waiting(atomic_load(&server->listener));
  pthread_mutex_lock(&server->places.lock);
  bool crowded = is_crowded(&server->places, waiting);
  pthread_mutex_unlock(&server->places.lock);
  return !crowded;
}

/* ---- draining ---- */
void http_places_drain(struct http_places *places) {
  pthread_mutex_lock(&places->lock);
  places->draining = true;
  pthread_mutex_unlock(&places->lock);
}

static bool wait_none(struct http_places *places, const size_t *count, int64_t until) {
  pthread_mutex_lock(&places->lock);
  while (*count > 0 && bus_cond_wait(&places->fewer, &places->lock, until))
    continue;
  bool none = *count == 0;
  pthread_mutex_unlock(&places->lock);
  return none;
}

bool http_places_wait_none_kept(struct http_places *places, int64_t until) {
  return wait_none(places, &places->kept, until);
}

bool http_places_wait_none_open(struct http_places *places, int64_t until) {
  return wait_none(places, &places->open, until);
}
