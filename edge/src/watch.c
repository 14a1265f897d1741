/* Asks order-svc every second how far it is behind, and whether it takes new orders; the answer of a
 * service closes its open breaker. */
#include "edge.h"

#include <bus/clock.h>
#include <bus/log.h>

#define WATCH_PAUSE BUS_SECOND
#define WATCH_PATIENCE BUS_SECOND
#define STREAMS_NET (15 * BUS_SECOND) /* between looks at the orders of streams while events come */
enum { ARENA_LIMIT = 1 << 16 };

static void note(struct edge *edge, int64_t age) {
  if (!backlog_report(&edge->backlog, age, bus_monotonic()))
    return;
  bool behind = backlog_is_behind(&edge->backlog, bus_monotonic());
  bus_log(behind ? BUS_WARN : BUS_INFO,
          behind ? "new orders are refused: order-svc's messages do not go out" : "new orders are taken again",
          BUS_F_INT("oldest_message_ms", age / BUS_MILLISECOND),
          BUS_F_INT("limit_ms", edge->backlog.limit / BUS_MILLISECOND));
}

static void note_intake(struct edge *edge, int64_t closed_ms) {
  int64_t closed_for = closed_ms == BUS_NO_INT64 ? BUS_NO_INT64 : closed_ms * BUS_MILLISECOND;
  if (!intake_report(&edge->intake, closed_for, bus_monotonic()))
    return;
  bool closed = intake_is_closed(&edge->intake, bus_monotonic());
  bus_log(closed ? BUS_WARN : BUS_INFO,
          closed ? "new orders are refused: order-svc takes none" : "order-svc takes new orders again",
          BUS_F_INT("closed_ms", closed_ms));
}

static void note_order(struct edge *edge, const struct order_pong *pong) {
  if (pong == NULL)
    return;
  if (pong->outbox_age_ms != BUS_NO_INT64) /* an older order-svc does not say */
    note(edge, pong->outbox_age_ms * BUS_MILLISECOND);
  note_intake(edge, pong->intake_closed_ms);
}

/* Any other service is pinged only while its breaker is open: its answer closes the breaker. */
static bool is_pinged(struct edge_service *service, int64_t now) {
  return service->ping && (service->ping == &order_ping_type || edge_breaker_is_open(&service->breaker, now));
}

static void look_at_streams(struct edge *edge, int64_t now) {
  if (atomic_load(&edge->listening) && now < edge->watch.streams_at + STREAMS_NET)
    return;
  edge->watch.streams_at = now;
  edge_streams_look(edge);
}

void edge_watch_once(struct edge *edge, struct bus_arena *arena) {
  int64_t now = bus_monotonic();
  struct bus_pending *pings[EDGE_SERVICES_MAX] = {NULL};
  if (!bus_requester_is_up(edge->requester) || bus_requester_is_blocked(edge->requester))
    return; /* that is a refusal of its own */
  for (size_t i = 0; i < edge->service_count; i++)
    if (is_pinged(&edge->services[i], now))
      pings[i] = edge_ping_begin(&edge->services[i]);
  for (size_t i = 0; i < edge->service_count; i++) {
    const void *pong = edge_ping_end(&edge->services[i], pings[i], now + WATCH_PATIENCE, arena);
    if (edge->services[i].ping == &order_ping_type)
      note_order(edge, pong);
  }
  look_at_streams(edge, now);
}

/* ---- the thread ---- */

static bool is_to_end(struct edge *edge) {
  int64_t until = bus_monotonic() + WATCH_PAUSE;
  (void)pthread_mutex_lock(&edge->watch.mutex); /* a plain mutex does not fail */
  while (!edge->watch.ends && bus_cond_wait(&edge->watch.end, &edge->watch.mutex, until))
    continue;
  bool ends = edge->watch.ends;
  (void)pthread_mutex_unlock(&edge->watch.mutex);
  return ends;
}

static void *watch(void *context) {
  struct edge *edge = context;
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  while (arena && !is_to_end(edge)) {
    bus_arena_reset(arena);
    edge_watch_once(edge, arena);
    edge_say_alive(edge);
  }
  bus_arena_free(arena);
  return NULL;
}

bool edge_watch_start(struct edge *edge, struct bus_error *err) {
  bus_cond_init(&edge->watch.end);
  (void)pthread_mutex_init(&edge->watch.mutex, NULL);
  edge->watch.runs = pthread_create(&edge->watch.thread, NULL, watch, edge) == 0;
  return edge->watch.runs || bus_fail(err, BUS_E_SYSTEM, "cannot start the thread that asks for the backlog");
}

void edge_watch_stop(struct edge *edge) {
  if (!edge->watch.runs)
    return;
  (void)pthread_mutex_lock(&edge->watch.mutex);
  edge->watch.ends = true;
  (void)pthread_cond_signal(&edge->watch.end);
  (void)pthread_mutex_unlock(&edge->watch.mutex);
  (void)pthread_join(edge->watch.thread, NULL);
  edge->watch.runs = false;
}
