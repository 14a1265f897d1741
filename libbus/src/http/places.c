/* Who may hold a thread. Each connection has a thread for as long as the connection lives, so kept
 * connections get at most half of the threads and requests that wait for their client at most a quarter. The last
 * quarter serves one request a connection: a new connection always finds a thread soon. */
#include "internal.h"

#include <bus/clock.h>

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

bool http_places_init(struct http_places *places, int threads) {
  *places = (struct http_places){.threads = (size_t)threads, .seats = calloc((size_t)threads, sizeof *places->seats)};
  if (places->seats == NULL)
    return false;
  for (size_t i = 0; i < places->threads; i++) {
    places->seats[i] = (struct http_seat){.fd = -1, .next_free = places->free_seats};
    places->free_seats = &places->seats[i];
  }
  pthread_mutex_init(&places->lock, NULL);
  bus_cond_init(&places->fewer);
  bus_cond_init(&places->shorter);
  return true;
}

void http_places_done(struct http_places *places) {
  free(places->seats);
  pthread_cond_destroy(&places->shorter);
  pthread_cond_destroy(&places->fewer);
  pthread_mutex_destroy(&places->lock);
}

static const struct bus_metric_spec connections = BUS_GAUGE_SPEC(
    "http_connections",
    "Connections that hold a thread: open ones, of them kept ones, and those whose request waits for its client.",
    .labels = {"listener", "state"});
static const struct bus_metric_spec threads =
    BUS_GAUGE_SPEC("http_threads", "Threads, and so the most connections.", .labels = {"listener"});

void http_places_register(void) {
  bus_metric_register(&connections);
  bus_metric_register(&threads);
}

void http_places_show(struct http_places *places, const char *listener) {
  static const char *const states[] = {
      [HTTP_SHOWN_OPEN] = "open", [HTTP_SHOWN_KEPT] = "kept", [HTTP_SHOWN_HELD] = "held"};
  struct bus_metric *metric = bus_metric_register(&connections);
  for (size_t i = 0; i < HTTP_SHOWN_COUNT; i++)
    places->shown[i] = bus_metric_series(metric, (const char *const[]){listener, states[i]});
  bus_series_set(bus_metric_series(bus_metric_register(&threads), &listener), (int64_t)places->threads);
}

/* With the lock held, after a count has changed. */
static void show(const struct http_places *places) {
  const size_t counts[] = {
      [HTTP_SHOWN_OPEN] = places->open, [HTTP_SHOWN_KEPT] = places->kept, [HTTP_SHOWN_HELD] = places->held};
  for (size_t i = 0; i < HTTP_SHOWN_COUNT && places->shown[i]; i++)
    bus_series_set(places->shown[i], (int64_t)counts[i]);
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
  show(places);
  if (http_slow_is_short(places))
    pthread_cond_signal(&places->shorter);
  pthread_mutex_unlock(&places->lock);
}

void http_places_closed(struct http_places *places) {
  pthread_mutex_lock(&places->lock);
  places->open--;
  show(places);
  signal_fewer(places);
  pthread_mutex_unlock(&places->lock);
}

static struct http_seat *take_seat(struct http_places *places, int fd) {
  pthread_mutex_lock(&places->lock);
  struct http_seat *seat = places->free_seats;
  if (seat) {
    places->free_seats = seat->next_free;
    *seat = (struct http_seat){.fd = fd};
  }
  pthread_mutex_unlock(&places->lock);
  return seat;
}

void http_places_forget(struct http_places *places, struct http_seat *seat) {
  if (seat == NULL)
    return;
  pthread_mutex_lock(&places->lock);
  if (seat->kept) {
    places->kept--;
    show(places);
    signal_fewer(places);
  }
  *seat = (struct http_seat){.fd = -1, .next_free = places->free_seats};
  places->free_seats = seat;
  pthread_mutex_unlock(&places->lock);
}

/* With the lock held. More connections wait than there are free threads. */
static bool is_crowded(const struct http_places *places, size_t waiting) {
  return places->open + waiting > places->threads;
}

/* Frees its own place first: each response of a kept connection competes for the place again, so all take turns. */
static void take_kept(struct http_places *places, struct http_seat *seat, bool may, size_t waiting) {
  pthread_mutex_lock(&places->lock);
  places->kept -= seat->kept;
  bool taken =
      may && !seat->ends && !places->draining && !is_crowded(places, waiting) && places->kept < share(places, 2);
  places->kept += taken;
  show(places);
  if (seat->kept && !taken)
    signal_fewer(places);
  seat->kept = taken;
  pthread_mutex_unlock(&places->lock);
}

bool http_places_keep(struct bus_http_exchange *exchange, bool wanted) {
  struct bus_http_server *server = exchange->server;
  struct http_seat *seat = http_connection_seat(&exchange->connection);
  if (seat == NULL)
    return false;
  bool may = wanted && ++seat->served < (uintptr_t)server->settings.requests_per_connection;
  size_t waiting = may ? http_listener_waiting(atomic_load(&server->listener)) : 0;
  take_kept(&server->places, seat, may, waiting);
  return seat->kept;
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

static void begin_reading(struct http_places *places, struct http_seat *seat) {
  pthread_mutex_lock(&places->lock);
  seat->reading_since = bus_monotonic();
  pthread_mutex_unlock(&places->lock);
}

/* Pools open connections before they have a request, and keep them: such a connection is kept as one after an answer
 * is. */
static void await_byte(struct bus_http_server *server, struct http_seat *seat) {
  int fd = seat->fd;
  if (!is_readable(fd, PROMPT_MS)) {
    size_t waiting = http_listener_waiting(atomic_load(&server->listener));
    take_kept(&server->places, seat, true, waiting);
    if (!(seat->kept ? is_readable(fd, server->settings.idle_ms) : waiting == 0 && speaks_in_time(server, fd)))
      (void)shutdown(fd, SHUT_RD);
  }
  begin_reading(&server->places, seat);
}

struct http_seat *http_places_await(struct bus_http_server *server, int fd) {
  struct http_seat *seat = take_seat(&server->places, fd);
  if (fd < 0 || seat == NULL)
    return seat;
  if (http_address_admit(server, seat)) {
    await_byte(server, seat);
  } else {
    (void)shutdown(fd, SHUT_RD); /* a request that is there already is answered */
    begin_reading(&server->places, seat);
  }
  return seat;
}

void http_places_await_request(struct bus_http_server *server, struct http_seat *seat) {
  if (seat == NULL || seat->fd < 0 || seat->over)
    return;
  pthread_mutex_lock(&server->places.lock);
  bool ends = seat->ends;
  seat->reading_since = 0; /* the handshake is complete */
  pthread_mutex_unlock(&server->places.lock);
  if (!ends)
    await_byte(server, seat);
}

/* ---- requests that wait for their client ---- */
bool bus_http_hold(struct bus_http_exchange *exchange) {
  struct http_places *places = &exchange->server->places;
  if (exchange->holds)
    return true;
  pthread_mutex_lock(&places->lock);
  exchange->holds = places->held < share(places, 4);
  places->held += exchange->holds;
  show(places);
  pthread_mutex_unlock(&places->lock);
  if (exchange->holds)
    http_work_end(exchange);
  return exchange->holds;
}

void http_places_release(struct bus_http_exchange *exchange) {
  struct http_places *places = &exchange->server->places;
  if (!exchange->holds)
    return;
  pthread_mutex_lock(&places->lock);
  places->held--;
  show(places);
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
