/* Takes the events that the edge listens to: orders and products that have changed, processes that are alive. */
#include "edge.h"

#include <bus/alive_measure.h>
#include <bus/clock.h>

static void note_orders(struct edge *edge, const struct order_changes *changes) {
  for (size_t i = 0; i < changes->order_count; i++) {
    view_cache_forget(edge->orders, edge_order_key(&changes->orders[i].order_id));
    streams_note(&edge->streams, &changes->orders[i].order_id, changes->orders[i].version);
    feed_add(&edge->feed, &changes->orders[i]);
  }
  streams_wake(&edge->feeds);
}

static void note_products(struct edge *edge, const struct products_changed *changes) {
  for (size_t i = 0; i < changes->product_count; i++)
    view_cache_forget(edge->products, changes->products[i].product_id);
}

/* The one before may have died between a COMMIT and its notice: what that changed, nothing else tells. */
static void note_new_process(struct edge *edge, struct bus_str service) {
  if (!bus_str_is(service, order_changed_type.senders[0]))
    return;
  feed_gap(&edge->feed);
  streams_wake(&edge->feeds);
}

static void on_event(void *context, const struct bus_message_type *type, struct bus_str sender, const void *body) {
  struct edge *edge = context;
  if (type == &order_changed_type)
    note_orders(edge, body);
  else if (type == &product_changed_type)
    note_products(edge, body);
  else if (type == &bus_alive_type && instances_note(&edge->instances, sender, body, bus_monotonic(), bus_wall_clock()))
    note_new_process(edge, sender);
}

static void on_attached(void *context) {
  struct edge *edge = context;
  view_cache_open(edge->orders);
  view_cache_open(edge->products);
  atomic_store(&edge->listening, true);
  if (!atomic_exchange(&edge->has_listened, true))
    return;
  feed_gap(&edge->feed);
  streams_resync(&edge->streams);
  streams_wake(&edge->feeds);
  bus_series_add(edge->metrics.resyncs, 1);
}

static void on_lost(void *context) {
  struct edge *edge = context;
  atomic_store(&edge->listening, false);
  view_cache_close(edge->orders);
  view_cache_close(edge->products);
}

const struct bus_listener_calls edge_listener_calls = {.event = on_event, .attached = on_attached, .lost = on_lost};

/* ---- who is alive ---- */

static int state_of(struct edge *edge) {
  if (atomic_load(&edge->draining))
    return BUS_ALIVE_DRAINING;
  return edge_is_ready(edge) ? BUS_ALIVE_READY : BUS_ALIVE_NOT_READY;
}

void edge_say_alive(struct edge *edge) {
  int64_t now = bus_monotonic();
  struct bus_alive_breaker breakers[BUS_ALIVE_BREAKERS_MAX];
  struct bus_alive alive = {.instance = bus_str(edge->instance),
                            .version = bus_str(ORDERBUS_VERSION),
                            .started_at = edge->started_at,
                            .state = state_of(edge)};
  if (now < edge->watch.alive_at || !bus_requester_is_up(edge->requester))
    return;
  edge->watch.alive_at = now + BUS_ALIVE_EVERY;
  bus_alive_measure(&alive, breakers);
  struct bus_pending *pending =
      bus_request_begin(edge->requester, &(struct bus_request){.type = &bus_alive_type, .body = &alive});
  if (pending) /* until it is sent: one that is ended before is not */
    (void)bus_request_wait(pending, now + BUS_SECOND, true);
  bus_request_end(pending);
}

void edge_services_list(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct instance_list list;
  struct response response = response_refusal(REFUSAL_NO_MEMORY);
  if (instances_list(&edge->instances, bus_monotonic(), bus_http_arena(exchange), &list))
    response = response_found(&instance_list_schema, &list);
  edge_respond(edge, exchange, &response);
}
